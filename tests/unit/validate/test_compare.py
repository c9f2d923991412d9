"""Equality of encoded values."""

from typing import Any

import pytest

from prunella.codec import encode
from prunella.validate.compare import Sameness, compare, compare_values


def tree(value: Any) -> Any:
    return encode(value).tree


class Point:
    def __init__(self, x: Any, y: Any) -> None:
        self.x = x
        self.y = y


SAME = [
    (1, 1),
    (float("nan"), float("nan")),
    (0.1 + 0.2, 0.3),
    (1e300 * (1 + 1e-12), 1e300),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({3, 1, 2}, {1, 2, 3}),
    ({(1, 0.1 + 0.2)}, {(1, 0.3)}),
    ([float("inf")], [float("inf")]),
    (Point(1, [2]), Point(1, [2])),
    ({"a": {"b": {1.0, 2.0}}}, {"a": {"b": {2.0, 1.0}}}),
    (b"abc", b"abc"),
    (1 + 2j, 1 + 2j),
]

DIFFERENT = [
    (1, True),
    (0, False),
    (1, 1.0),
    ((1, 2), [1, 2]),
    (0.0, -0.0),
    (1.0, 1.0 + 1e-6),
    (float("nan"), 1.0),
    ("1", 1),
    (None, False),
    (None, []),
    ({"a": 1}, {"a": 1, "b": None}),
    ({1, 2}, {1, 3}),
    ([1, 2], [2, 1]),
    ([1], [1, 1]),
    (Point(1, 2), Point(1, 3)),
    (b"abc", bytearray(b"abc")),
    ({1: "a"}, {True: "a"}),
    ({1}, frozenset({1})),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_values_compare_equal(one: Any, other: Any) -> None:
    """Values that mean the same are equal, whatever the order of sets and dicts."""
    assert compare(tree(one), tree(other)) is None
    assert compare(tree(other), tree(one)) is None


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_types_and_values_count(one: Any, other: Any) -> None:
    """A difference in type or value is seen from both sides and explained."""
    for left, right in ((tree(one), tree(other)), (tree(other), tree(one))):
        found = compare_values(left, right)
        assert found.sameness is Sameness.DIFFERENT
        assert found.detail


def test_the_first_difference_is_located() -> None:
    """An explanation leads to the place and shows both values."""
    found = compare(tree({"items": [1, 2, 3]}), tree({"items": [1, 2, 4]}))
    assert found == "at ['items'][2]: 3 != 4"


def test_an_attribute_is_located_by_its_name() -> None:
    """An object's attribute is named as in source."""
    assert compare(tree([Point(1, 2)]), tree([Point(1, 5)])) == "at [0].y: 2 != 5"


def test_what_was_not_recorded_is_not_called_equal() -> None:
    """An opaque part makes the comparison unknown, unless something else differs."""
    opaque = ["?", "socket:socket", "not supported"]
    assert compare_values(opaque, opaque).sameness is Sameness.UNKNOWN
    assert compare_values(["l", opaque, 1], ["l", opaque, 1]).sameness is Sameness.UNKNOWN
    assert compare_values(["l", opaque, 1], ["l", opaque, 2]).sameness is Sameness.DIFFERENT


def test_cycles_end() -> None:
    """A structure that contains itself compares equal to its like, and differs from others."""

    def ring(value: int) -> list[Any]:
        items: list[Any] = [value]
        items.append(items)
        return items

    assert compare(tree(ring(1)), tree(ring(1))) is None
    assert compare(tree(ring(1)), tree(ring(2))) is not None


def test_sharing_does_not_count() -> None:
    """Two references to one list equal two equal lists."""
    shared = [1]
    assert compare(tree([shared, shared]), tree([[1], [1]])) is None


@pytest.mark.parametrize(
    "malformed",
    [[], [[]], ["d", 1], ["&"], ["*", 9], ["o"], ["s", ["?"]], ["np", "x"], ["&", [], 1]],
)
def test_malformed_trees_never_raise(malformed: Any) -> None:
    """Whatever came out of a sandbox is compared without an exception."""
    compare_values(malformed, malformed)
    compare_values(malformed, ["l", 1])
    compare_values(["d", "a", malformed], malformed)


def test_depth_is_bounded() -> None:
    """A tree too deep to compare is unknown, not a crash."""
    deep: Any = 1
    for _ in range(50_000):
        deep = ["l", deep]
    assert compare_values(deep, deep).sameness is Sameness.UNKNOWN


def test_float_arrays_are_compared_with_tolerance() -> None:
    """Arrays of floats are equal within the tolerance, and differ beyond it."""
    from array import array
    from base64 import b64encode

    def np(*values: float) -> Any:
        data = b64encode(array("d", values).tobytes()).decode()
        return ["np", "<f8", [len(values)], data]

    assert compare(np(0.1 + 0.2, float("nan")), np(0.3, float("nan"))) is None
    assert compare(np(1.0), np(1.1)) is not None
