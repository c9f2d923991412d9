"""What was asked a moment ago, remembered."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: Share of its time after which an answer is asked for anew while it is still believed.
_EARLY_RATIO = 0.75


class Remembered(Generic[K, V]):
    """Asks once in a while and remembers the answer in between, `believed_s` at the most.

    Safe to use from several threads. Of those who ask `known` one does so early, so that the others
    find an answer all the time. At most `most` answers are kept.
    """

    def __init__(self, ask: Callable[[K], V], *, believed_s: float, most: int) -> None:
        self._ask = ask
        self._believed_s = believed_s
        self._most = most
        #: What was answered, and when.
        self._known: dict[K, tuple[V, float]] = {}
        self._asking: set[K] = set()
        self._lock = Lock()

    def known(self, key: K) -> V | None:
        """Return what is remembered, without waiting for anything; ``None``: it is time to `get`."""
        found = self._known.get(key)
        if found is None:
            return None
        age_s = monotonic() - found[1]
        if age_s > self._believed_s:
            return None
        if age_s > _EARLY_RATIO * self._believed_s and key not in self._asking:
            self._asking.add(key)
            return None
        return found[0]

    def get(self, key: K) -> V:
        """Return what is remembered, or the answer to asking."""
        found = self._known.get(key)
        if (
            found is not None
            and key not in self._asking
            and monotonic() - found[1] <= self._believed_s
        ):
            return found[0]
        asked_at = monotonic()
        try:
            answer = self._ask(key)
        finally:
            self._asking.discard(key)
        with self._lock:
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = (answer, asked_at)
        return answer

    def forget(self, key: K) -> None:
        """Believe nothing of what was answered any more."""
        with self._lock:
            self._known.pop(key, None)
