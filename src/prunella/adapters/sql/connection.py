"""What the queries need of a database: a connection in a transaction, and who gives one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Values = Sequence[Any] | Mapping[str, Any]
"""What stands for ``?`` and ``?1``, or for ``:name``."""


class Cursor(Protocol):
    """The answer to one statement; its rows are tuples."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""
        ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection with a transaction under way."""

    def execute(self, sql: str, values: Values = (), /) -> Cursor: ...

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> object:
        """Run one statement that answers nothing for each row of values."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How much of its room a store takes."""

    #: Bytes that hold data; what was given free doesn't count.
    used_bytes: int
    #: Bytes that a row is taken to have when so many rows are removed as are in excess.
    row_bytes: int


class Database(Protocol):
    """Where transactions come from. Raises `StoreError`; safe to share between threads."""

    @property
    def place(self) -> str:
        """What people know it by, without a password."""
        ...

    @property
    def version(self) -> int:
        """The version of the schema that this release knows."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection whose queries all see the same state; it waits for nobody."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection that holds the store's write lock; commits, or rolls back on an error."""
        ...

    def session(self) -> AbstractContextManager[None]:
        """Let this thread's transactions share temporary tables while the block lasts."""
        ...

    def fill(self) -> Fill: ...

    def is_filling(self, limit_bytes: int, last_bytes: int) -> bool:
        """Say cheaply whether more than `limit_bytes` may be used.

        `last_bytes` is what `taken_bytes` answered after the last pruning, 0 before the first.
        """
        ...

    def taken_bytes(self) -> int:
        """Return the bytes taken of the disk, free room inside included."""
        ...

    def give_back(self) -> None:
        """Make room that was freed usable again."""
        ...

    def close(self) -> None: ...
