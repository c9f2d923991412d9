"""Connections to PostgreSQL servers, kept for the next transaction.

Few, by address and process, and without a thread of their own: they are also used inside programs that
fork, and an error says at once what the server said.
"""

import atexit
import os
import threading
import time
from contextlib import suppress

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from prunella.model.errors import StoreError

#: Connections of one process to one address, at most; who wants another waits.
MAX_CONNECTIONS = 16
#: So many wait for their next use; others are closed after it.
_MAX_IDLE = 4
#: How long a connection may take to come about, and one of `MAX_CONNECTIONS` to be free, in seconds.
CONNECT_TIMEOUT_S = 10
#: How long a server that is just starting gets, in seconds.
_STARTING_S = 10.0
_DEFAULTS = {
    "application_name": "prunella",
    "connect_timeout": CONNECT_TIMEOUT_S,
    # A server that went away without a word is noticed after so many milliseconds.
    "tcp_user_timeout": 30_000,
}
_STARTING = "57P03"

Link = psycopg.Connection[tuple[object, ...]]


class Connections:
    """The connections of this process to one address. Any thread may take one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Link] = []
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def take(self, *, fresh: bool = False) -> Link:
        """Return a connection that is this caller's until `give`; with `fresh`, a new one.

        Raises `psycopg.Error` where the server can't be reached or refuses.
        """
        if not self._room.acquire(timeout=CONNECT_TIMEOUT_S):
            raise StoreError(
                f"all {MAX_CONNECTIONS} connections of this process to the database were in use for "
                f"{CONNECT_TIMEOUT_S} s; try again"
            )
        try:
            with self._lock:
                if self._idle and not fresh:
                    return self._idle.pop()
            return _connect(self._url)
        except BaseException:
            self._room.release()
            raise

    def give(self, connection: Link) -> None:
        """Take a connection back, for the next caller if nothing is under way on it."""
        usable = (
            not connection.closed
            and connection.info.transaction_status is pq.TransactionStatus.IDLE
        )
        with self._lock:
            keep = usable and len(self._idle) < _MAX_IDLE
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()
        self._room.release()

    def close_idle(self) -> None:
        """Close the connections that nobody uses now."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            with suppress(psycopg.Error):
                connection.close()


_known: dict[tuple[int, str], Connections] = {}
_lock = threading.Lock()


def connections_to(url: str) -> Connections:
    """Return this process's connections to `url`; those that a forked child inherited stay unused."""
    key = (os.getpid(), url)
    found = _known.get(key)
    if found is None:
        with _lock:
            found = _known.setdefault(key, Connections(url))
    return found


def _forget_locks() -> None:
    """In a forked child: another thread of the parent may have held the lock."""
    global _lock  # noqa: PLW0603 - a lock can't be mended, only replaced
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_locks)


@atexit.register
def _close_all() -> None:
    for (pid, _), connections in list(_known.items()):
        if pid == os.getpid():
            connections.close_idle()


def _connect(url: str) -> Link:
    given = conninfo_to_dict(url)
    options = {name: value for name, value in _DEFAULTS.items() if name not in given}
    give_up_at = time.monotonic() + _STARTING_S
    while True:
        try:
            connection = psycopg.connect(url, autocommit=True, **options)  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            if not _is_starting(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)
        else:
            # Types that don't change with the value, so that one statement is prepared once.
            connection.adapters.register_dumper(int, Int8Dumper)
            connection.adapters.register_dumper(str, StrDumper)
            return connection


def _is_starting(error: psycopg.OperationalError) -> bool:
    # libpq hands the code of a refused connection to nobody; the words are the server's own.
    return error.sqlstate == _STARTING or "the database system is" in str(error)
