"""Who may do what on a server: kept in a file beside an embedded store, or in the teams' database."""

from pathlib import Path
from typing import TYPE_CHECKING

from prunella.model.clock import now
from prunella.model.directory import LOCAL, Project
from prunella.model.project import data_folder
from prunella.ports import Directory

if TYPE_CHECKING:
    from prunella.adapters.postgres import PostgresDatabase

#: Name of the file in a project's data folder.
FILE_NAME = "server.db"
#: Name of the schema in the teams' database.
SCHEMA = "prunella"


def open_directory(root: Path, database: str = "") -> Directory:
    """Open the directory of the server at `root`, or that in the `database` of that address.

    The file is made where there is none. Raises `StoreError`, also where the database's schema isn't
    one that this release works with.
    """
    from prunella.adapters.directory import SqlDirectory
    from prunella.adapters.sql.directory_plan import DIRECTORY

    if not database:
        from prunella.adapters.sqlite import SqliteDatabase

        path = data_folder(root) / FILE_NAME
        directory = SqlDirectory(SqliteDatabase(path, DIRECTORY, create=True))
        if not directory.projects():
            directory.save_project(Project(name=LOCAL, made_at=now(), made_by="prunella"))
        return directory
    from prunella.adapters.postgres_schema import require

    found = database_of_directory(database)
    require(found)
    return SqlDirectory(found)


def database_of_directory(url: str) -> "PostgresDatabase":
    """Return the directory's schema of the database at `url`, whether it is there or not."""
    from prunella.adapters.postgres import PostgresDatabase
    from prunella.adapters.sql.directory_plan import DIRECTORY

    return PostgresDatabase(url, SCHEMA, DIRECTORY)


def prepare_project(database: str, name: str) -> None:
    """Make the schema of a project's records, or bring it up to date. Raises `StoreError`."""
    from prunella.adapters.postgres_schema import migrate
    from prunella.adapters.postgres_store import database_of

    migrate(database_of(database, name))
