"""What takes long to work out and may be a few seconds old is worked out once for all who look."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

#: How old it may be, in seconds.
MAX_AGE_S = 5.0

_known: WeakKeyDictionary[Any, dict[Hashable, tuple[float, Any]]] = WeakKeyDictionary()
_lock = Lock()


def recalled(owner: object, key: Hashable, make: Callable[[], T]) -> T:
    """Return what `make` has answered for this owner and key within the last `MAX_AGE_S`."""
    with _lock:
        found = _known.setdefault(owner, {}).get(key)
    if found is not None and monotonic() - found[0] < MAX_AGE_S:
        value: T = found[1]
        return value
    value = make()
    with _lock:
        _known[owner][key] = (monotonic(), value)
    return value
