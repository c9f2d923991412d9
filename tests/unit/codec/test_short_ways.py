"""Short ways through the encoder lead where the long ones do."""

import math
from typing import Any

import pytest

from prunella.codec import encode, encode_mapping, harmless_names
from prunella.codec.redact import Redactor

SECRET = "sk-ant-api03-" + "a1B2" * 8
LISTS: list[list[Any]] = [
    [1] * 20,
    [*range(20)],
    [True] * 20,
    [1, True] * 10,
    [1.5] * 20,
    [1e308] * 20,
    [math.inf, *[1.0] * 20],
    [math.inf, -math.inf, *[1.0] * 20],
    [math.nan, *[1.0] * 20],
    [1 << 29, *[1] * 20],
    [-(1 << 2_000), *[1] * 20],
    ["x"] * 20,
    ["x" * 7] * 20,
    [SECRET, *["x"] * 20],
    [None] * 20,
    [[1]] * 20,
]


@pytest.mark.parametrize("items", LISTS)
def test_a_list_of_one_type_is_encoded_as_its_items(items: list[Any]) -> None:
    """A list whose scalars are looked at all together has the nodes of its items."""
    redactor = Redactor()
    node: Any = encode(items, redactor=redactor).tree
    if type(items[0]) is list:
        assert node == ["l", ["&", 0, ["l", 1]], *[["*", 0]] * 19]
    else:
        assert node == ["l", *(encode(item, redactor=redactor).tree for item in items)]


@pytest.mark.parametrize("name", ["password", "api_key", SECRET])
def test_names_with_a_secret_are_not_harmless(name: str) -> None:
    """One secret name, or one that holds a secret, and each is looked at again at each call."""
    redactor = Redactor()
    assert harmless_names({"a": 1, name: 2}, redactor) is None
    assert harmless_names({"a": 1, "*args": 2}, redactor) == ("a", "*args")


def test_harmless_names_make_no_difference() -> None:
    """With names that were looked through before, the tree is the same."""
    redactor = Redactor()
    shared = [1]
    values = {"a": 1, "b": "text", "c": shared, "d": {"password": "hunter2secret", "x": shared}}
    names = harmless_names(values, redactor)
    assert names is not None
    assert encode_mapping(values, redactor=redactor, names=names) == encode_mapping(
        values, redactor=redactor
    )
