"""What rules read from trees without rebuilding them."""

from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any

import pytest

from prunella.codec import attributes, encode, items, pairs, size


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    "value",
    ["", "abc", [], [1, [2]], (1,), {1, 2}, frozenset({3}), {}, {"a": 1}, deque([1]),
     OrderedDict(a=1), Counter("aab"), defaultdict(list, a=[1])],
)  # fmt: skip
def test_size_is_the_length(value: Any) -> None:
    """The size of an encoded container is its `len`."""
    assert size(encode(value).tree) == len(value)


def test_size_of_what_was_cut_is_that_of_the_whole() -> None:
    """A list too long to be kept still tells its length."""
    assert size(encode(list(range(100_000))).tree) == 100_000


@pytest.mark.parametrize(
    "tree", [None, 1, 1.5, True, ["o", "m:C", ["d"]], [], [1], ["cut"], ["l?"]]
)
def test_what_has_no_length_has_no_size(tree: Any) -> None:
    """Numbers, objects and malformed trees have no size and no contents."""
    assert size(tree) is None
    assert items(tree) == []
    assert pairs(tree) == []


def test_contents_stand_for_themselves() -> None:
    """Items and pairs can be read one by one, shared references included."""
    shared = [1]
    found = items(encode([shared, shared]).tree)
    assert [size(item) for item in found] == [1, 1]
    assert pairs(encode({"a": 1, "b": 2}).tree) == [("a", 1), ("b", 2)]


def test_attributes_of_an_object() -> None:
    """Names and values of an object's attributes are read."""
    assert attributes(encode(Point(3)).tree) == [("x", 3)]
    assert attributes(encode([1]).tree) == []
