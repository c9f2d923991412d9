"""The text of values is the JSON of their tree, whichever way it was made."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.codec import encode, encode_mapping
from prunella.codec.limits import Limits
from prunella.codec.redact import Redactor
from prunella.codec.texts import (
    MAX_ITEMS,
    MAX_LENGTH,
    Known,
    form_of,
    mapping_text,
    text_of,
    values_text,
)

REDACTOR = Redactor()
SECRET = "sk-ant-api03-" + "a1B2" * 8

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=80)
    | st.sampled_from(
        ["--password", "-p", SECRET, "authorization", "%s", "\ud800", 1 << 999, 1 << 1_000, True, 0]
    )
)
FLAT = st.lists(SCALARS, max_size=MAX_ITEMS + 2)
VALUES = (
    SCALARS
    | FLAT
    | FLAT.map(tuple)
    | st.dictionaries(st.sampled_from(["a", "password", "b%s", SECRET, 1]), SCALARS)
    | st.binary(max_size=9)
    | st.lists(FLAT, max_size=3)
)
NAMES = st.sampled_from(["a", "b", "*args", "**kwargs", "token", "100%", SECRET, "ä"])


@given(st.dictionaries(NAMES, VALUES))
def test_the_text_is_that_of_the_tree(values: dict[str, Any]) -> None:
    """Simple values, which never become a tree, have the text that their tree would have."""
    whole = encode_mapping(values, redactor=REDACTOR)
    names, items = tuple(values), tuple(values.values())
    for text in (
        mapping_text(values, redactor=REDACTOR),
        values_text(form_of(names, REDACTOR), names, items, REDACTOR),
    ):
        assert (json.loads(text[0]), text[1]) == whole
        assert text[0].isascii()


@given(st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, st.none()))
def test_what_several_mappings_share_is_read_once(
    values: dict[str, Any], others: dict[str, Any]
) -> None:
    """Containers whose texts are known from another mapping have the text they had there."""
    others |= {f"{name}_too": item for name, item in values.items()}
    known: Known = {}
    for mapping in (values, others, others | values):  # the last one has all of them twice
        text, complete = mapping_text(mapping, REDACTOR, known=known)
        assert (json.loads(text), complete) == encode_mapping(mapping, redactor=REDACTOR)


@given(VALUES)
def test_the_text_of_one_value_is_that_of_its_tree(value: Any) -> None:
    """As for names with values."""
    text, complete = text_of(value, REDACTOR)
    assert (json.loads(text), complete) == encode(value, redactor=REDACTOR)


@pytest.mark.parametrize(
    "values",
    [
        {"command": ["mysql", "--password", "hunter2"]},
        {"header": ("authorization", "hunter2")},
        {"header": ["cookie", "hunter2"]},
        {"form": {"password": "hunter2"}},
        {"password": "hunter2"},
        {"text": "password=hunter2"},
    ],
)
def test_secrets_stay_out_of_texts(values: dict[str, Any]) -> None:
    """What redaction finds in trees isn't in the texts that are made without one."""
    text, complete = mapping_text(values, redactor=REDACTOR)
    assert "hunter2" not in text
    assert not complete


def test_patterns_of_the_project_see_short_strings() -> None:
    """Where the project has its own patterns, no string is too short to be looked at."""
    redactor = Redactor(extra_patterns=["^x1$"])
    assert "x1" not in mapping_text({"a": "x1"}, redactor=redactor)[0]
    assert "x1" not in mapping_text({"a": ["x1", 1, 2]}, redactor=redactor)[0]
    assert "x1" not in text_of("x1", redactor)[0]


def test_what_is_shared_stays_shared() -> None:
    """One list given twice is one list in the text."""
    shared = [1]
    values = {"a": shared, "b": shared}
    tree = json.loads(mapping_text(values, redactor=REDACTOR)[0])
    assert tree == encode_mapping(values, redactor=REDACTOR).tree
    assert tree[4] == ["*", 0]


PARTS = st.integers(0, 3)


@given(st.lists(PARTS | st.lists(PARTS, max_size=3), max_size=5))
def test_what_values_share_among_each_other_is_shared(numbers: list[Any]) -> None:
    """Lists, simple ones and others, that stand alone and within each other have one identity."""
    parts: list[Any] = [[1], {"a": 1}, [[2]], (3, [4])]
    items = tuple(
        parts[each] if isinstance(each, int) else [parts[number] for number in each]
        for each in numbers
    )
    names = tuple("abcde"[: len(items)])
    text, complete = values_text(form_of(names, REDACTOR), names, items, REDACTOR)
    whole = encode_mapping(dict(zip(names, items, strict=True)), redactor=REDACTOR)
    assert (json.loads(text), complete) == whole


@pytest.mark.parametrize(
    "large",
    [
        list(range(5_000)),
        ("short", 1.5, None, True) * 1_000,
        dict.fromkeys(range(5_000)),
        set(range(5_000)),
        "x " * 50_000,
        [[1]] * 5_000,
        ["password", "hunter2"] * 5_000,
    ],
)
def test_what_is_cut_is_cut_in_texts(large: Any) -> None:
    """A value that can't be kept whole is a mark with ten items at most, beside complete ones."""
    rows = [[number] for number in range(1_000)]  # more than is kept beside what isn't complete
    values = {"before": [[1]], "a": large, "b": [1], "rows": rows}
    text, complete = mapping_text(values, redactor=REDACTOR)
    assert (json.loads(text), complete) == encode_mapping(values, redactor=REDACTOR)
    assert not complete
    text, complete = text_of(large, REDACTOR)
    assert (json.loads(text), complete) == encode(large, redactor=REDACTOR)
    assert len(text) < 300
    text, complete = mapping_text({"a": large, "b": large}, redactor=REDACTOR)
    tree = encode_mapping({"a": large, "b": large}, redactor=REDACTOR).tree
    assert json.loads(text) == tree


def test_a_cyclic_list_has_a_text() -> None:
    """A list in itself ends as it does in a tree."""
    cyclic: list[Any] = [1, 2, 3]
    cyclic.append(cyclic)
    text = mapping_text({"a": cyclic}, redactor=REDACTOR)[0]
    assert json.loads(text) == encode_mapping({"a": cyclic}, redactor=REDACTOR).tree


def test_limits_hold_for_texts() -> None:
    """More names than the limits allow, and strings that are too long, take the way of trees."""
    limits = Limits(max_items=2, max_string_length=MAX_LENGTH)
    for values in ({"a": 1, "b": 2, "c": 3}, {"a": "x" * (MAX_LENGTH + 1)}):
        whole = encode_mapping(values, limits=limits, redactor=REDACTOR)
        text, complete = mapping_text(values, limits=limits, redactor=REDACTOR)
        assert (json.loads(text), complete) == whole


def test_what_floats_json_lacks_are_marked() -> None:
    """NaN and the infinities stand as in trees."""
    text = mapping_text({"a": math.inf, "b": -math.inf, "c": math.nan}, redactor=REDACTOR)[0]
    assert text == '["d","a",["f","inf"],"b",["f","-inf"],"c",["f","nan"]]'
