"""Equality of encoded values: deep, faithful to types, with care for floats.

Types count (``True`` is not ``1``, a tuple is no list); NaN equals NaN; floats are equal within a
relative 1e-9, in numpy's arrays and pandas' frames too, and ``-0.0`` is not ``0.0``; the order of sets and of ordinary dicts doesn't count;
objects are equal when class and attributes are. Where one object is referred to several times,
values count, not identity. A value of which something is missing (opaque, cut off, redacted) can't
be compared, unless what is there differs already.
"""

import json
import math
from array import array
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prunella.codec import render
from prunella.model.tree import Tree

_RELATIVE = 1e-9
_INCOMPLETE = frozenset({"?", "cut", "redacted"})
#: How a tree as JSON text shows that something is missing.
_MARKS = tuple(f'["{tag}"' for tag in sorted(_INCOMPLETE))
_UNORDERED = frozenset({"s", "fs"})
#: Tag → where its key-value pairs begin.
_PAIRS = {"d": 1, "dd": 2, "ct": 1, "mp": 1}
#: Tag of an object or a frame, which is compared part by part → its length.
_PARTED = {"o": 3, "pd": 5}
_MAX_UNORDERED = 300
_FLOAT_ARRAYS = {"<f8": "d", "<f4": "f"}


class Sameness(StrEnum):
    """What comparing two values shows."""

    #: They are equal.
    EQUAL = "equal"
    #: They differ.
    DIFFERENT = "different"
    #: No difference is seen, and something that could differ is missing.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether two values are equal, and where they differ first."""

    sameness: Sameness
    #: ``at ['items'][2]: 3 != 4``; empty when they are equal.
    detail: str = ""

    @property
    def equal(self) -> bool:
        """It was shown that they are equal."""
        return self.sameness is Sameness.EQUAL


def compare(left: Tree, right: Tree) -> str | None:
    """Return ``None`` where the values are equal, else where they differ or can't be compared."""
    return compare_values(left, right).detail or None


def compare_values(left: Tree, right: Tree) -> Comparison:
    """Compare two trees; malformed ones are compared as they are. Never raises."""
    if _same_text(left, right):
        return Comparison(sameness=Sameness.EQUAL)
    walk = _Walk(left=_labels(left), right=_labels(right))
    try:
        difference = walk.difference(left, right, "")
    except RecursionError:
        return Comparison(sameness=Sameness.UNKNOWN, detail="it is nested too deeply to compare")
    if difference:
        return Comparison(sameness=Sameness.DIFFERENT, detail=difference)
    if walk.missing:
        return Comparison(sameness=Sameness.UNKNOWN, detail=walk.missing)
    return Comparison(sameness=Sameness.EQUAL)


def _same_text(left: Tree, right: Tree) -> bool:
    """Tell, quickly, whether two whole trees are the same to the letter, as most are."""
    try:
        text = json.dumps(left)
        return text == json.dumps(right) and not any(mark in text for mark in _MARKS)
    except (RecursionError, ValueError, TypeError):
        return False


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One comparison in progress."""

    left: Mapping[object, Tree]
    right: Mapping[object, Tree]
    #: Pairs of labelled nodes that are being compared or were found equal.
    met: set[tuple[object, object]] = field(default_factory=set)
    #: Where something could not be compared, first.
    missing: str = ""

    def difference(self, left: Tree, right: Tree, path: str) -> str:
        """Return where the two differ; empty when no difference is seen."""
        left, label_left = _target(left, self.left)
        right, label_right = _target(right, self.right)
        if label_left is not None or label_right is not None:
            pair = (label_left or id(left), label_right or id(right))
            if pair in self.met:
                return ""
            self.met.add(pair)
        tags = {_tag(left), _tag(right)}
        if tags & _INCOMPLETE:
            self.missing = self.missing or f"{_at(path)} {_why_missing(left, right)}"
            return ""
        if not isinstance(left, list) or not isinstance(right, list):
            return "" if _same_scalar(left, right) else _differ(left, right, path)
        if _tag(left) != _tag(right):
            return _differ(left, right, path)
        return self._lists(left, right, path)

    def _lists(self, left: list[Tree], right: list[Tree], path: str) -> str:
        tag = _tag(left)
        if tag in _UNORDERED:
            return self._sets(left, right, path)
        if tag in _PAIRS:
            return self._pairs(left, right, path, _PAIRS[tag])
        if tag in ("np", "nps"):
            same = _same_arrays(_as_array(left), _as_array(right))
            return "" if same else _differ(left, right, path)
        if tag in _PARTED and len(left) == len(right) == _PARTED[tag]:
            if left[1] != right[1]:
                return _differ(left, right, path)
            if tag == "pd":
                return self._tables(left, right, path)
            return self._attributes(left[2], right[2], path)
        return self._in_order(left, right, path)

    def _in_order(self, left: list[Tree], right: list[Tree], path: str) -> str:
        """Compare one by one what stands behind the tag."""
        indexed = _tag(left) in ("l", "t")
        if len(left) != len(right):
            if indexed:
                return f"{_at(path)} its length: {len(left) - 1} != {len(right) - 1}"
            return _differ(left, right, path)
        for index, (one, other) in enumerate(zip(left[1:], right[1:], strict=True)):
            where = f"{path}[{index}]" if indexed else path
            found = self.difference(one, other, where)
            if found:
                return found if indexed else _differ(left, right, path)
        return ""

    def _tables(self, left: list[Tree], right: list[Tree], path: str) -> str:
        """Compare two of pandas' frames or series: labels in their order, index, columns."""
        return (
            self.difference(left[4], right[4], f"{path}.columns")
            or self.difference(left[2], right[2], f"{path}.index")
            or self.difference(left[3], right[3], path)
        )

    def _attributes(self, left: Tree, right: Tree, path: str) -> str:
        if _tag(left) == _tag(right) == "d":
            return self._pairs(list(left), list(right), path, 1, dotted=True)  # type: ignore[arg-type]
        return self.difference(left, right, path)

    def _pairs(
        self, left: list[Tree], right: list[Tree], path: str, start: int, *, dotted: bool = False
    ) -> str:
        for one, other in zip(left[1:start], right[1:start], strict=False):
            if self.difference(one, other, path):
                return _differ(left, right, path)
        others = {_key(key): (key, value) for key, value in _items(right, start)}
        mine = {_key(key): (key, value) for key, value in _items(left, start)}
        for name, (key, value) in mine.items():
            where = f"{path}.{key}" if dotted else f"{path}[{_short(key)}]"
            if name not in others:
                return f"{_at(where)} {_short(value)} != nothing"
            found = self.difference(value, others[name][1], where)
            if found:
                return found
        for name, (key, value) in others.items():
            if name not in mine:
                where = f"{path}.{key}" if dotted else f"{path}[{_short(key)}]"
                return f"{_at(where)} nothing != {_short(value)}"
        return ""

    def _sets(self, left: list[Tree], right: list[Tree], path: str) -> str:
        left_items = {_key(item): item for item in left[1:]}
        right_items = {_key(item): item for item in right[1:]}
        only_left = [item for key, item in left_items.items() if key not in right_items]
        only_right = [item for key, item in right_items.items() if key not in left_items]
        if len(only_left) != len(only_right) or len(only_left) > _MAX_UNORDERED:
            return _differ(left, right, path)
        for item in only_left:
            match = next((o for o in only_right if not self.difference(item, o, path)), None)
            if match is None:
                return f"{_at(path)} {_short(item)} is missing in {_short(right)}"
            only_right.remove(match)
        return ""


