"""What sqlite3 and SQLAlchemy raise."""

import sqlite3
import tempfile
from pathlib import Path

import sqlalchemy
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.pool import QueuePool, StaticPool

from taxonomy_corpus.cases import Case, cases

CASES: list[Case] = []

_SCHEMA = """
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, age INTEGER CHECK (age >= 0));
CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owner (id));
INSERT INTO owner VALUES (1, 'ada', 36), (2, 'bob', 20);
"""


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owner"

    id = mapped_column(Integer, primary_key=True)
    name = mapped_column(String, nullable=False, unique=True)
    age = mapped_column(Integer)


def in_sqlite(use):
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(_SCHEMA)
        connection.execute("PRAGMA foreign_keys = ON")
        return use(connection)
    finally:
        connection.close()


def by_sqlite(statement, *values):
    return in_sqlite(lambda connection: connection.execute(statement, values))


def engine():
    made = create_engine("sqlite://", poolclass=StaticPool)

    @event.listens_for(made, "connect")
    def prepare(connection, _record):
        connection.executescript(_SCHEMA)
        connection.execute("PRAGMA foreign_keys = ON")

    return made


def by_core(statement, **values):
    made = engine()
    try:
        with made.begin() as connection:
            return connection.execute(text(statement), values)
    finally:
        made.dispose()


def by_orm(use):
    made = engine()
    try:
        with Session(made) as session:
            return use(session)
    finally:
        made.dispose()


def locked(use):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.sqlite")
        first = sqlite3.connect(path, isolation_level=None)
        try:
            first.executescript(_SCHEMA)
            first.execute("BEGIN IMMEDIATE")
            return use(path)
        finally:
            first.close()


def write_while_locked(path):
    second = sqlite3.connect(path, timeout=0)
    try:
        return second.execute("DELETE FROM pet")
    finally:
        second.close()


def write_while_locked_by_core(path):
    made = create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
    try:
        with made.begin() as connection:
            connection.execute(text("DELETE FROM pet"))
    finally:
        made.dispose()


def read_only():
    connection = sqlite3.connect("file::memory:?mode=memory", uri=True)
    try:
        connection.execute("CREATE TABLE a (b)")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("INSERT INTO a VALUES (1)")
    finally:
        connection.close()


def no_database():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.sqlite")
        path.write_bytes(b"this is no database, whatever its name says" * 100)
        connection = sqlite3.connect(path)
        try:
            connection.execute("SELECT * FROM a")
        finally:
            connection.close()


def use_closed():
    connection = sqlite3.connect(":memory:")
    connection.close()
    connection.execute("SELECT 1")


