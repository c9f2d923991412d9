"""What is held of values gives the same text later, whatever has become of them."""

import sys
from array import array
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.codec.limits import DEFAULT_LIMITS
from prunella.codec.redact import Redactor
from prunella.codec.snapshot import MAX_ITEMS, MAX_LENGTH, snapshot
from prunella.codec.texts import form_of, values_text

REDACTOR = Redactor()
#: The code of arrays of characters.
TEXT = "w" if sys.version_info >= (3, 13) else "u"
LONG = DEFAULT_LIMITS.max_items + 1

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=9)
    | st.text(max_size=80)
    | st.sampled_from(["--password", "authorization", "sk-ant-api03-" + "a1B2" * 8, 1 << 1_000])
)
FLAT = st.lists(SCALARS, max_size=MAX_ITEMS + 2)
LARGE = st.sampled_from(
    [
        [7] * LONG,
        ["--token", "hunter2"] * LONG,
        (0.5,) * LONG,
        [{}] * LONG,
        array("d", [1.5]) * 20_000,
        array(TEXT, "text") * 20_000,
        numpy.zeros((40, 1_000)),
        numpy.asfortranarray(numpy.arange(40_000.0).reshape(40, 1_000)),
        numpy.array(["password=hunter2"] * 2_000),
        numpy.array([object()] * 20_000),
        numpy.zeros(20_000, dtype=[("a", "i4")]),
        numpy.zeros(3),
    ]
)
VALUES = (
    SCALARS
    | FLAT
    | FLAT.map(tuple)
    | st.dictionaries(st.sampled_from(["a", "password", 1]), SCALARS)
    | st.lists(FLAT, max_size=3)
    | st.sets(st.integers(), max_size=3)
    | LARGE
)


def text(values: tuple[Any, ...]) -> tuple[str, bool]:
    names = tuple(f"a{number}" for number in range(len(values)))
    return values_text(form_of(names, REDACTOR), names, values, REDACTOR)


@given(st.lists(VALUES, max_size=4).map(tuple), st.booleans())
def test_what_is_held_has_the_text_of_what_it_was_taken_of(
    values: tuple[Any, ...], is_twice: bool
) -> None:
    """Text of a snapshot is that of the values, also where they share something or are cut."""
    values = values * 2 if is_twice else values
    held = snapshot(values)
    assert held is None or text(held) == text(values)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1, 2], list.clear),
        ([1] * LONG, list.clear),
        ({"a": 1}, dict.clear),
        (array("i", range(20_000)), lambda value: value.__setitem__(0, 9)),
        (numpy.arange(20_000), lambda value: value.fill(9)),
    ],
    ids=["list", "long list", "dict", "array", "numpy array"],
)
def test_what_becomes_of_a_value_later_is_not_in_its_text(value: Any, change: Any) -> None:
    """A snapshot is of the moment it was taken at."""
    before = text((value,))
    held = snapshot((value,))
    change(value)
    assert held is not None
    assert text(held) == before
    assert text((value,)) != before


@pytest.mark.parametrize(
    "value",
    [
        "x" * (MAX_LENGTH + 1),
        b"x" * (MAX_LENGTH + 1),
        ["x" * (MAX_LENGTH + 1)],
        [[1]],
        [1] * (MAX_ITEMS + 1),
        type("Named", (list,), {})(),
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_change_or_is_large_is_not_held(value: Any) -> None:
    """Nothing of the program is kept alive but small scalars and copies of a few."""
    assert snapshot((1, value)) is None
