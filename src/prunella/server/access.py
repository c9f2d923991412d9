"""Who asks, for which project, and what they may do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from prunella.model.directory import Role
from prunella.model.errors import StoreError

__all__ = ["Access", "Role", "access_of", "require", "require_everywhere", "still_may"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Somebody's standing, as the guard in front of all routes has found it."""

    #: A name for people and the audit log: ``ana``, ``token ci``, ``key 3f2a``, ``root@host``.
    actor: str
    #: Project name to role; ``*`` stands for every project.
    roles: dict[str, Role]
    #: Against forged forms: what each form has to bring along.
    csrf_token: str = ""
    #: Somebody has logged in, and may log out.
    has_session: bool = False

    def role(self, project: str) -> Role | None:
        """Return the role in a project; ``None`` where it isn't theirs."""
        found = [self.roles[name] for name in (project, "*") if name in self.roles]
        return max(found) if found else None


def access_of(request: HTTPConnection) -> Access:
    """Return what the guard has found out."""
    access: Access = request.scope["state"]["access"]
    return access


async def still_may(request: HTTPConnection, project: str, role: Role) -> bool:
    """Say whether whoever asked, and holds a stream open since, has that role in a project still.

    Where the directory can't answer, they have it until it does: streams that all end at once would
    all come back at once.
    """
    standing: Callable[[], Awaitable[Access | None]] = request.state.standing
    try:
        access = await standing()
    except StoreError:
        return True
    mine = None if access is None else access.role(project)
    return mine is not None and mine >= role


def require(request: HTTPConnection, project: str, role: Role) -> Access:
    """Return the access; 404 where the project isn't theirs, 403 where the role is too low.

    A project of others looks like one that isn't there.
    """
    access = access_of(request)
    mine = access.role(project)
    if mine is None:
        raise HTTPException(404, f"there is no project {project}")
    if mine < role:
        raise HTTPException(
            403,
            f"{access.actor} is {mine.name.lower()} of {project}; this needs {role.name.lower()}",
        )
    return access


def require_everywhere(request: HTTPConnection, role: Role) -> Access:
    """Return the access; 403 where the role isn't theirs in every project.

    Anybody may have `Role.REPORTER`: it stands for being known at all.
    """
    access = access_of(request)
    mine = access.roles.get("*")
    if role > Role.REPORTER and (mine is None or mine < role):
        raise HTTPException(403, f"{access.actor} isn't {role.name.lower()} of the whole server")
    return access
