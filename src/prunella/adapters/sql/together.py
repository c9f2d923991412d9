"""Writers that come at once share a transaction: what they wait for is its commit.

Many programs report little each, and a commit costs a disk's sync however little is in it. So the
first to come writes; whoever comes meanwhile waits, and the next of them writes for all.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from prunella.adapters.sql.connection import Connection, Database

P = TypeVar("P")
T = TypeVar("T")

#: Where nothing at all could be written for so long, in seconds, it isn't the parts.
_PATIENCE_S = 10.0


@dataclass(slots=True)
class _Waiting(Generic[P, T]):
    """What one writer brings."""

    parts: Sequence[P]
    #: What was answered to each, once that is committed, or why it can't be; empty before.
    answers: Sequence[T | BaseException] = ()


class Together(Generic[P, T]):
    """Writes what threads bring, many parts in a transaction.

    `write` gets all of them at once and returns what it answers to each. It may be called anew with
    some of the same.
    """

    def __init__(
        self, database: Database, write: Callable[[Connection, Sequence[P]], Sequence[T]]
    ) -> None:
        self._database = database
        self._write = write
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._writing = Lock()
        self._queue: list[_Waiting[P, T]] = []

    def run(self, part: P) -> T:
        """Return what is answered to `part` when that is committed; raises why it can't be."""
        (answer,) = self.run_all([part])
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def run_all(self, parts: Sequence[P]) -> Sequence[T | BaseException]:
        """Return, when that is committed, what is answered to each part, or why it can't be kept."""
        if not parts:
            return ()
        if self._pid != os.getpid():  # a forked child: the lock may be held by a thread not here
            self._begin_anew()
        mine = _Waiting[P, T](parts)
        self._queue.append(mine)
        with self._writing:
            if not mine.answers:
                together, self._queue = self._queue, []
                self._write_all(together)
        return mine.answers

    def _write_all(self, together: list[_Waiting[P, T]]) -> None:
        answers = iter(self._answers([part for each in together for part in each.parts]))
        for each in together:
            each.answers = [next(answers) for _ in each.parts]

    def _answers(self, parts: list[P]) -> Sequence[T | BaseException]:
        try:
            return self._commit(parts)
        except BaseException as error:  # noqa: BLE001 - it is each writer's own
            if len(parts) == 1:
                return [error]
        # One of them can't be written: the others can.
        began, last = monotonic(), len(parts) - 1
        answers: list[T | BaseException] = []
        is_hopeless = True
        for number, part in enumerate(parts):
            try:
                answers += self._commit([part])
                is_hopeless = False
            except BaseException as error:  # noqa: BLE001 - as above
                answers.append(error)
                if is_hopeless and monotonic() - began > _PATIENCE_S:
                    return [*answers, *([error] * (last - number))]
        return answers

    def _commit(self, parts: Sequence[P]) -> Sequence[T]:
        with self._database.writing() as db:
            answers = self._write(db, parts)
        return answers
