"""``prunella projects``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.session import Session


@click.group(cls=ListByDefault, short_help="Say which projects a server for teams has.")
def projects() -> None:
    """Say which projects a server for teams has; `projects` alone lists.

    Each has its records in a schema of its own of the database.
    """


@projects.command("list")
@options.database
@options.root
@options.as_json
@click.pass_obj
def list_projects(session: Session, database: str | None, root: Path | None) -> ExitCode:
    """List the projects."""
    from prunella.cli.directories import people_of
    from prunella.cli.views.people import show_projects
    from prunella.codec.plain import to_plain

    with people_of(root, database) as people:
        found = people.projects()
    session.result({"projects": to_plain(found)}, lambda console: show_projects(console, found))
    return ExitCode.DONE


@projects.command("add", short_help="Make a project.")
@click.argument("name")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    default=None,
    help="Folder of its source on servers and workers; without one nothing is replayed or patched.",
)
@options.database
@options.root
@options.as_json
@click.pass_obj
def add_project(
    session: Session, name: str, source: str | None, database: str | None, root: Path | None
) -> ExitCode:
    """Make a project, with a place for its records."""
    from prunella.cli.directories import database_at, people_of
    from prunella.codec.plain import to_plain
    from prunella.model.errors import ConfigurationError
    from prunella.wiring.directory import prepare_project

    url = database_at(root, database)
    if not url:
        raise ConfigurationError(
            "an embedded store has the one project local; give --database, or set PRUNELLA_DATABASE"
        )
    with people_of(root, url) as people:
        made = people.add_project(name, root=source or "")
        prepare_project(url, name)
    session.result(to_plain(made), lambda console: console.print(f"The project {name} is there."))
    return ExitCode.DONE


@projects.command("remove", short_help="Forget a project.")
@click.argument("name")
@options.database
@options.root
@options.as_json
@click.pass_obj
def remove_project(
    session: Session, name: str, database: str | None, root: Path | None
) -> ExitCode:
    """Forget a project with its keys and tokens; its records stay in the database."""
    from prunella.cli.directories import people_of

    with people_of(root, database) as people:
        people.remove_project(name)
    session.result(
        {"removed": name}, lambda console: console.print(f"The project {name} is forgotten.")
    )
    return ExitCode.DONE