def empty_pool():
    made = create_engine(
        "sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    try:
        with made.connect(), made.connect():
            pass
    finally:
        made.dispose()


def go_on_after_an_error(session):
    session.add(Owner(id=1, name="twice"))
    try:
        session.flush()
    except sqlalchemy.exc.IntegrityError:
        session.execute(text("SELECT 1"))


def no_such_pool_member():
    made = create_engine("sqlite:////no/such/folder/a.sqlite")
    made.connect()


def reflect():
    made = engine()
    try:
        Table("ghost", MetaData(), autoload_with=made)
    finally:
        made.dispose()


def column_without_table():
    metadata = MetaData()
    Table("pet", metadata, Column("owner", Integer, ForeignKey("nobody.id")))
    metadata.create_all(create_engine("sqlite://"))


def changed_meanwhile(session):
    owner = session.get(Owner, 1)
    session.execute(text("DELETE FROM owner"))
    owner.name = "eve"
    session.flush()


cases(
    CASES, "DB.INTEGRITY.UNIQUE",
    sqlite_unique=lambda: by_sqlite("INSERT INTO owner VALUES (3, 'ada', 1)"),
    core_unique=lambda: by_core("INSERT INTO owner VALUES (3, 'ada', 1)"),
    orm_unique=lambda: by_orm(lambda session: (session.add(Owner(id=1, name="x")), session.flush())),
)  # fmt: skip
cases(
    CASES, "DB.INTEGRITY.FOREIGN_KEY",
    sqlite_key=lambda: by_sqlite("INSERT INTO pet VALUES (1, 99)"),
    core_key=lambda: by_core("INSERT INTO pet VALUES (1, 99)"),
)  # fmt: skip
cases(
    CASES, "DB.INTEGRITY.NOT_NULL",
    sqlite_null=lambda: by_sqlite("INSERT INTO owner VALUES (3, NULL, 1)"),
    orm_null=lambda: by_orm(lambda session: (session.add(Owner(id=9)), session.flush())),
)  # fmt: skip
cases(
    CASES, "DB.INTEGRITY.CHECK",
    sqlite_check=lambda: by_sqlite("INSERT INTO owner VALUES (3, 'c', -1)"),
    core_check=lambda: by_core("INSERT INTO owner VALUES (3, 'c', -1)"),
)  # fmt: skip
cases(
    CASES, "DB.SCHEMA.MISSING",
    sqlite_table=lambda: by_sqlite("SELECT * FROM ghost"),
    sqlite_column=lambda: by_sqlite("SELECT ghost FROM owner"),
    sqlite_insert_column=lambda: by_sqlite("INSERT INTO owner (ghost) VALUES (1)"),
    core_table=lambda: by_core("SELECT * FROM ghost"), reflected=reflect,
    no_referenced_table=column_without_table,
)  # fmt: skip
cases(
    CASES, "DB.SCHEMA.EXISTS",
    sqlite_exists=lambda: by_sqlite("CREATE TABLE owner (a)"),
    core_exists=lambda: by_core("CREATE TABLE owner (a)"),
)  # fmt: skip
cases(
    CASES, "DB.QUERY.SYNTAX",
    sqlite_syntax=lambda: by_sqlite("CHOOSE 1"), core_syntax=lambda: by_core("SELECT FROM WHERE"),
    sqlite_unfinished=lambda: by_sqlite("SELECT ("),
)  # fmt: skip
cases(
    CASES, "DB.QUERY.INVALID",
    sqlite_bindings=lambda: by_sqlite("SELECT ?"), core_binding=lambda: by_core("SELECT :a"),
    core_no_statement=lambda: by_orm(lambda session: session.execute(3)),
    orm_argument=lambda: create_engine("ghost"), select_argument=lambda: select(3, "a").where("b"),
)  # fmt: skip
cases(
    CASES, "DB.DATA.INVALID",
    sqlite_mismatch=lambda: by_sqlite("INSERT INTO pet VALUES ('one', 1)"),
)  # fmt: skip
cases(
    CASES, "DB.TRANSACTION.LOCKED",
    sqlite_locked=lambda: locked(write_while_locked), core_locked=lambda: locked(write_while_locked_by_core),
)  # fmt: skip
cases(
    CASES, "DB.TRANSACTION.STATE",
    sqlite_nested=lambda: in_sqlite(lambda one: [one.execute("BEGIN"), one.execute("BEGIN")]),
    sqlite_commit=lambda: by_sqlite("COMMIT"),
    orm_pending=lambda: by_orm(go_on_after_an_error),
)  # fmt: skip
cases(CASES, "DB.TRANSACTION.CONFLICT", orm_stale=lambda: by_orm(changed_meanwhile))
cases(CASES, "DB.SERVER.READ_ONLY", sqlite_read_only=read_only)
cases(CASES, "DB.SERVER.ERROR", sqlite_no_database=no_database)
cases(
    CASES, "DB.CONNECTION.FAILED",
    sqlite_folder=lambda: sqlite3.connect("/no/such/folder/a.sqlite"), core_folder=no_such_pool_member,
)  # fmt: skip
cases(CASES, "DB.CONNECTION.LOST", sqlite_closed=use_closed)
cases(CASES, "DB.CONNECTION.LIMIT", core_pool=empty_pool)
cases(
    CASES, "DB.RESULT.NONE",
    core_one=lambda: by_orm(lambda session: session.execute(text("SELECT 1 WHERE 0")).one()),
    orm_one=lambda: by_orm(lambda session: session.get_one(Owner, 99)),
)  # fmt: skip
cases(
    CASES, "DB.RESULT.SEVERAL",
    orm_several=lambda: by_orm(lambda session: session.scalars(select(Owner)).one()),
)  # fmt: skip
