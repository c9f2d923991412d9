"""What is told of fixes at work: which calls met them, in which arm, and how these calls ended.

A unit of an experiment is told of at the moment at which the fix would act, in both arms alike
(triggered analysis), and once more when its call has ended.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Lock
from typing import Protocol

from prunella.fixes.document import Fix
from prunella.model.rollouts import Arm as Arm  # part of this module's own names


class Mode(StrEnum):
    """What an installed fix may do."""

    #: It acts on the calls that are allocated to it.
    ENFORCE = "enforce"
    #: It tells what it would have done, and changes nothing.
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How units are divided between the arms."""

    #: Makes the division of this rollout independent of all others.
    salt: str
    #: Share of the units that get the fix, from 0 to 1.
    ratio: float
    #: Counts the values of `ratio`; counts of different epochs are never pooled.
    epoch: int = 0
    #: A unit counts so long after it began, in seconds.
    wait_s: float = 60.0
    #: The p50, p90 and p99 of passing calls, in seconds; empty where latency isn't measured.
    slow_s: tuple[float, ...] = ()
    max_latency_ratio: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A fix in a process, and on which of its calls it acts."""

    fix: Fix
    mode: Mode = Mode.ENFORCE
    #: ``None`` for every call.
    allocation: Allocation | None = None


@dataclass(slots=True, kw_only=True)
class Exposure:
    """One call that met a fix. Not frozen, which would make each take twice as long to make."""

    fix_id: str
    #: The trace or the sticky value that was allocated.
    unit: str
    arm: Arm
    #: Those of its `Allocation`; without one, everybody gets the fix.
    salt: str = ""
    epoch: int = 0
    ratio: float = 1.0
    #: When the fix would act, in seconds of the interpreter's clock.
    started_s: float


class Meter(Protocol):
    """Decides the arm of a call that meets a fix, and takes in how it ended."""

    def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposure:
        """Return the exposure of a call on which the fix would act at this moment."""

    def ended(
        self, exposure: Exposure, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        """Take in how the exposed call ended: after how long, and at which cost if that is known."""

    def noted(self, fix_id: str, event: str, detail: str) -> None:
        """Take in what else happened to a fix.

        `event` is ``acted``, ``shadow`` (what it would have done), ``skipped`` (why it did
        nothing), ``fault``, ``disabled`` or ``added_s`` (`detail` is a number of seconds).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FixCounts:
    """What one fix did in this process."""

    #: Calls on which it would act, of both arms, and of the treatment arm.
    triggers: int = 0
    treated: int = 0
    #: Exposed calls that failed in the end, of both arms, and of the treatment arm.
    failures: int = 0
    treated_failures: int = 0
    #: Times that it acted, would have acted in shadow, or could do nothing.
    acted: int = 0
    shadow: int = 0
    skipped: int = 0
    #: Errors of its own.
    fault: int = 0
    disabled: int = 0
    #: Seconds that it has made calls longer: waits and further attempts.
    added_s: float = 0.0
    #: What it did, would have done or couldn't do, the latest of each event.
    latest: dict[str, str] = field(default_factory=dict)


def to_all(_installation: Installation, _unit: str) -> Arm:
    """Give every call its fix."""
    return Arm.TREATMENT


class CountingMeter:
    """Counts what fixes do in this process; `deal` decides the arms. Safe under threads.

    `report` hears of what an operator should see: ``(fix id, event)`` of faults and of fixes that
    were switched off.
    """

    def __init__(
        self,
        deal: Callable[[Installation, str], Arm] = to_all,
        report: Callable[[str, str], object] | None = None,
    ) -> None:
        self._deal = deal
        self._report = report
        self._lock = Lock()
        self._counts: dict[str, FixCounts] = {}

    def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposure:
        """As in `Meter`."""
        fix_id = installation.fix.fix_id
        arm = self._deal(installation, unit)
        self._add(fix_id, triggers=1, treated=arm is Arm.TREATMENT)
        allocation = installation.allocation or Allocation(salt="", ratio=1.0)
        return Exposure(
            fix_id=fix_id,
            unit=unit,
            arm=arm,
            salt=allocation.salt,
            epoch=allocation.epoch,
            ratio=allocation.ratio,
            started_s=now_s,
        )

    def ended(
        self, exposure: Exposure, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        """As in `Meter`."""
        treated = exposure.arm is Arm.TREATMENT
        self._add(exposure.fix_id, failures=failed, treated_failures=failed and treated)

    def noted(self, fix_id: str, event: str, detail: str) -> None:
        """As in `Meter`."""
        if event == "added_s":
            self._add(fix_id, added_s=float(detail))
            return
        with self._lock:
            counts = self._counts.get(fix_id) or FixCounts()
            counts.latest[event] = detail
            self._counts[fix_id] = replace(counts, **{event: getattr(counts, event) + 1})
        if self._report is not None and event in ("fault", "disabled"):
            self._report(fix_id, event)

    def counts(self, fix_id: str) -> FixCounts:
        """Return what `fix_id` did so far."""
        with self._lock:
            found = self._counts.get(fix_id) or FixCounts()
            return replace(found, latest=dict(found.latest))

    def _add(self, fix_id: str, **amounts: float) -> None:
        with self._lock:
            counts = self._counts.get(fix_id) or FixCounts()
            changes = {name: getattr(counts, name) + amount for name, amount in amounts.items()}
            self._counts[fix_id] = replace(counts, **changes)
