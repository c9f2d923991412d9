"""What is counted on the path of a call that a fix changes without the interpreter.

Single operations on integers, dicts and queues, without a lock: CPython up to 3.13 goes over to another
thread at calls and backward jumps alone, so that ``+= 1`` on an attribute is never in between.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from prunella.fixes import Arm, Installation

if TYPE_CHECKING:
    from prunella.sdk.metering import Book


class Unit:
    """An exposed call of a rollout; also what its ledger keeps until it counts.

    Made without parameters, which is twice as fast: `Book.deal` alone makes it.
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
        """Take in how the call ended, if that was in time."""
        # The call began no later than the fix fired: this is no later than its deadline.
        if latency_s < self.book.wait_s:
            self.failed = failed
            self.latency_s = latency_s
            self.cost = cost


class Counted(Protocol):
    """What adds up the calls that fixes changed by themselves."""

    at_once: int


@dataclass(slots=True)
class Account:
    """How the calls that meet one installation are dealt and counted at once."""

    #: It stands for no other.
    installation: Installation | None = None
    #: Deals a call that meets the fix at this time; ``None`` where everybody gets it.
    deal: Callable[[float], Unit] | None = None
    #: Where calls that got the fix are added up; ``None``: the interpreter has to deal.
    counted: Counted | None = None
    #: What the fix did last, under ``acted``.
    latest: dict[str, str] = field(default_factory=dict)
