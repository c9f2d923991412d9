"""When an exposure counts: a fixed time after it started, whatever became of it meanwhile.

Counted as they end, slow failures come later than quick successes; a fix that makes failures slow
(a retry does) looks good for as long as there is traffic. Nor does it do to wait for slow units in
the order of starting: each process would stop counting just before a failure, and the errors of
many processes add up. So every unit counts at its deadline, with the outcome it had until then:
which units are counted says nothing about how they fared.
"""

from collections import deque

from prunella.experiment.assignment import Arm
from prunella.experiment.counts import Counts


class Exposure:
    """A unit that met its arm; `end` it when its fate is known."""

    __slots__ = ("arm", "deadline_s", "failed")

    def __init__(self, arm: Arm, deadline_s: float) -> None:
        self.arm = arm
        #: When it counts, on the clock of `Ledger.settle`.
        self.deadline_s = deadline_s
        #: Until it ends well before its deadline, it has failed.
        self.failed = True

    def end(self, failed: bool, now_s: float) -> None:
        """Note how the unit ended; after its deadline it failed, however it ended."""
        self.failed = failed or now_s >= self.deadline_s


class Ledger:
    """The exposures of one rollout and epoch in one process, and the counts of the mature ones.

    Counts outcomes; latency and cost have counts of their own. `begin` and ending an exposure are
    single operations on a deque and an attribute, which threads may do at once; `settle` is for
    one thread at a time.
    """

    __slots__ = ("_counts", "_wait_s", "_waiting")

    def __init__(self, *, wait_s: float) -> None:
        #: How long a unit may take: from its start to its deadline, the same for both arms.
        self._wait_s = wait_s
        self._waiting: deque[Exposure] = deque()
        self._counts = {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}

    def begin(self, arm: Arm, now_s: float) -> Exposure:
        """Note that a unit meets `arm` now; whoever runs it ends the exposure."""
        exposure = Exposure(arm, now_s + self._wait_s)
        self._waiting.append(exposure)
        return exposure

    def settle(self, now_s: float) -> dict[Arm, Counts]:
        """Count what has become mature by `now_s`; return the cumulative counts of both arms."""
        seen = {arm: [0, 0] for arm in Arm}
        while self._waiting and self._waiting[0].deadline_s <= now_s:
            exposure = self._waiting.popleft()
            row = seen[exposure.arm]
            row[0] += 1
            row[1] += exposure.failed
        for arm, (n, failures) in seen.items():
            if n:
                self._counts[arm] += Counts(n, failures)
        return dict(self._counts)

    def __len__(self) -> int:
        """Return how many exposures aren't mature."""
        return len(self._waiting)


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
