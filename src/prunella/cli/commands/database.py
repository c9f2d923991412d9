"""``prunella database``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import StatusByDefault
from prunella.cli.session import Session


@click.group(cls=StatusByDefault, short_help="Show and upgrade the PostgreSQL database.")
def database() -> None:
    """Show and upgrade the PostgreSQL database that the setting `database` names.

    `database` alone shows how far the schema of each project is. The embedded store needs none of
    this: it brings itself up to date.
    """


@database.command("status", short_help="Show how far the schema of each project is.")
@options.root
@options.as_json
@click.pass_obj
def show_status(session: Session, root: Path | None) -> ExitCode:
    """Show how far the schema of each project is, and whether this release works with it.

    Ends with 1 where it doesn't.
    """
    from prunella.cli.views.database import show_schemas
    from prunella.codec.plain import to_plain
    from prunella.wiring.stores import schemas

    with session.healer(root, refresh=False) as healer:
        found = schemas(healer.settings)
    session.result(to_plain(found), lambda console: show_schemas(console, found))
    return ExitCode.DONE if all(item.is_usable for item in found) else ExitCode.NEGATIVE


@database.command("migrate", short_help="Bring the schema of every project up to date.")
@click.option("--dry-run", is_flag=True, help="Only show the statements that would be run.")
@options.root
@options.as_json
@click.pass_obj
def migrate_schemas(session: Session, dry_run: bool, root: Path | None) -> ExitCode:
    """Bring the schema of every project up to date, and make that of this project if it isn't there.

    Run it with a new release before any process is replaced: processes of the release before go on,
    and wait for a moment at most. A schema that is newer than this release stays as it is.
    """
    from prunella.cli.views.database import show_migrated
    from prunella.codec.plain import to_plain
    from prunella.wiring.stores import migrate

    with session.healer(root, refresh=False) as healer:
        done = migrate(healer.settings, dry_run=dry_run)
    session.result(to_plain(done), lambda console: show_migrated(console, done, dry_run=dry_run))
    return ExitCode.DONE
