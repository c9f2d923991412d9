"""A schema of a PostgreSQL database: transactions in it, with errors that say what to do.

The store's promises (of two that want the same thing exactly one gets it; records and offset are kept
together or not at all) rest on one rule, the same as in SQLite: **one writer at a time**. A transaction
that writes first takes an advisory lock, which belongs to the schema and ends with the transaction, so
that what it reads is what is there when it writes. Nothing deadlocks and nothing has to be tried again,
which neither row locks taken in many orders nor serializable transactions give. The price is that the
writers of one project wait for each other; they hold the lock for one batch only, because its rows are
made before. Projects don't wait for one another. Who dies in a transaction loses the lock with the
connection; who stands still in one is cut off after `IDLE_TIMEOUT_S`.

Readers see one consistent snapshot (repeatable read) and wait for nobody.

Each transaction names its schema first (``SET LOCAL search_path``) and no query names one: what is
bound to one schema doesn't reach another's rows, also on a connection that served another before.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from prunella.adapters.postgres_connections import Connections, Link, connections_to
from prunella.adapters.sql.connection import Connection, Cursor, Fill, Values
from prunella.adapters.sql.dialect import quoted, to_postgres, to_postgres_rows
from prunella.adapters.sql.plan import Plan
from prunella.model.errors import StoreError
from prunella.model.places import scrubbed, without_password

#: How long a transaction waits for another writer's, in seconds.
LOCK_TIMEOUT_S = 10
#: Who does nothing in a transaction for so long loses it, in seconds.
IDLE_TIMEOUT_S = 60
#: What a row takes beside its body, in bytes: its other columns, its header, its places in indexes.
_ROW_OVERHEAD_BYTES = 400
#: Pruning by size looks again when the tables have grown by this factor since the last time. What
#: pruning freed is filled up again first, and shows in no size.
_GROWTH_RATIO = 1.05

_ADVICE = {
    "55P03": f"was locked by another process for {LOCK_TIMEOUT_S} s; try again",
    "53100": "can't grow: the server's disk is full; make room and try again",
    "25006": "can't be written: the server is a read-only copy; give the address of the primary",
    "42501": "may not be used so by this user; grant it the schema, or CREATE on the database",
    "42P01": "lacks a table; `prunella database status` shows its schema",
    "25P03": f"ended a transaction that stood still for {IDLE_TIMEOUT_S} s; try again",
}


class PostgresDatabase:
    """One schema of the database at `url`, made by `plan`; implements `sql.connection.Database`.

    `url` begins with ``postgresql://``. Any thread may use it, each with a connection of its own.
    Making it connects to nothing; `postgres_schema.require` says whether it can be used.
    """

    def __init__(self, url: str, schema: str, plan: Plan) -> None:
        self.url = url
        self.schema = schema
        self.plan = plan
        self._pinned = threading.local()

    @property
    def place(self) -> str:
        return f"{without_password(self.url)}, schema {self.schema}"

    @property
    def version(self) -> int:
        return self.plan.version

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        # Read committed: what is read first after waiting for the lock is what the one before left.
        lock = f"SELECT pg_advisory_xact_lock({lock_key(self.schema)})"
        with self._transaction("BEGIN ISOLATION LEVEL READ COMMITTED", lock) as connection:
            yield connection

    @contextmanager
    def session(self) -> Iterator[None]:
        """Keep one connection for this thread's transactions, and drop its temporary tables after."""
        with self._translated(), self._connection() as connection:
            self._pinned.connection = connection
            try:
                yield
            finally:
                self._pinned.connection = None
                with suppress(psycopg.Error):
                    connection.execute("DISCARD TEMP", prepare=False)

    def fill(self) -> Fill:
        """Add up what rows hold, which takes a look at each: tables don't shrink when rows go."""
        with self.reading() as db:
            tables = db.execute(
                "SELECT relname, EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid "
                "AND attname = 'body') FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?)",
                (self.schema,),
            ).fetchall()
            rows = used_bytes = 0
            for table, has_body in tables:
                body = "coalesce(sum(octet_length(body)), 0)" if has_body else "0"
                number, held = db.execute(
                    f"SELECT count(*), {body} FROM {quoted(table)}"  # noqa: S608 - from the catalogue
                ).fetchone()
                rows += number
                used_bytes += int(held) + number * _ROW_OVERHEAD_BYTES
        return Fill(used_bytes=used_bytes, row_bytes=max(used_bytes // max(rows, 1), 1))

    def is_filling(self, limit_bytes: int, last_bytes: int) -> bool:
        taken_bytes = self.taken_bytes()
        return taken_bytes > limit_bytes and taken_bytes > last_bytes * _GROWTH_RATIO

    def taken_bytes(self) -> int:
        with self.reading() as db:
            (taken,) = db.execute(
                "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
                "WHERE relkind = 'r' "
                "AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?)",
                (self.schema,),
            ).fetchone()
        return int(taken)

    def give_back(self) -> None:
        """Let new rows take the place of those that are gone; autovacuum would do it some time."""
        with self.reading() as db:
            tables = db.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = ? AND tableowner = current_user",
                (self.schema,),
            ).fetchall()
        if not tables:  # naming none would mean all of the database
            return
        names = ", ".join(f"{quoted(self.schema)}.{quoted(table)}" for (table,) in tables)
        with self._translated(), self._connection() as connection:
            connection.execute(f"VACUUM (SKIP_LOCKED, ANALYZE) {names}", prepare=False)

    def close(self) -> None:
        """Close the connections to this address that nobody uses now; the next use opens others."""
        connections_to(self.url).close_idle()

    @contextmanager
    def _transaction(self, *begin: str) -> Iterator[Connection]:
        statements = (
            begin[0],
            f"SET LOCAL search_path TO {quoted(self.schema)}",
            f"SET LOCAL lock_timeout TO '{LOCK_TIMEOUT_S}s'",
            f"SET LOCAL idle_in_transaction_session_timeout TO '{IDLE_TIMEOUT_S}s'",
            *begin[1:],
        )
        with self._translated(), self._connection("; ".join(statements)) as connection:
            try:
                yield _Transaction(connection)
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK", prepare=False)
                raise
            if connection.execute("COMMIT", prepare=False).statusmessage != "COMMIT":
                raise StoreError(f"The store {self.place} took a transaction back; try again")

    @contextmanager
    def _connection(self, begin: str = "") -> Iterator[Link]:
        """Give a connection on which `begin` was run."""
        pinned: Link | None = getattr(self._pinned, "connection", None)
        if pinned is not None:
            _run(pinned, begin)
            yield pinned
            return
        connections = connections_to(self.url)
        connection = _begun(connections, begin)
        try:
            yield connection
        finally:
            connections.give(connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what psycopg raises into `StoreError`s that say what to do, without the password."""
        try:
            yield
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error).strip().partition("\n")[0]
            advice = _ADVICE.get(error.sqlstate or "", _default_advice(error))
            raise StoreError(
                f"The store {self.place} {advice} (PostgreSQL says: {scrubbed(said, self.url)})"
            ) from error


class _Transaction:
    """A connection with a transaction under way; takes statements as SQLite reads them."""

    def __init__(self, connection: Link) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Values = (), /) -> Cursor:
        query, named = to_postgres(sql, values)
        return self._connection.execute(query, named)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None:
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(to_postgres_rows(sql), rows)


def lock_key(schema: str) -> int:
    """Return the number of the advisory lock of a schema's one writer."""
    digest = hashlib.blake2b(f"prunella {schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _begun(connections: Connections, begin: str) -> Link:
    """Return a connection on which `begin` was run; one that went stale is replaced once."""
    connection = connections.take()
    try:
        _run(connection, begin)
    except psycopg.OperationalError:
        is_stale = connection.closed
        _end(connection)
        connections.give(connection)
        if not is_stale:
            raise
    except BaseException:
        _end(connection)
        connections.give(connection)
        raise
    else:
        return connection
    # The server was restarted, or something between cut what was idle: the others went with it.
    connections.close_idle()
    connection = connections.take(fresh=True)
    try:
        _run(connection, begin)
    except BaseException:
        _end(connection)
        connections.give(connection)
        raise
    return connection


def _run(connection: Link, begin: str) -> None:
    if begin:
        # Several statements go together only where nothing is prepared.
        connection.execute(begin, prepare=False)


def _end(connection: Link) -> None:
    with suppress(psycopg.Error):
        connection.rollback()


def _default_advice(error: psycopg.Error) -> str:
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return "can't be opened; check address and user, that the server runs, and that the database is there"
    return "can't answer; `prunella doctor` shows its state"
