"""``prunella users``"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.session import Session

if TYPE_CHECKING:
    from prunella.model.directory import Role

_name = click.argument("name")
_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    metavar="[PROJECT=]ROLE",
    help="viewer, operator or admin; of one project, or of all. May be given several times.",
)


@click.group(cls=ListByDefault, short_help="Say who may log in to the server.")
def users() -> None:
    """Say who may log in to the server; `users` alone lists.

    The first one is made here, as an admin: there is no default password.
    """


@users.command("list")
@options.database
@options.root
@options.as_json
@click.pass_obj
def list_users(session: Session, database: str | None, root: Path | None) -> ExitCode:
    """List who may log in, and what they may do."""
    from prunella.cli.directories import people_of
    from prunella.cli.views.people import show_people
    from prunella.server.people import plain_person

    with people_of(root, database) as people:
        found = people.everybody()
    session.result(
        {"users": [plain_person(item) for item in found]},
        lambda console: show_people(console, found),
    )
    return ExitCode.DONE


@users.command("add", short_help="Let somebody log in.")
@_name
@_roles
@click.option("--invite", is_flag=True, help="Print a link at which they set their password.")
@options.database
@options.root
@options.as_json
@click.pass_obj
def add_user(
    session: Session,
    name: str,
    roles: tuple[str, ...],
    invite: bool,
    database: str | None,
    root: Path | None,
) -> ExitCode:
    """Let somebody log in: asks for a password, or prints a link at which they set one.

    The link works once, within three days, and is printed where there is nobody to ask, too.
    """
    from prunella.cli.directories import people_of
    from prunella.server.people import plain_person

    wanted = _read_roles(roles)
    password = None if invite or session.as_json else _asked_for_password()
    with people_of(root, database) as people:
        person, secret = people.add_person(name, wanted, password=password)
    _said(session, {"user": plain_person(person)}, f"{name} may log in.", _invitation(secret, root))
    return ExitCode.DONE


@users.command("roles", short_help="Say what somebody may do.")
@_name
@_roles
@options.database
@options.root
@options.as_json
@click.pass_obj
def set_roles(
    session: Session, name: str, roles: tuple[str, ...], database: str | None, root: Path | None
) -> ExitCode:
    """Say what somebody may do, in place of what they might before."""
    from prunella.cli.directories import people_of
    from prunella.server.people import plain_person

    with people_of(root, database) as people:
        person = people.set_roles(name, _read_roles(roles))
    _said(session, {"user": plain_person(person)}, f"{name} has other roles now.")
    return ExitCode.DONE


@users.command("password", short_help="Set somebody's password anew.")
@_name
@click.option("--invite", is_flag=True, help="Print a link at which they set it themselves.")
@options.database
@options.root
@options.as_json
@click.pass_obj
def set_password(
    session: Session, name: str, invite: bool, database: str | None, root: Path | None
) -> ExitCode:
    """Set somebody's password anew, which ends their sessions."""
    from prunella.cli.directories import people_of

    password = None if invite or session.as_json else _asked_for_password()
    with people_of(root, database) as people:
        if password is None:
            secret = people.invite(name)
        else:
            people.set_password(name, password)
            secret = ""
    text = "" if secret else f"The password of {name} is set."
    _said(session, {"user": name}, text, _invitation(secret, root))
    return ExitCode.DONE


@users.command("remove", short_help="Let somebody log in no more.")
@_name
@options.database
@options.root
@options.as_json
@click.pass_obj
def remove_user(session: Session, name: str, database: str | None, root: Path | None) -> ExitCode:
    """Let somebody log in no more; their sessions end."""
    from prunella.cli.directories import people_of

    with people_of(root, database) as people:
        people.remove_person(name)
    _said(session, {"removed": name}, f"{name} can't log in any more.")
    return ExitCode.DONE


def _invitation(secret: str, root: Path | None) -> str:
    """Return the address at which a password is set: a path where the server's isn't known."""
    from prunella.model.links import links_of
    from prunella.model.project import find_root
    from prunella.model.settings import load

    if not secret:
        return ""
    links = links_of(load(root or find_root(Path.cwd())).settings)
    return links.invitation(secret) or f"/invitation/{secret}"


def _said(session: Session, plain: dict[str, Any], text: str, invitation: str = "") -> None:
    if invitation:
        plain = {**plain, "invitation": invitation}

    def show(console: Any) -> None:
        if text:
            console.print(text)
        if invitation:
            console.print("They set a password, once and within three days, at the server's page:")
            console.print(invitation, soft_wrap=True)

    session.result(plain, show)


def _read_roles(given: tuple[str, ...]) -> "dict[str, Role]":
    from prunella.model.directory import EVERYWHERE, Role
    from prunella.model.errors import ConfigurationError

    roles = {}
    for text in given:
        project, equals, name = text.rpartition("=")
        if name not in {"viewer", "operator", "admin"}:
            raise ConfigurationError(
                f"{text!r} is no role: viewer, operator or admin, or PROJECT=viewer and so on"
            )
        roles[project if equals else EVERYWHERE] = Role[name.upper()]
    return roles


def _asked_for_password() -> str | None:
    """Ask a person for a password; ``None`` where nobody is there to answer."""
    import sys

    if not sys.stdin.isatty():
        return None
    return str(click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True))
