"""A share of the process's time that may be spent on something optional."""

from time import perf_counter_ns

#: No single spending counts for more.
MOST_NS = 2_000_000


class Budget:
    """A token bucket of nanoseconds: filled at `share` of the passing time, up to `burst_ms`.

    What is taken may exceed what is left; then nothing is granted until the debt is paid off. So
    one expensive spending is allowed, a stream of them isn't. Races between threads cost accuracy,
    never safety.
    """

    __slots__ = ("_burst_ns", "_filled_at", "_left_ns", "_share")

    def __init__(self, *, burst_ms: float, share: float) -> None:
        self._burst_ns = burst_ms * 1e6
        self._left_ns = self._burst_ns
        self._share = share
        self._filled_at = perf_counter_ns()

    def allows(self, now_ns: int) -> bool:
        """Tell whether anything is left at `now_ns` of the performance counter."""
        left_ns = self._left_ns + (now_ns - self._filled_at) * self._share
        self._left_ns = left_ns if left_ns < self._burst_ns else self._burst_ns
        self._filled_at = now_ns
        return left_ns > 0

    def take(self, spent_ns: int) -> None:
        """Account for what was spent; a long stay of the process elsewhere isn't held against us."""
        self._left_ns -= spent_ns if spent_ns < MOST_NS else MOST_NS
