"""When an exposure counts: in the order of starting, once its fate is known.

Counted as they end, slow failures come later than quick successes; a fix that makes failures slow
(a retry does) looks good for as long as there is traffic. So units count in the order in which they
started, each once it has ended or its deadline has passed, and never before an earlier one.
"""

from collections import deque
from dataclasses import replace

from prunella.experiment.assignment import Arm
from prunella.experiment.counts import Counts


class Exposure:
    """A unit that met its arm; `end` it when its fate is known."""

    __slots__ = ("arm", "deadline_s", "failed")

    def __init__(self, arm: Arm, deadline_s: float) -> None:
        self.arm = arm
        #: From when on it counts as failed, on the clock of `Ledger.settle`.
        self.deadline_s = deadline_s
        #: ``None`` while it runs.
        self.failed: bool | None = None

    def end(self, failed: bool, now_s: float) -> None:
        """Note how the unit ended; after its deadline it failed, however it ended."""
        self.failed = failed or now_s >= self.deadline_s


class Ledger:
    """The exposures of one fix and epoch in one process, and the counts of those that are mature.

    Counts outcomes; latency and cost have counts of their own. `begin` and ending an exposure are
    single operations on a deque and an attribute, which threads may do at once; `settle` is for
    one thread at a time.
    """

    __slots__ = ("_counts", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Exposure] = deque()
        self._counts = {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}

    def begin(self, arm: Arm, deadline_s: float) -> Exposure:
        """Note that a unit meets `arm` now; whoever runs it ends the exposure."""
        exposure = Exposure(arm, deadline_s)
        self._waiting.append(exposure)
        return exposure

    def settle(self, now_s: float) -> dict[Arm, Counts]:
        """Count what has become mature by `now_s`; return the cumulative counts of both arms."""
        seen = {arm: [0, 0] for arm in Arm}
        while self._waiting:
            first = self._waiting[0]
            if first.failed is None and now_s < first.deadline_s:
                break
            self._waiting.popleft()
            row = seen[first.arm]
            row[0] += 1
            # Not ended by its deadline is failed, and stays so should it end later.
            row[1] += first.failed is not False
        for arm, (n, failures) in seen.items():
            counts = self._counts[arm]
            self._counts[arm] = replace(counts, n=counts.n + n, failures=counts.failures + failures)
        return dict(self._counts)

    def __len__(self) -> int:
        """Return how many exposures aren't mature."""
        return len(self._waiting)
