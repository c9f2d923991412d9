"""One SQLite file: opened, checked, migrated, shared between threads, and its errors translated.

Transactions are explicit. A writer takes the write lock at once (``BEGIN IMMEDIATE``) and waits for
others up to the busy timeout; a reader sees one consistent snapshot and never blocks a writer (WAL).

A file that is older is brought up to date when it is opened. One that a newer release has brought
further is used as it is, as long as that release has left what this one needs (see `Plan`): several
programs with releases of their own may share it.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import RLock

from prunella.adapters.sql.connection import Fill
from prunella.adapters.sql.plan import Plan
from prunella.model.errors import StoreError

#: How long a transaction waits for another process's, in seconds.
BUSY_TIMEOUT_S = 10.0
#: The write-ahead log is cut back to this size after a checkpoint, in bytes.
_JOURNAL_LIMIT_BYTES = 4 * 1024 * 1024
#: A row is taken to have this many bytes when so many are removed as are in excess. Most are
#: smaller, so the excess is approached in steps and not overshot.
_ROW_BYTES = 256 * 1024
#: Pages given back to the file system in one transaction.
_VACUUM_PAGES = 500
#: How far the schema is once more, and how old a release may be that uses it.
_NOTES = (
    "CREATE TABLE IF NOT EXISTS schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), "
    "version INTEGER NOT NULL, least INTEGER NOT NULL) STRICT"
)
#: Connections that a forked child inherited: using or closing them would harm the parent's.
_inherited: list[sqlite3.Connection] = []


class SqliteDatabase:
    """A connection to a file with the schema of `plan`; any thread may use it, one at a time.

    Implements `prunella.adapters.sql.connection.Database`.
    """

    def __init__(self, path: Path, plan: Plan, *, create: bool) -> None:
        self.path = path
        self.plan = plan
        self._create = create
        self._lock = RLock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        with self._lock, translated(path):
            self._connected()

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def version(self) -> int:
        return self.plan.version

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose queries all see the same state."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that holds the write lock; commits, or rolls back on an exception."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def outside_transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a bare connection, for what SQLite doesn't do inside a transaction."""
        self._leave_parent_behind()
        with self._lock, translated(self.path):
            yield self._connected()

    def session(self) -> AbstractContextManager[None]:
        """Do nothing: all transactions are on one connection anyway."""
        return nullcontext()

    def fill(self) -> Fill:
        return Fill(used_bytes=self.taken_bytes(), row_bytes=_ROW_BYTES)

    def is_filling(self, limit_bytes: int, last_bytes: int) -> bool:
        """Compare what is used now; what was used after the last pruning doesn't matter."""
        return self.taken_bytes() > limit_bytes

    def taken_bytes(self) -> int:
        """Return the file's size once free pages are given back, which pruning does."""
        with self.reading() as db:
            pages = _pragma(db, "page_count") - _pragma(db, "freelist_count")
            return pages * _pragma(db, "page_size")

    def give_back(self) -> None:
        """Shrink the file by its free pages."""
        with self.outside_transaction() as db:
            free = _pragma(db, "freelist_count")
            while free:
                # As a script, because execute() stops after the first page; in steps, so that the
                # log stays short and writers get their turn.
                db.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
                before, free = free, _pragma(db, "freelist_count")
                if free >= before:  # somebody else removes rows at the same time
                    break
            # Moves the log into the file as far as readers allow; what they hold back goes next time.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        self._leave_parent_behind()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.outside_transaction() as connection:
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                # SQLite may have rolled back by itself (full disk).
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _leave_parent_behind(self) -> None:
        """In a forked child: forget connection and lock, which may be held by a thread not here."""
        if self._pid == os.getpid():
            return
        if self._connection is not None:
            _inherited.append(self._connection)
        self._connection, self._lock, self._pid = None, RLock(), os.getpid()

    def _connected(self) -> sqlite3.Connection:
        """Return the connection; opens it, also again where the file has been replaced."""
        if self._connection is not None:
            if _identity_of(self.path) == self._identity:
                return self._connection
            self._connection.close()
            self._connection = None
        connection = _open(self.path, self.plan, create=self._create)
        self._connection, self._identity = connection, _identity_of(self.path)
        return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into `StoreError`s that say what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"The store {path} {_advice(error)} (SQLite says: {error})") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"The store {path} is damaged or not a store (SQLite says: {error}). Move it away to "
            "start with an empty one; its records that are still in the spool will be read again."
        ) from error
    except OSError as error:
        raise StoreError(f"The store {path} can't be opened: {error}") from error


def _advice(error: sqlite3.OperationalError) -> str:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"was locked by another process for {BUSY_TIMEOUT_S:g} s; try again"
    if name.startswith("SQLITE_FULL"):
        return "can't grow: the disk is full; make room and try again"
    if name.startswith("SQLITE_READONLY"):
        return "can't be written; allow this user to write the file and its folder"
    if name.startswith("SQLITE_CANTOPEN"):
        return "can't be opened; check that the folder exists and this user may write there"
    return "can't answer; `prunella doctor` shows its state"


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _open(path: Path, plan: Plan, *, create: bool) -> sqlite3.Connection:
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Recorded values are for their owner's eyes, whatever the umask.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    elif not path.is_file():
        raise StoreError(
            f"Nothing has been recorded here yet: {path} does not exist. Decorate a function with "
            "@heal and run the program, or give the project's folder."
        )
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, path, plan)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, plan: Plan) -> None:
    # The order matters: auto_vacuum only takes effect before the first page is written.
    if _pragma(connection, "page_count") == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _refuse_others(connection, path, plan)
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT_BYTES}")
    if _pragma(connection, "user_version") < plan.version:
        _migrate(connection, path, plan)


def _refuse_others(connection: sqlite3.Connection, path: Path, plan: Plan) -> None:
    version = _pragma(connection, "user_version")
    application = _pragma(connection, "application_id")
    if application != plan.application_id and (version or _pragma(connection, "schema_version")):
        raise StoreError(
            f"{path} is a SQLite database of another program (application id {application:#x}); "
            "it was left as it is. Move it away, or record in another folder."
        )
    if version > plan.version and (least := _least(connection, version)) > plan.version:
        raise StoreError(
            f"{path} has schema version {version}, which a newer release of Prunella has made of it; "
            f"it needs one that knows {least}, and this one knows up to {plan.version}. Upgrade this "
            "one, or move the file away to start with an empty one."
        )


def _least(connection: sqlite3.Connection, version: int) -> int:
    """Return the oldest version that a release must know to use a file of a newer one.

    That is what the newer release has noted (`Plan.least`); where it hasn't, its own version.
    """
    if connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
    ).fetchone():
        row = connection.execute(
            "SELECT least FROM schema_version WHERE version = ?", (version,)
        ).fetchone()
        if row is not None:
            return int(row[0])
    return version


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; several processes at once on a new file make SQLite fail without waiting."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            busy = str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path, plan: Plan) -> None:
    """Run the missing steps, each in a transaction of its own; another process may be at it too."""
    for number in range(1, plan.version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            _refuse_others(connection, path, plan)
            if _pragma(connection, "user_version") < number:
                for statement in plan.statements(number, "sqlite"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {plan.application_id}")
                connection.execute(f"PRAGMA user_version = {number}")
                connection.execute(_NOTES)
                connection.execute(
                    "INSERT OR REPLACE INTO schema_version VALUES (1, ?, ?)",
                    (number, plan.least(number)),
                )
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return int(row[0])
