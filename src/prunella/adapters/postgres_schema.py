"""Bringing a schema of a PostgreSQL database up to date, by command and not by itself.

A team upgrades while programs report: `migrate` runs first, with the new release, while processes of the
release before go on; then these are replaced one after the other. So a schema may be newer than a
release that uses it. How old a release may be is kept in the schema, and one that is older still is
refused; `prunella.adapters.sql.plan.Plan` says how steps are written so that this is rarely needed.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from prunella.adapters.postgres import PostgresDatabase
from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.dialect import quoted, table_to_postgres
from prunella.adapters.sql.plan import Plan
from prunella.model.clock import now, to_us
from prunella.model.errors import StoreError

_COMMAND = "run `prunella database migrate`"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """How far a schema is."""

    schema: str
    #: 0 where it isn't there.
    version: int
    #: The oldest version that a release must know to use it.
    least: int
    #: What this release's steps lead to.
    known: int

    @property
    def is_usable(self) -> bool:
        """This release works with it."""
        return self.version >= self.known >= self.least


def state_of(database: PostgresDatabase) -> SchemaState:
    """Look how far a schema is. Raises `StoreError` where the server can't be reached."""
    with database.reading() as db:
        return _state(db, database)


def require(database: PostgresDatabase) -> None:
    """Raise `StoreError` where the schema isn't one that this release works with."""
    state = state_of(database)
    if state.is_usable:
        return
    if not state.version:
        raise StoreError(f"Nothing is kept yet in {database.place}: {_COMMAND}.")
    if state.version < state.known:
        raise StoreError(
            f"{database.place} has schema version {state.version}, this release needs "
            f"{state.known}: {_COMMAND}. Processes of the release before go on meanwhile."
        )
    raise StoreError(
        f"{database.place} has schema version {state.version}, which needs a release that knows "
        f"{state.least}; this one knows up to {state.known}. Upgrade this one."
    )


def pending(database: PostgresDatabase) -> Sequence[tuple[int, Sequence[str]]]:
    """Return the numbers of the steps that are missing, each with its statements."""
    done = state_of(database).version
    return [
        (number, _statements(database.plan, number))
        for number in range(done + 1, database.plan.version + 1)
    ]


def migrate(database: PostgresDatabase) -> Sequence[int]:
    """Run the missing steps, each whole or not at all; return their numbers.

    Several may do it at once: each step is run by one of them. Writers wait meanwhile. A schema that is
    newer than this release is left as it is.
    """
    ran = []
    for number in range(1, database.plan.version + 1):
        with database.writing() as db:
            if number == 1:
                _begin(db, database)
            if _state(db, database).version >= number:
                continue
            for statement in _statements(database.plan, number):
                db.execute(statement)
            db.execute(
                "UPDATE schema_version SET version = ?, least = ?, migrated_us = ?",
                (number, database.plan.least(number), to_us(now())),
            )
        ran.append(number)
    return ran


def drop(database: PostgresDatabase) -> None:
    """Remove a schema with everything in it."""
    with closing(database), database.writing() as db:
        db.execute(f"DROP SCHEMA IF EXISTS {quoted(database.schema)} CASCADE")


def schemas(database: PostgresDatabase, beginning: str) -> Sequence[str]:
    """Return the names of the database's schemas that begin so, in order."""
    with database.reading() as db:
        rows = db.execute(
            "SELECT nspname FROM pg_namespace "
            "WHERE substr(nspname, 1, length(?1)) = ?1 ORDER BY nspname",
            (beginning,),
        ).fetchall()
    return [name for (name,) in rows]


def _begin(db: Connection, database: PostgresDatabase) -> None:
    name = quoted(database.schema)
    if not db.execute("SELECT to_regnamespace(?) IS NOT NULL", (name,)).fetchone()[0]:
        db.execute(f"CREATE SCHEMA {name}")
    db.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (one INT PRIMARY KEY CHECK (one = 1), "
        "plan TEXT NOT NULL, version INT NOT NULL, least INT NOT NULL, migrated_us BIGINT NOT NULL)"
    )
    db.execute(
        "INSERT INTO schema_version VALUES (1, ?, 0, 0, ?) ON CONFLICT DO NOTHING",
        (database.plan.name, to_us(now())),
    )


def _state(db: Connection, database: PostgresDatabase) -> SchemaState:
    version, least = 0, 0
    if db.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()[0]:
        plan, version, least = db.execute(
            "SELECT plan, version, least FROM schema_version"
        ).fetchone() or (database.plan.name, 0, 0)
        if plan != database.plan.name:
            raise StoreError(
                f"{database.place} holds the {plan}, not a {database.plan.name}; "
                "give another name or another database."
            )
    return SchemaState(
        schema=database.schema, version=version, least=least, known=database.plan.version
    )


def _statements(plan: Plan, number: int) -> list[str]:
    return [table_to_postgres(statement) for statement in plan.statements(number, "postgres")]
