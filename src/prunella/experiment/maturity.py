"""When an exposure counts: a fixed time after it started, whatever became of it meanwhile.

Counted as they end, slow failures come later than quick successes; a fix that makes failures slow
(a retry does) looks good for as long as there is traffic. Nor does it do to wait for slow units in
the order of starting: each process would stop counting just before a failure, and the errors of
many processes add up. So every unit counts at its deadline, with the outcome it had until then:
which units are counted says nothing about how they fared.
"""

from collections import deque
from math import fsum, inf
from threading import Lock
from typing import Protocol

from prunella.experiment.assignment import Arm
from prunella.experiment.counts import Counts, Thrice


class Matures(Protocol):
    """What a ledger keeps of a unit until it counts; `Exposure` is one."""

    arm: Arm
    failed: bool
    latency_s: float
    cost: float | None

    @property
    def deadline_s(self) -> float:
        """When it counts, on the clock of `Ledger.settle`."""


class Exposure:
    """A unit that met its arm; `end` it when its fate is known."""

    __slots__ = ("arm", "cost", "deadline_s", "failed", "latency_s")

    def __init__(self, arm: Arm, deadline_s: float) -> None:
        self.arm = arm
        #: When it counts, on the clock of `Ledger.settle`.
        self.deadline_s = deadline_s
        #: Until it ends well before its deadline, it has failed.
        self.failed = True
        #: Until it ends before its deadline, it is slower than all.
        self.latency_s = inf
        #: ``None`` where it isn't known.
        self.cost: float | None = None

    def end(self, failed: bool, now_s: float, latency_s: float = inf) -> None:
        """Note how the unit ended; after its deadline it failed, however it ended."""
        if now_s >= self.deadline_s:
            return
        self.failed = failed
        self.latency_s = latency_s


class Ledger:
    """The exposures of one rollout and epoch in one process, and the counts of the mature ones.

    Counts outcomes, costs where they are known and, with thresholds, latencies. `begin` and ending an exposure are single operations on a deque and attributes, which threads may do at
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
        is_timed = bool(self._slow_s)
        costs = [each.cost for each in exposures if each.cost is not None]
        return Counts(
            n,
            failures=sum(each.failed for each in exposures),
            timed=n if is_timed else 0,
            slow=_exceeding(exposures, self._slow_s) if is_timed else (0, 0, 0),
            very_slow=_exceeding(exposures, self._very_slow_s) if is_timed else (0, 0, 0),
            costs=len(costs),
            cost_sum=fsum(costs),
            cost_squares=fsum(cost * cost for cost in costs),
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


class _Followed:
    """A sticky unit until it counts."""

    __slots__ = ("arm", "deadline_s", "requests", "until_s")

    def __init__(self, arm: Arm, until_s: float, deadline_s: float) -> None:
        self.arm = arm
        #: Requests that begin from here on aren't followed.
        self.until_s = until_s
        self.deadline_s = deadline_s
        self.requests: list[Matures] = []

    @property
    def failed(self) -> bool:
        """One of its requests failed, or hasn't ended."""
        return any(each.failed for each in self.requests)


class StickyLedger:
    """Counts sticky units (users, conversations) once each: failed is "any failure in its window".

    Requests of one unit resemble each other; counted one by one they'd pass for independent. The
    requests that begin in the `window_s` seconds from a unit's first one are followed; when the
    last of them must have ended, `wait_s` later, the unit counts, and never again: it stays in its
    arm, so that counting it in each epoch would take one user's luck for many users'. `known` are
    the units that were begun, which ledgers of one rollout share. Counts outcomes only. Safe under
    threads.
    """

    __slots__ = ("_counts", "_followed", "_known", "_lock", "_most", "_wait_s", "_window_s")

    #: Requests of one unit that are followed in one window.
    MOST_REQUESTS = 1_000

    def __init__(
        self,
        *,
        window_s: float,
        wait_s: float,
        known: set[str] | None = None,
        most: int = 100_000,
    ) -> None:
        self._window_s = window_s
        self._wait_s = wait_s
        #: Units are remembered so that they count once; further ones aren't counted at all.
        self._most = most
        self._known = set() if known is None else known
        self._followed: dict[str, _Followed] = {}
        self._counts = {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}
        self._lock = Lock()

    def begin(self, unit: str, arm: Arm, now_s: float) -> Exposure:
        """Note that a request of `unit` meets its arm now; whoever runs it ends the exposure."""
        exposure = Exposure(arm, now_s + self._wait_s)
        self.note(unit, exposure, now_s)
        return exposure

    def note(self, unit: str, request: Matures, now_s: float) -> None:
        """Note a request that was begun elsewhere."""
        with self._lock:
            found = self._followed.get(unit)
            if found is None:
                if unit in self._known or len(self._known) >= self._most:
                    return
                self._known.add(unit)
                until_s = now_s + self._window_s
                found = _Followed(request.arm, until_s, until_s + self._wait_s)
                self._followed[unit] = found
            if now_s < found.until_s and len(found.requests) < self.MOST_REQUESTS:
                found.requests.append(request)

    def settle(self, now_s: float) -> dict[Arm, Counts]:
        """Count the units whose time is over at `now_s`; return the cumulative counts."""
        with self._lock:
            # In the order of beginning, which is that of deadlines.
            mature = []
            for unit, each in self._followed.items():
                if each.deadline_s > now_s:
                    break
                mature.append(unit)
            for unit in mature:
                each = self._followed.pop(unit)
                self._counts[each.arm] += Counts(1, int(each.failed))
        return dict(self._counts)

    def counts(self) -> dict[Arm, Counts]:
        """Return the cumulative counts of both arms as they were settled last."""
        return dict(self._counts)

    def pending(self) -> list[Matures]:
        """Return the requests of units that aren't mature."""
        with self._lock:
            return [request for each in self._followed.values() for request in each.requests]

    def __len__(self) -> int:
        """Return how many units aren't mature."""
        return len(self._followed)
