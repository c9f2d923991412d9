"""Who may do what: projects and users of a server that wants people to log in."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.exceptions import HTTPException

from prunella.codec.plain import to_plain
from prunella.model.audit import AuditEntry
from prunella.model.directory import Project, Role
from prunella.ports import Directory
from prunella.server.access import access_of
from prunella.server.api.operation import Asked, Body, Operation, Query
from prunella.server.people import People, plain_person

RoleName = Literal["viewer", "operator", "admin"]
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A person, as others may see them."""

    name: str
    roles: dict[str, str]
    made_at: datetime
    made_by: str
    has_password: bool


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    actor: str
    roles: dict[str, str]
    projects: list[str]


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """A path of this server at which a password may be set, once."""

    path: str


class AddProject(Body, frozen=True, kw_only=True):
    """A project."""

    name: Name
    root: Annotated[
        str, Meta(max_length=1_000, description="Folder of its source on servers and workers.")
    ] = ""


class AddUser(Body, frozen=True, kw_only=True):
    """Somebody who is to log in."""

    name: Name
    roles: Annotated[
        dict[str, RoleName], Meta(description="Project to role; * stands for every project.")
    ]


class SetRoles(Body, frozen=True, kw_only=True):
    """What somebody may do."""

    roles: dict[str, RoleName]


class AuditPage(Query, frozen=True, kw_only=True):
    """How many decisions."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


def directory_of(asked: Asked) -> Directory:
    found: Directory | None = asked.request.app.state.directory
    if found is None:
        raise HTTPException(404, "this server knows no users: it was started without --auth")
    return found


def people_of(asked: Asked) -> People:
    return People(directory_of(asked), actor=asked.actor)


def _me(asked: Asked) -> Any:
    access = access_of(asked.request)
    return {
        "actor": access.actor,
        "roles": {project: role.name.lower() for project, role in access.roles.items()},
        "projects": _mine(asked),
    }


def _projects(asked: Asked) -> Any:
    return {"items": _mine(asked)}


def _mine(asked: Asked) -> list[str]:
    access = access_of(asked.request)
    return [name for name in asked.workspaces.names() if access.role(name) is not None]


def _all_projects(asked: Asked) -> Any:
    return {"items": to_plain(directory_of(asked).projects())}


def _add_project(asked: Asked) -> Any:
    body: AddProject = asked.body
    people = people_of(asked)
    asked.workspaces.prepare(body.name)
    return to_plain(people.add_project(body.name, root=body.root))


def _remove_project(asked: Asked) -> Any:
    people_of(asked).remove_project(asked.path["name"])


def _users(asked: Asked) -> Any:
    return {"items": [plain_person(item) for item in directory_of(asked).people()]}


def _add_user(asked: Asked) -> Any:
    body: AddUser = asked.body
    _, secret = people_of(asked).add_person(body.name, _roles(body.roles))
    return {"path": f"/invitation/{secret}"}


def _set_roles(asked: Asked) -> Any:
    body: SetRoles = asked.body
    return plain_person(people_of(asked).set_roles(asked.path["user"], _roles(body.roles)))


def _invite(asked: Asked) -> Any:
    return {"path": f"/invitation/{people_of(asked).invite(asked.path['user'])}"}


def _remove_user(asked: Asked) -> Any:
    people_of(asked).remove_person(asked.path["user"])


def _roles(names: dict[str, RoleName]) -> dict[str, Role]:
    return {project: Role[name.upper()] for project, name in names.items()}


def _audit(asked: Asked) -> Any:
    return {"items": to_plain(directory_of(asked).audit(limit=asked.query.limit))}


OPERATIONS = (
    Operation(
        method="GET",
        path="/me",
        name="get_me",
        summary="Who asks, and what they may do.",
        role=Role.REPORTER,
        run=_me,
        answer=Me,
    ),
    Operation(
        method="GET",
        path="/projects",
        name="list_projects",
        summary="Names of the projects that whoever asks may see.",
        role=Role.REPORTER,
        run=_projects,
        answer=list[str],
    ),
    Operation(
        method="GET",
        path="/server/projects",
        name="list_all_projects",
        summary="Every project of the server.",
        role=Role.ADMIN,
        run=_all_projects,
        answer=list[Project],
    ),
    Operation(
        method="POST",
        path="/server/projects",
        name="add_project",
        summary="Make a project.",
        role=Role.ADMIN,
        run=_add_project,
        answer=Project,
        status=201,
        body=AddProject,
    ),
    Operation(
        method="DELETE",
        path="/server/projects/{name}",
        name="remove_project",
        summary="Forget a project with its keys and tokens; its records stay in the database.",
        role=Role.ADMIN,
        run=_remove_project,
        answer=None,
        status=204,
    ),
    Operation(
        method="GET",
        path="/server/users",
        name="list_users",
        summary="Everybody who may log in.",
        role=Role.ADMIN,
        run=_users,
        answer=list[Known],
    ),
    Operation(
        method="POST",
        path="/server/users",
        name="add_user",
        summary="Let somebody log in; they set a password at the path that is answered.",
        role=Role.ADMIN,
        run=_add_user,
        answer=Invited,
        status=201,
        body=AddUser,
    ),
    Operation(
        method="PUT",
        path="/server/users/{user}/roles",
        name="set_roles",
        summary="Say what somebody may do.",
        role=Role.ADMIN,
        run=_set_roles,
        answer=Known,
        body=SetRoles,
    ),
    Operation(
        method="POST",
        path="/server/users/{user}/invitation",
        name="invite_user",
        summary="Let somebody set a new password, at the path that is answered.",
        role=Role.ADMIN,
        run=_invite,
        answer=Invited,
        status=201,
    ),
    Operation(
        method="DELETE",
        path="/server/users/{user}",
        name="remove_user",
        summary="Forget somebody, and end their sessions.",
        role=Role.ADMIN,
        run=_remove_user,
        answer=None,
        status=204,
    ),
    Operation(
        method="GET",
        path="/server/audit",
        name="list_server_decisions",
        summary="Logins, failed logins, and changes of users, keys, tokens, projects; oldest first.",
        role=Role.ADMIN,
        run=_audit,
        answer=list[AuditEntry],
        query=AuditPage,
    ),
)
