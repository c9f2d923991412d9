"""Plain data: what can be copied, compared and remembered without running the program's code."""

from collections.abc import Hashable
from typing import Any

#: Values that one key or copy may consist of.
MAX_NODES = 1_000
_ATOMS = frozenset({str, int, float, bool, bytes, complex, type(None)})


class NotPlain(Exception):
    """The value is no plain data, or too much of it."""


def copied(value: Any) -> Any:
    """Return a copy of lists and dicts, all the way down; what else there is stays itself."""
    if type(value) is list:
        return [copied(item) for item in value]
    if type(value) is dict:
        return {name: copied(item) for name, item in value.items()}
    return value


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are one object, or atoms of one type that are equal."""
    return one is other or (type(one) is type(other) and type(one) in _ATOMS and one == other)


def frozen(value: Any) -> Hashable:
    """Return a key that equals that of another value only if both are equal plain data.

    Raises `NotPlain` for other objects, whose equality would be the program's code.
    """
    return _frozen(value, [MAX_NODES])


def _frozen(value: Any, left: list[int]) -> Hashable:
    left[0] -= 1
    kind = type(value)
    if left[0] < 0:
        raise NotPlain("too many values")
    if kind in _ATOMS:
        return (kind, value)
    if kind in (list, tuple):
        return (kind, *(_frozen(item, left) for item in value))
    if kind is dict:
        return (kind, *((_frozen(name, left), _frozen(item, left)) for name, item in value.items()))
    raise NotPlain(kind.__name__)


def bounded_copy(value: Any) -> Any:
    """Return a copy of plain data; raises `NotPlain` for anything that may change unseen."""
    return _bounded_copy(value, [MAX_NODES])


def _bounded_copy(value: Any, left: list[int]) -> Any:
    left[0] -= 1
    kind = type(value)
    if left[0] < 0:
        raise NotPlain("too many values")
    if kind in _ATOMS:
        return value
    if kind in (list, tuple):
        return kind(_bounded_copy(item, left) for item in value)
    if kind is dict:
        return {_bounded_copy(k, left): _bounded_copy(item, left) for k, item in value.items()}
    raise NotPlain(kind.__name__)
