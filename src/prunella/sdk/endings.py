"""How a call ended, and what of its arguments can't have changed by then."""

import sys
from typing import Any

from prunella.sdk.site import Site

_SCALARS = frozenset({str, int, float, bool, bytes, complex, type(None), type(Ellipsis)})


def ending_of(site: Site, error: BaseException) -> str:
    """Return the `prunella.model.records.Ending` of an exception; ``""`` for the end of iteration."""
    if isinstance(error, Exception):
        if isinstance(error, (StopIteration, StopAsyncIteration)) and site.is_iteration_step:
            return ""
        return "error"
    asyncio = sys.modules.get("asyncio.exceptions")
    if asyncio is not None and isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return "interrupted"


def is_unchanged(name: str, value: Any) -> bool:
    """Tell whether the argument `name` is after a call what it was before."""
    if name.startswith("**"):  # the function got a copy of this dict
        return all(is_immutable(item) for item in value.values())
    return is_immutable(value)


def is_immutable(value: Any, depth: int = 4) -> bool:
    """Tell whether nothing can have changed `value`: a scalar, or a small tuple of such."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind in (tuple, frozenset) and depth and len(value) <= 20:
        return all(is_immutable(item, depth - 1) for item in value)
    return f"{kind.__module__}.{kind.__qualname__}" in _IMMUTABLE


_IMMUTABLE = frozenset(
    {
        "decimal.Decimal", "fractions.Fraction", "datetime.datetime", "datetime.date",
        "datetime.time", "datetime.timedelta", "uuid.UUID", "pathlib.PosixPath",
        "pathlib.PurePosixPath", "builtins.range",
    }
)  # fmt: skip
