"""``prunella keys`` and ``prunella tokens``"""

from datetime import timedelta
from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.interval import Interval
from prunella.cli.session import Session

_project = click.option(
    "--project", default="local", show_default=True, help="The project that it is of."
)
_of_project = click.option("--project", help="Only those of this project.")
_id = click.argument("credential_id", metavar="ID")


@click.group(cls=ListByDefault, short_help="Make keys with which programs report to the server.")
def keys() -> None:
    """Make keys with which programs report to the server; `keys` alone lists.

    A key may report and hear of fixes, and reads nothing: PRUNELLA_DSN=https://KEY@HOST/PROJECT.
    """


@click.group(cls=ListByDefault, short_help="Make tokens for the API.")
def tokens() -> None:
    """Make tokens for programs that use the API; `tokens` alone lists.

    A program sends it with each request: Authorization: Bearer TOKEN.
    """


@keys.command("list")
@_of_project
@options.database
@options.root
@options.as_json
@click.pass_obj
def list_keys(
    session: Session, project: str | None, database: str | None, root: Path | None
) -> ExitCode:
    """List the keys that are valid."""
    return _list(session, root, database, project, keys=True)


@tokens.command("list")
@_of_project
@options.database
@options.root
@options.as_json
@click.pass_obj
def list_tokens(
    session: Session, project: str | None, database: str | None, root: Path | None
) -> ExitCode:
    """List the tokens that are valid."""
    return _list(session, root, database, project, keys=False)


@keys.command("add", short_help="Make a key; it is shown this once.")
@click.argument("name")
@_project
@click.option(
    "--per-minute", type=click.IntRange(min=1), metavar="NUMBER", help="Requests a minute."
)
@click.option(
    "--mb-per-day", type=click.IntRange(min=1), metavar="NUMBER", help="Megabytes a day (UTC)."
)
@options.database
@options.root
@options.as_json
@click.pass_obj
def add_key(
    session: Session,
    name: str,
    project: str,
    per_minute: int | None,
    mb_per_day: int | None,
    database: str | None,
    root: Path | None,
) -> ExitCode:
    """Make a key for programs that report; only its digest is kept, so that it is shown this once."""
    from prunella.cli.directories import people_of
    from prunella.cli.views.people import show_secret
    from prunella.model.directory import BYTES_PER_DAY, PER_MINUTE, Role
    from prunella.server.people import plain_credential

    with people_of(root, database) as people:
        made, secret = people.add_credential(
            name,
            project,
            Role.REPORTER,
            per_minute=per_minute or PER_MINUTE,
            bytes_per_day=mb_per_day * 10**6 if mb_per_day else BYTES_PER_DAY,
        )
    session.result(
        {"key": plain_credential(made), "secret": secret},
        lambda console: show_secret(console, secret),
    )
    return ExitCode.DONE


@tokens.command("add", short_help="Make a token; it is shown this once.")
@click.argument("name")
@click.option(
    "--project",
    default="*",
    show_default=True,
    help="The project that it is of; * stands for every project.",
)
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator", "admin"]),
    default="viewer",
    show_default=True,
    help="What it may do.",
)
@click.option(
    "--expires",
    type=Interval(most=timedelta(days=3660)),
    metavar="TIME",
    help="How long it is valid: 12h, 90d.  [default: until it is removed]",
)
@options.database
@options.root
@options.as_json
@click.pass_obj
def add_token(
    session: Session,
    name: str,
    project: str,
    role: str,
    expires: timedelta | None,
    database: str | None,
    root: Path | None,
) -> ExitCode:
    """Make a token for the API; only its digest is kept, so that it is shown this once."""
    from prunella.cli.directories import people_of
    from prunella.cli.views.people import show_secret
    from prunella.model.clock import now
    from prunella.model.directory import Role
    from prunella.server.people import plain_credential

    with people_of(root, database) as people:
        made, secret = people.add_credential(
            name,
            project,
            Role[role.upper()],
            expires_at=None if expires is None else now() + expires,
        )
    session.result(
        {"token": plain_credential(made), "secret": secret},
        lambda console: show_secret(console, secret),
    )
    return ExitCode.DONE


@keys.command("remove", short_help="End a key.")
@_id
@options.database
@options.root
@options.as_json
@click.pass_obj
def remove_key(
    session: Session, credential_id: str, database: str | None, root: Path | None
) -> ExitCode:
    """End a key: within seconds, what is sent with it is refused."""
    return _remove(session, root, database, credential_id, keys=True)


@tokens.command("remove", short_help="End a token.")
@_id
@options.database
@options.root
@options.as_json
@click.pass_obj
def remove_token(
    session: Session, credential_id: str, database: str | None, root: Path | None
) -> ExitCode:
    """End a token: within seconds, it lets nobody in."""
    return _remove(session, root, database, credential_id, keys=False)


def _list(
    session: Session, root: Path | None, database: str | None, project: str | None, *, keys: bool
) -> ExitCode:
    from prunella.cli.directories import people_of
    from prunella.cli.views.people import show_credentials
    from prunella.server.people import plain_credential

    with people_of(root, database) as people:
        found = people.credentials(keys=keys, project=project)
    session.result(
        {"keys" if keys else "tokens": [plain_credential(item) for item in found]},
        lambda console: show_credentials(console, found, keys=keys),
    )
    return ExitCode.DONE


def _remove(
    session: Session, root: Path | None, database: str | None, credential_id: str, *, keys: bool
) -> ExitCode:
    from prunella.cli.directories import people_of

    with people_of(root, database) as people:
        people.end_credential(credential_id, keys=keys)
    session.result(
        {"removed": credential_id}, lambda console: console.print(f"{credential_id} has ended.")
    )
    return ExitCode.DONE
