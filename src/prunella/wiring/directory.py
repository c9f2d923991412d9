"""Who may do what on a server: kept in a file beside an embedded store, or in the teams' database."""

from pathlib import Path

from prunella.model.project import data_folder
from prunella.ports import Directory

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
        return SqlDirectory(SqliteDatabase(path, DIRECTORY, create=True))
    from prunella.adapters.postgres import PostgresDatabase
    from prunella.adapters.postgres_schema import require

    found = PostgresDatabase(database, SCHEMA, DIRECTORY)
    require(found)
    return SqlDirectory(found)
