"""Arguments and results as they are at one moment, for a text that is made later.

What can't change stands for itself; a short list, tuple or dict of such is copied; of a list or an
array that is too long to be kept whole, its beginning is (`Head`).
"""

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from prunella.codec.encoder import HEAD_ITEMS, Head
from prunella.codec.limits import DEFAULT_LIMITS

#: Longer strings aren't held: the program may be about to make room for others.
MAX_LENGTH = 1_000
#: Items of a container that is copied.
MAX_ITEMS = 16


def snapshot(values: Iterable[Any]) -> tuple[Any, ...] | None:
    """Return what gives the same text later as `values` do now.

    ``None`` where one of them is nothing as simple: then a text has to be made at once.
    """
    found: list[Any] = []
    append = found.append
    containers: list[int] = []
    for item in values:
        kind = type(item)
        if kind is int or item is None or kind is float or kind is bool:
            append(item)
        elif kind is str or kind is bytes:
            if len(item) > MAX_LENGTH:
                return None
            append(item)
        else:
            kept = _kept(item, kind)
            # One that comes twice is referred to, which its copies wouldn't be.
            if kept is None or id(item) in containers:
                return None
            containers.append(id(item))
            append(kept)
    return tuple(found)


def _kept(item: Any, kind: type) -> Any:
    """Return what stands for a container, ``None`` if nothing does."""
    if kind is list or kind is tuple:
        size = len(item)
        if MAX_ITEMS < size <= DEFAULT_LIMITS.max_items:
            return None
        is_whole = size <= MAX_ITEMS
        items = item[: MAX_ITEMS if is_whole else HEAD_ITEMS]  # it may grow at this moment
        if not _are_simple(items):
            return None
        return items if is_whole else Head(items, size)
    if kind is dict:
        if len(item) > MAX_ITEMS:
            return None
        pairs = item.copy()
        return pairs if _are_simple(pairs) and _are_simple(pairs.values()) else None
    return _beginning(item, kind)


def _are_simple(items: Iterable[Any]) -> bool:
    """Tell whether all are scalars that may be held."""
    for item in items:
        kind = type(item)
        if (
            kind is int
            or item is None
            or kind is float
            or kind is bool
            or (kind is str and len(item) <= MAX_LENGTH)
        ):
            continue
        return False
    return True


def _beginning(item: Any, kind: type) -> Head | None:
    """Return the beginning of an array that is too long to be kept."""
    if _is_named(kind, "numpy", "ndarray"):
        # What holds text or objects may be large in each of its elements.
        if item.nbytes <= DEFAULT_LIMITS.max_string_length or item.dtype.kind in "OSUV":
            return None
        return Head(item.flat[:HEAD_ITEMS], item.size, item.shape)
    if _is_named(kind, "array", "array"):
        length = len(item)
        if length * item.itemsize > DEFAULT_LIMITS.max_string_length and item.typecode not in "uw":
            return Head(item[:HEAD_ITEMS], length)
    return None


def _is_named(kind: type, module: str, name: str) -> bool:
    """Tell whether a class is what a loaded module has under a name; runs nothing of either."""
    found = sys.modules.get(module)
    return type(found) is ModuleType and kind is found.__dict__.get(name)