def _labels(tree: Tree) -> Mapping[object, Tree]:
    found: dict[object, Tree] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            if _tag(node) == "&" and len(node) == 3:
                found[_hashable(node[1])] = node[2]
            stack.extend(node)
    return found


def _target(tree: Tree, labels: Mapping[object, Tree]) -> tuple[Tree, object | None]:
    if isinstance(tree, list) and _tag(tree) in ("&", "*") and len(tree) >= 2:
        label = _hashable(tree[1])
        if label in labels:
            return labels[label], f"#{label}"
    return tree, None


def _hashable(label: Tree) -> object:
    return label if isinstance(label, (int, str)) else json.dumps(label)


def _tag(tree: Tree) -> str:
    if isinstance(tree, list) and tree and isinstance(tree[0], str):
        return tree[0]
    return ""


def _same_scalar(left: Tree, right: Tree) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        return _same_float(left, right)
    return left == right


def _same_float(left: float, right: float) -> bool:
    if left == right:
        return math.copysign(1.0, left) == math.copysign(1.0, right) or left != 0.0
    if math.isnan(left) and math.isnan(right):
        return True
    return math.isclose(left, right, rel_tol=_RELATIVE, abs_tol=0.0)


def _same_arrays(left: list[Tree], right: list[Tree]) -> bool:
    if left == right:
        return True
    code = _FLOAT_ARRAYS.get(str(left[1])) if len(left) == len(right) == 4 else None
    if code is None or left[1:3] != right[1:3]:
        return False
    try:
        one, other = array(code), array(code)
        one.frombytes(b64decode(str(left[3]), validate=True))
        other.frombytes(b64decode(str(right[3]), validate=True))
    except ValueError:
        return False
    return len(one) == len(other) and all(map(_same_float, one, other))


def _as_array(scalar: list[Tree]) -> list[Tree]:
    """Return a numpy scalar's node as that of an array of one; an array's as it is."""
    return ["np", scalar[1], ["t", 1], scalar[2]] if len(scalar) == 3 else scalar


def _items(tree: list[Tree], start: int) -> list[tuple[Tree, Tree]]:
    return list(zip(tree[start::2], tree[start + 1 :: 2], strict=False))


def _key(tree: Tree) -> str:
    return json.dumps(tree, sort_keys=True)


def _at(path: str) -> str:
    return f"at {path}:" if path else "the value:"


def _differ(left: Tree, right: Tree, path: str) -> str:
    one, other = _short(left), _short(right)
    if one == other:
        one, other = f"{one} ({_kind(left)})", f"{other} ({_kind(right)})"
    return f"{_at(path)} {one} != {other}"


def _kind(tree: Tree) -> str:
    return type(tree).__name__ if not isinstance(tree, list) else _tag(tree)


def _short(tree: Tree) -> str:
    return render(tree, max_chars=60)


def _why_missing(left: Tree, right: Tree) -> str:
    node = left if _tag(left) in _INCOMPLETE else right
    return f"{_short(node)} was not recorded in full"
