"""What keeps retries from making an outage worse: token buckets, circuits, shared attempts."""

from contextvars import ContextVar
from threading import Lock

#: Tokens of the whole process, over all sites and fixes.
PROCESS_BURST = 100
PROCESS_PER_SECOND = 10.0
PROCESS_RATIO = 0.2


class TokenBucket:
    """Retries that may be made: each call and each second earns a part of one.

    As in Finagle's `RetryBudget`: under an outage retries are at most `ratio` of the calls, plus a
    floor for sites that are called rarely.
    """

    def __init__(self, *, ratio: float, per_second: float, burst: float, now_s: float) -> None:
        self._ratio = ratio
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._filled_s = now_s
        self._lock = Lock()
        #: Calls since the tokens were last counted; a lost update under threads earns a bit less.
        self.calls = 0

    def take(self, now_s: float) -> bool:
        """Take one retry out, if there is one."""
        with self._lock:
            self._fill(now_s)
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def give_back(self) -> None:
        """Put back a retry that was not made after all."""
        with self._lock:
            self._tokens = min(self._burst, self._tokens + 1)

    def _fill(self, now_s: float) -> None:
        calls, self.calls = self.calls, 0
        earned = calls * self._ratio + max(0.0, now_s - self._filled_s) * self._per_second
        self._filled_s = now_s
        self._tokens = min(self._burst, self._tokens + earned)


class Circuit:
    """Whether a target is down: open after failures in a row, probed by one call after a while."""

    def __init__(self, *, open_after: int, cooldown_s: float) -> None:
        self._open_after = open_after
        self._cooldown_s = cooldown_s
        self._lock = Lock()
        self._opened_s: float | None = None
        self._probing = False
        #: Failures in a row.
        self.failures = 0

    def allows(self, now_s: float) -> bool:
        """Tell whether the target may be called: it isn't down, or this call is the probe."""
        with self._lock:
            if self._opened_s is None or not self._cooldown_s:
                return True
            if self._probing or now_s - self._opened_s < self._cooldown_s:
                return False
            # A probe that never reports back counts as failed after another while.
            self._opened_s = now_s
            self._probing = True
            return True

    def is_open(self) -> bool:
        """Tell whether the target counts as down."""
        return self._opened_s is not None

    def succeeded(self) -> None:
        """The target has answered."""
        with self._lock:
            self.failures = 0
            self._opened_s = None
            self._probing = False

    def failed(self, now_s: float) -> None:
        """The target has failed."""
        with self._lock:
            self.failures += 1
            if self._probing or self.failures >= self._open_after:
                self._opened_s = now_s
                self._probing = False

    def gave_no_sign(self) -> None:
        """A call ended in a way that says nothing about the target: another may probe it."""
        with self._lock:
            self._probing = False


class Layers:
    """Retries that are left for all layers inside one call, however they are nested."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


#: The retries of the outermost layer that is retrying around the present call.
layers: ContextVar[Layers | None] = ContextVar("prunella_retries", default=None)

#: Set on an error by the layer that gave up on it: how often it was retried, and when that was.
_MARK = "__prunella_retries__"
_DEPTH = 5


def mark_retried(error: BaseException, retries: int, now_s: float) -> None:
    """Remember on an error how often the call that raised it was retried."""
    try:
        BaseException.__setattr__(error, _MARK, (retries, now_s))
    except (AttributeError, TypeError):
        return


def retries_below(error: BaseException, since_s: float) -> int:
    """Return how often layers below have retried a call since it began, as far as its error tells.

    Told are layers of our own and of tenacity, through the errors' causes. A program may raise one
    error object again and again: what earlier calls left on it doesn't count.
    """
    found: BaseException | None = error
    for _ in range(_DEPTH):
        if found is None:
            break
        marks = BaseException.__getattribute__(found, "__dict__")
        mark = marks.get(_MARK)
        count = mark[0] if mark is not None and mark[1] >= since_s else None
        if count is None and type(found).__name__ == "RetryError":
            last: object = marks.get("last_attempt")
            attempts = getattr(last, "attempt_number", None)
            count = attempts - 1 if type(attempts) is int else None
        if type(count) is int:
            return max(count, 0)
        found = found.__cause__ or found.__context__
    return 0
