"""Writers that come at once share a transaction: what they wait for is its commit.

Many programs report little each, and a commit costs a disk's sync however little is in it. So the
first to come writes; whoever comes meanwhile waits, and the next of them writes for all.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from prunella.adapters.sql.connection import Connection, Database

T = TypeVar("T")


@dataclass(slots=True)
class _Waiting(Generic[T]):
    """One writer's part."""

    write: Callable[[Connection], T]
    #: What it answered, once it is committed; empty before.
    answer: tuple[T, ...] = ()
    error: BaseException | None = None


class Together:
    """Runs what threads want to write, several parts a transaction. A part may be run twice."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._writing = Lock()
        self._queue: list[_Waiting[object]] = []

    def run(self, write: Callable[[Connection], T]) -> T:
        """Return what `write` answers when that is committed; raises what it, or the commit, raises."""
        if self._pid != os.getpid():  # a forked child: the lock may be held by a thread not here
            self._begin_anew()
        mine: _Waiting[T] = _Waiting(write)
        self._queue.append(mine)  # type: ignore[arg-type] # each gets its own answer back
        with self._writing:
            if not mine.answer and mine.error is None:
                parts, self._queue = self._queue, []
                self._commit(parts)
        if mine.error is not None:
            raise mine.error
        return mine.answer[0]

    def _commit(self, parts: list[_Waiting[object]]) -> None:
        try:
            with self._database.writing() as db:
                answers = [part.write(db) for part in parts]
        except BaseException as error:  # noqa: BLE001 - it is each writer's own
            if len(parts) == 1:
                parts[0].error = error
                return
            for part in parts:  # one of them can't be written: the others can
                self._commit([part])
            return
        for part, answer in zip(parts, answers, strict=True):
            part.answer = (answer,)
