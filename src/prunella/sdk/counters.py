"""What the SDK did not do, and what went wrong inside it: counted, never raised."""

from __future__ import annotations

from prunella.model.interruption import pass_on

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

#: A feature that failed this often by its own fault is switched off for the process.
TOLERATED = 20

#: Counter name to value. ``dropped_*``: records that could not be kept, and why.
counters: dict[str, int] = {}

#: Features that failed too often.
switched_off: set[str] = set()

_faults: dict[str, int] = {}


def count(name: str, amount: int = 1) -> None:
    """Add to the counter `name`."""
    counters[name] = counters.get(name, 0) + amount


def guarded(feature: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return what `function` does, or ``None`` where it fails: the host never sees an error of ours.

    Running out of memory or stack is the host's condition and only counted; any other error counts
    towards switching `feature` off.
    """
    if feature in switched_off:
        return None
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the one guard around everything the SDK does
        note_fault(feature, error)
    return None


def note_fault(feature: str, error: Exception) -> None:
    """Count an error of our own, and switch `feature` off when it was one too many.

    What a signal handler of the program has raised meanwhile isn't ours, and is raised again.
    """
    if isinstance(error, (MemoryError, RecursionError)):
        count("dropped_no_memory")
        return
    pass_on(error)
    _faults[feature] = _faults.get(feature, 0) + 1
    count(f"internal_{feature}_{type(error).__name__}")
    if _faults[feature] >= TOLERATED:
        switched_off.add(feature)


def reset() -> None:
    """Start anew: in a forked child, and in tests."""
    counters.clear()
    _faults.clear()
    switched_off.clear()
