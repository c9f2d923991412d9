"""The store for teams: one schema of a PostgreSQL database for each project."""

import hashlib

from prunella.adapters.postgres import PostgresDatabase
from prunella.adapters.postgres_schema import require
from prunella.adapters.sql.migrations import STORE
from prunella.adapters.sql_store import SqlStore

#: What the schema of every project begins with.
PREFIX = "project_"
#: PostgreSQL cuts longer names off without a word.
_MAX_NAME_BYTES = 63


def schema_of(project: str) -> str:
    """Return the name of a project's schema; no two projects have the same.

    The part of a long name that has no room is told by its digest, behind a character that no
    project's name has.
    """
    schema = PREFIX + project
    if len(schema) <= _MAX_NAME_BYTES:
        return schema
    digest = hashlib.blake2b(project.encode(), digest_size=8).hexdigest()
    return f"{schema[: _MAX_NAME_BYTES - 17]}~{digest}"


def database_at(url: str, schema: str) -> PostgresDatabase:
    """Return a store's schema of the database at `url`, whether it is there or not."""
    return PostgresDatabase(url, schema, STORE)


def database_of(url: str, project: str) -> PostgresDatabase:
    """Return a project's schema of the database at `url`, whether it is there or not."""
    return database_at(url, schema_of(project))


def open_store(url: str, project: str) -> SqlStore:
    """Open the store of `project` in the database at `url`.

    Raises `StoreError` where the server can't be reached, or the schema isn't there, is older than this
    release needs (which says to run ``prunella database migrate``), or too new for it.
    """
    database = database_of(url, project)
    require(database)
    return SqlStore(database)
