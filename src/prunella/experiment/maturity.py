"""When an exposure counts: a fixed time after it started, whatever became of it meanwhile.

Counted as they end, slow failures come later than quick successes; a fix that makes failures slow
(a retry does) looks good for as long as there is traffic. Nor does it do to wait for slow units in
the order of starting: each process would stop counting just before a failure, and the errors of
many processes add up. So every unit counts at its deadline, with the outcome it had until then:
which units are counted says nothing about how they fared.
"""

from collections import deque
from math import inf
from typing import Protocol

from prunella.experiment.assignment import Arm
from prunella.experiment.counts import Counts, Thrice


class Matures(Protocol):
    """What a ledger keeps of a unit until it counts; `Exposure` is one."""

    arm: Arm
    deadline_s: float
    failed: bool
    latency_s: float


class Exposure:
    """A unit that met its arm; `end` it when its fate is known."""

    __slots__ = ("arm", "deadline_s", "failed", "latency_s")

    def __init__(self, arm: Arm, deadline_s: float) -> None:
        self.arm = arm
        #: When it counts, on the clock of `Ledger.settle`.
        self.deadline_s = deadline_s
        #: Until it ends well before its deadline, it has failed.
        self.failed = True
        #: Until it ends before its deadline, it is slower than all.
        self.latency_s = inf

    def end(self, failed: bool, now_s: float, latency_s: float = inf) -> None:
        """Note how the unit ended; after its deadline it failed, however it ended."""
        if now_s >= self.deadline_s:
            return
        self.failed = failed
        self.latency_s = latency_s


class Ledger:
    """The exposures of one rollout and epoch in one process, and the counts of the mature ones.

    Counts outcomes and, with thresholds, latencies; costs have counts of their own. `begin` and
    ending an exposure are single operations on a deque and attributes, which threads may do at
    once; `settle` is for one thread at a time.
    """

    __slots__ = ("_counts", "_slow_s", "_very_slow_s", "_wait_s", "_waiting", "note")

    def __init__(
        self, *, wait_s: float, slow_s: tuple[float, ...] = (), max_latency_ratio: float = 2.0
    ) -> None:
        #: How long a unit may take: from its start to its deadline, the same for both arms.
        self._wait_s = wait_s
        #: The baseline's p50, p90 and p99; empty: latency isn't counted.
        self._slow_s = slow_s
        self._very_slow_s = tuple(max_latency_ratio * each for each in slow_s)
        self._waiting: deque[Matures] = deque()
        #: Note a unit that was begun elsewhere, in the order of deadlines; a single operation.
        self.note = self._waiting.append
        self._counts = {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}

    def begin(self, arm: Arm, now_s: float) -> Exposure:
        """Note that a unit meets `arm` now; whoever runs it ends the exposure."""
        exposure = Exposure(arm, now_s + self._wait_s)
        self._waiting.append(exposure)
        return exposure

    def settle(self, now_s: float) -> dict[Arm, Counts]:
        """Count what has become mature by `now_s`; return the cumulative counts of both arms."""
        seen: dict[Arm, list[Matures]] = {arm: [] for arm in Arm}
        while self._waiting and self._waiting[0].deadline_s <= now_s:
            exposure = self._waiting.popleft()
            seen[exposure.arm].append(exposure)
        for arm, exposures in seen.items():
            if exposures:
                self._counts[arm] += self._summed(exposures)
        return dict(self._counts)

    def _summed(self, exposures: list[Matures]) -> Counts:
        n = len(exposures)
        failures = sum(each.failed for each in exposures)
        if not self._slow_s:
            return Counts(n, failures)
        return Counts(
            n,
            failures,
            timed=n,
            slow=_exceeding(exposures, self._slow_s),
            very_slow=_exceeding(exposures, self._very_slow_s),
        )

    def counts(self) -> dict[Arm, Counts]:
        """Return the cumulative counts of both arms as they were settled last."""
        return dict(self._counts)

    def pending(self) -> list[Matures]:
        """Return the exposures that aren't mature."""
        return list(self._waiting.copy())

    def __len__(self) -> int:
        """Return how many exposures aren't mature."""
        return len(self._waiting)


def _exceeding(exposures: list[Matures], thresholds_s: tuple[float, ...]) -> Thrice:
    p50, p90, p99 = (
        sum(each.latency_s > threshold for each in exposures) for threshold in thresholds_s
    )
    return (p50, p90, p99)


class StickyLedger:
    """Counts sticky units (users, conversations) once each: failed is "any failure in its window".

    Requests of one unit resemble each other; counted one by one they'd pass for independent. A unit
    is followed for `window_s` seconds from its first request in this process, then counts, and
    never again. Counts outcomes only; for one thread at a time.
    """

    __slots__ = ("_counts", "_failed", "_followed", "_known", "_most", "_window_s")

    def __init__(self, *, window_s: float, most: int = 100_000) -> None:
        self._window_s = window_s
        #: Units are remembered so that they count once; further ones aren't counted at all.
        self._most = most
        self._known: set[str] = set()
        self._failed: set[str] = set()
        self._followed: deque[tuple[float, Arm, str]] = deque()
        self._counts = {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}

    def begin(self, unit: str, arm: Arm, now_s: float) -> None:
        """Note that a request of `unit` meets its arm now."""
        if unit not in self._known and len(self._known) < self._most:
            self._known.add(unit)
            self._followed.append((now_s, arm, unit))

    def fail(self, unit: str) -> None:
        """Note that a request of `unit` failed; too late, or of no counted unit: nothing happens."""
        if unit in self._known:
            self._failed.add(unit)

    def settle(self, now_s: float) -> dict[Arm, Counts]:
        """Count the units whose window is over at `now_s`; return the cumulative counts."""
        while self._followed and self._followed[0][0] + self._window_s <= now_s:
            _, arm, unit = self._followed.popleft()
            self._counts[arm] += Counts(1, int(unit in self._failed))
        return dict(self._counts)
