"""What is counted on the path of a call that a fix changes without the interpreter.

Single operations on integers, dicts and queues, without a lock: CPython up to 3.13 goes over to another
thread at calls and backward jumps alone, so that ``+= 1`` on an attribute is never in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from prunella.experiment.maturity import Ledger
from prunella.fixes import Arm, Installed
from prunella.fixes.breaker import Breaker
from prunella.fixes.meter import Tally

if TYPE_CHECKING:
    from prunella.sdk.metering import Book

#: On Python 3.11 looking a member up in its enumeration takes as long as hashing a unit.
_CONTROL, _TREATMENT = Arm.CONTROL, Arm.TREATMENT


class Unit:
    """An exposed call of a rollout; also what its ledger keeps until it counts.

    Made without parameters, which is twice as fast: `dealing` alone makes them.
    """

    __slots__ = ("arm", "book", "cost", "failed", "latency_s", "started_s")

    arm: Arm
    book: "Book"
    #: When the fix would act, in seconds of the interpreter's clock.
    started_s: float
    #: Until it ends before its deadline, it has failed, and is slower than all.
    failed: bool
    latency_s: float
    cost: float | None

    @property
    def fix_id(self) -> str:
        """The fix that it met."""
        return self.book.fix_id

    @property
    def deadline_s(self) -> float:
        """When it counts."""
        return self.started_s + self.book.wait_s

    def end(self, failed: bool, latency_s: float, cost: float | None) -> None:
        """Take in how the call ended, unless that came too late."""
        # The call began no later than the fix fired: this is no later than its deadline.
        if latency_s < self.book.wait_s:
            self.failed = failed
            self.latency_s = latency_s
            self.cost = cost


class Deal(Protocol):
    """Counts a call that meets a fix of a rollout at this moment; returns it with its arm."""

    def __call__(self, now_s: float, arm: Arm | None = None, /) -> Unit:
        """Deal by chance where the arm isn't given."""


def dealing(book: "Book", random: Callable[[], float]) -> Deal:
    """Return what deals and counts the calls of a book; `random` gives numbers from 0 to below 1.

    A function of its own for each book, with all that it needs in its cells: calls pay for it.
    """
    ratio = book.ratio
    note = book.ledger.note if isinstance(book.ledger, Ledger) else _left_to_follow

    def deal(now_s: float, arm: Arm | None = None) -> Unit:
        unit = Unit()
        unit.book = book
        unit.arm = arm or (_TREATMENT if random() < ratio else _CONTROL)
        unit.started_s = now_s
        unit.failed = True
        unit.latency_s = inf
        unit.cost = None
        note(unit)
        return unit

    return deal


def _left_to_follow(_unit: Unit) -> None:
    """Leave a call to `Book.follow`, which knows the unit that it belongs to."""


class Counted(Protocol):
    """What adds up the calls that fixes changed by themselves."""

    at_once: int


@dataclass(slots=True)
class Account:
    """How the calls that one fix changes before they are made are dealt and counted at once."""

    #: It stands for no other, as long as its installation is the same.
    installed: Installed
    breaker: Breaker
    #: Deals a call that meets the fix at this time; ``None`` where everybody gets it.
    deal: Deal | None
    #: Where calls that got the fix are added up.
    counted: Counted
    #: Where is told what the fix did last.
    tally: Tally
