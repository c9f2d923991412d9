"""What is read of a call's arguments before it, and what only when it has failed."""

import json
from typing import Any

import pytest

from prunella.codec import encode_mapping
from prunella.codec.redact import Redactor
from prunella.sdk.endings import SCALARS, inputs_at_failure

VALUES: list[dict[str, Any]] = [
    {},
    {"a": 1, "b": "two", "c": None},
    {"a": [1], "b": {"x": 2}},
    {"a": 1, "items": [1, 2], "b": 2.5, "*args": (3, [4]), "password": "hunter2secret"},
    {"items": [1], "**kwargs": {"depth": 3}, "last": b"x"},
]


@pytest.mark.parametrize("values", VALUES)
def test_early_and_late_make_the_whole(values: dict[str, Any]) -> None:
    """What was read before the call and what is read after it come in the order of the signature.

    The tree is the one that would have been made of all arguments before the call.
    """
    redactor = Redactor()
    early = {name: value for name, value in values.items() if id(type(value)) not in SCALARS}
    read = encode_mapping(early, redactor=redactor)
    whole = encode_mapping(values, redactor=redactor)
    text, complete = inputs_at_failure(values, read.tree, redactor)
    assert json.loads(text) == whole.tree
    assert (complete and read.complete) == whole.complete


def test_what_was_not_read_is_marked() -> None:
    """Without a reading before the call, only what can't have changed has a value."""
    text, complete = inputs_at_failure({"a": 1, "items": [2], "t": (3, 4)}, None, Redactor())
    mark = ["?", "builtins:list", "not read before the call"]
    assert json.loads(text) == ["d", "a", 1, "items", mark, "t", ["t", 3, 4]]
    assert not complete


def test_plain_arguments_are_whole_without_a_reading() -> None:
    """Scalars are what they were."""
    assert inputs_at_failure({"a": 1, "b": "x"}, None, Redactor()) == (
        '["d","a",1,"b","x"]',
        True,
    )
