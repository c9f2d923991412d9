"""What is told of fixes at work: which calls met them, in which arm, and how these calls ended.

A unit of an experiment is told of at the moment at which the fix would act, in both arms alike
(triggered analysis), and once more when its call has ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Protocol

from prunella.fixes.document import Fix
from prunella.model.records import FixCounts as FixCounts  # part of this module's own names
from prunella.model.rollouts import Arm as Arm  # as FixCounts

#: Counts of a fix, each of an event that `Meter.noted` names or of exposures.
_NUMBERS = (
    "triggers",
    "treated",
    "failures",
    "treated_failures",
    "acted",
    "healed",
    "shadow",
    "skipped",
    "fault",
    "disabled",
)
#: Of these, those that count a call which got its fix without the interpreter.
_AT_ONCE = ("triggers", "treated", "acted")
#: Looking a member up in its enumeration is slow on Python 3.11.
_TREATMENT = Arm.TREATMENT
_REPORTED = frozenset({"fault", "disabled", "shadow"})
#: Different things told apart that one fix would have done in shadow; the rest is counted together.
MAX_WOULD = 10
OTHERS = "something else"
#: Characters that are kept of what is told.
MAX_DETAIL = 200


class Mode(StrEnum):
    """What an installed fix may do."""

    #: It acts on the calls that are allocated to it.
    ENFORCE = "enforce"
    #: It tells what it would have done, and changes nothing.
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Which units take part in a rollout where several fixes of one incident compete.

    All of them deal by one hash: from 0 to 1, each has a span of its own and they share one control.
    Units of other fixes' spans are in neither arm.
    """

    #: What all of them deal by.
    salt: str
    #: The span of the units that get the fix, its end left out.
    begins: float
    ends: float
    #: From here on, units are control.
    control_from: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How units are divided between the arms."""

    #: The rollout: makes its division independent of all others.
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
    #: Calls of one sticky value are one unit, followed for so long from the first of them, in seconds.
    window_s: float = 60.0
    #: ``None`` where the fix has no rival; `ratio` is its share of the units of both arms.
    lot: Lot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A fix in a process, and on which of its calls it acts."""

    fix: Fix
    mode: Mode = Mode.ENFORCE
    #: ``None`` for every call.
    allocation: Allocation | None = None


@dataclass(slots=True)
class Exposure:
    """One call that met a fix. Neither frozen nor made by keywords: each would double its price."""

    fix_id: str
    #: The trace or the sticky value that was allocated.
    unit: str
    arm: Arm
    #: When the fix would act, in seconds of the interpreter's clock.
    started_s: float
    #: Those of its `Allocation`; without one, everybody gets the fix.
    salt: str = ""
    epoch: int = 0
    ratio: float = 1.0


class Exposed(Protocol):
    """A call that met a fix, as a meter hands it out and takes it back; `Exposure` is one."""

    @property
    def fix_id(self) -> str:
        """The fix that it met."""

    @property
    def arm(self) -> Arm:
        """Whether it gets the fix."""


class Meter(Protocol):
    """Decides the arm of a call that meets a fix, and takes in how it ended."""

    def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposed | None:
        """Return the exposure of a call on which the fix would act at this moment.

        ``None`` where its unit is in neither arm, since it belongs to another fix of the incident.
        """

    def ended(
        self, exposure: Exposed, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        """Take in how the exposed call ended: after how long, and at which cost if that is known."""

    def noted(self, fix_id: str, event: str, detail: str) -> None:
        """Take in what else happened to a fix.

        `event` is ``acted``, ``healed`` (the caller doesn't see the error), ``shadow`` (what it
        would have done), ``skipped`` (why it did nothing), ``fault``, ``disabled`` or ``added_s``
        (`detail` is a number of seconds).
        """


def to_all(_installation: Installation, _unit: str) -> Arm:
    """Give every call its fix."""
    return Arm.TREATMENT


class Tally:
    """The `FixCounts` of one fix while they grow."""

    __slots__ = (*_NUMBERS, "added_s", "at_once", "latest", "latest_act", "would")

    def __init__(self) -> None:
        self.triggers = self.treated = self.failures = self.treated_failures = 0
        self.acted = self.healed = self.shadow = self.skipped = self.fault = self.disabled = 0
        self.added_s = 0.0
        #: Calls that got their fix without the interpreter: triggers, and acted on.
        self.at_once = 0
        self.would: dict[str, int] = {}
        #: What was told last of each event; the latest act by itself, which calls tell themselves.
        self.latest: dict[str, str] = {}
        self.latest_act = ""

    def note(self, event: str, detail: str) -> None:
        if event == "added_s":
            self.added_s += float(detail)
            return
        setattr(self, event, getattr(self, event) + 1)
        detail = detail[:MAX_DETAIL]
        if event == "shadow":
            known = detail in self.would or len(self.would) < MAX_WOULD
            what = detail if known else OTHERS
            self.would[what] = self.would.get(what, 0) + 1
        if event == "acted":
            self.latest_act = detail
        else:
            self.latest[event] = detail


class CountingMeter:
    """Counts what fixes do in this process; `deal` decides the arms. Safe under threads.

    `report` hears of what an operator should see at once: ``(fix id, event, detail)`` of faults, of
    fixes that were switched off, and of what those in shadow would have done.
    """

    def __init__(
        self,
        deal: Callable[[Installation, str], Arm] = to_all,
        report: Callable[[str, str, str], object] | None = None,
    ) -> None:
        self._deal = deal
        self._report = report
        self._lock = Lock()
        self._tallies: dict[str, Tally] = {}

    def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposed | None:
        """As in `Meter`."""
        fix_id = installation.fix.fix_id
        allocation = installation.allocation
        arm = _TREATMENT if allocation is None else self._deal(installation, unit)
        tally = self._tallies.get(fix_id)
        with self._lock:
            if tally is None:
                tally = self.tally(fix_id)
            tally.triggers += 1
            if arm is _TREATMENT:
                tally.treated += 1
        if allocation is None:
            return Exposure(fix_id, unit, arm, now_s)
        return Exposure(
            fix_id, unit, arm, now_s, allocation.salt, allocation.epoch, allocation.ratio
        )

    def ended(
        self, exposure: Exposed, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        """As in `Meter`."""
        if failed:
            with self._lock:
                tally = self.tally(exposure.fix_id)
                tally.failures += 1
                tally.treated_failures += exposure.arm is _TREATMENT

    def noted(self, fix_id: str, event: str, detail: str) -> None:
        """As in `Meter`."""
        with self._lock:
            self.tally(fix_id).note(event, detail)
        if self._report is not None and event in _REPORTED:
            self._report(fix_id, event, detail)

    def counts(self, fix_id: str) -> FixCounts:
        """Return what `fix_id` did so far."""
        with self._lock:
            found = self._tallies.get(fix_id)
            if found is None:
                return FixCounts()
            numbers = {name: getattr(found, name) for name in _NUMBERS}
            for name in _AT_ONCE:
                numbers[name] += found.at_once
            latest = dict(found.latest)
            if found.latest_act:
                latest["acted"] = found.latest_act[:MAX_DETAIL]
            return FixCounts(
                **numbers, added_s=found.added_s, would=dict(found.would), latest=latest
            )

    def tally(self, fix_id: str) -> Tally:
        """Return where a fix is counted, the same each time."""
        found = self._tallies.get(fix_id)
        if found is None:
            found = self._tallies.setdefault(fix_id, Tally())
        return found
