import datetime
import math
import re
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec_samples import Colour, Line, Model, Order, Pair, Refused, Rows, plain
from prunella.codec import decode, encode, encode_mapping, entries, literal, render, type_name

UTC_MOMENT = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
SEEN = [
    (None, "NoneType", "None"),
    (True, "bool", "True"),
    (5, "int", "5"),
    (1.5, "float", "1.5"),
    (math.nan, "float", "nan"),
    ("it's", "str", '"it\'s"'),
    (b"ab", "bytes", "b'ab'"),
    ([1, "a"], "list", "[1, 'a']"),
    ((1,), "tuple", "(1,)"),
    (set(), "set", "set()"),
    ({"a": [None]}, "dict", "{'a': [None]}"),
    (frozenset({1}), "frozenset", "frozenset({1})"),
    (range(3), "range", "range(0, 3, 1)"),
    (Decimal("2.50"), "decimal.Decimal", "Decimal('2.50')"),
    (UTC_MOMENT, "datetime.datetime", "datetime(2026-01-02 03:04:00 UTC)"),
    (Path("/a"), "pathlib.PosixPath", "PosixPath('/a')"),
    (deque([1]), "collections.deque", "deque([1])"),
    (OrderedDict(a=1), "collections.OrderedDict", "OrderedDict({'a': 1})"),
    (Colour.RED, "codec_samples.Colour", "Colour.RED"),
    (Pair(1, [2]), "codec_samples.Pair", "Pair(left=1, right=[2])"),
    (Order(1, []), "codec_samples.Order", "Order(number=1, lines=[])"),
    (Rows([1]), "codec_samples.Rows", "Rows([1])"),
    (ValueError("bad"), "ValueError", "ValueError('bad')"),
    (Refused(reason="x"), "codec_samples.Refused", "Refused('refused: x')"),
    (len, "function", "len"),
    (re.compile("a"), "re.Pattern", "re.compile('a')"),
    (np.zeros((2, 3)), "numpy.ndarray", "array((2, 3), dtype=<f8)"),
]


@pytest.mark.parametrize(("value", "kind", "text"), SEEN, ids=lambda item: str(item)[:20])
def test_a_tree_tells_its_type_and_looks_like_its_value(value: Any, kind: str, text: str) -> None:
    """What people read is near to what they would type."""
    tree = encode(value).tree

    assert type_name(tree) == kind
    assert render(tree) == text


def test_long_values_are_cut_to_the_length_asked_for() -> None:
    """Whatever is long, the text isn't."""
    for value in (
        "x" * 999,
        list(range(999)),
        {"k" * 999: 1},
        b"x" * 999,
        10**900,
        [[[["x" * 9]]]] * 99,
    ):
        text = render(encode(value).tree, max_chars=60)
        assert len(text) == 60
        assert text.endswith("…")


def test_marks_say_what_is_missing() -> None:
    """Opaque, cut and redacted values are shown as such, with their type."""
    cut, opaque = encode(list(range(5_000))).tree, encode(lambda: 1).tree

    assert render(cut).endswith("… (5000 in all)")
    assert type_name(cut) == "list"
    assert type_name(opaque) == "function"
    assert render(["redacted", "str", "5-8"]) == "<redacted str>"
    assert type_name(["redacted", "str", "5-8"]) == "str"


def test_entries_can_be_read_one_by_one() -> None:
    """What two arguments share stands in each of them; cycles stay cycles."""
    shared: list[Any] = [1]
    shared.append(shared)
    found = dict(entries(encode_mapping({"a": shared, "b": {"k": [shared, shared]}}).tree))

    back = decode(found["b"])["k"]

    assert back[0] is back[1] is back[0][1]
    assert decode(found["a"])[0] == 1
    assert entries(None) == []


# --- literals -----------------------------------------------------------------------------------

LITERAL = [
    *(value for value, _, _ in SEEN[:16]),
    Fraction(1, 3),
    uuid.UUID(int=7),
    datetime.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    datetime.time(1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=-3), "x")),
    datetime.timedelta(days=-1, microseconds=5),
    datetime.timedelta(),
    deque([1], maxlen=4),
    defaultdict(list, a=[1]),
    Counter("ab"),
    Colour.GREEN,
    Pair(1, (2,)),
    [Colour.RED, {"a": Path("x")}],
    10**400,
    -(10**400),
    complex(-0.0, math.inf),
    bytearray(b"x"),
    slice(None, 2),
    print,
]


@pytest.mark.parametrize("value", LITERAL, ids=lambda value: str(value)[:20])
def test_a_literal_evaluates_to_the_value(value: Any) -> None:
    """With its imports and nothing else; on one line."""
    made = literal(encode(value).tree)

    assert made is not None
    namespace: dict[str, Any] = {}
    for statement in made.imports:
        exec(statement, namespace)  # noqa: S102 - source that the test itself had made
    back = eval(made.expression, namespace)  # noqa: S307 - as above
    assert type(back) is type(value)
    assert back == value or repr(back) == repr(value)
    assert "\n" not in made.expression


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(nested)
def test_literals_of_plain_data_are_exact(value: Any) -> None:
    """Any nesting of built-in types."""
    made = literal(encode(value).tree)

    assert made is not None
    assert made.imports == ()
    back = eval(made.expression)  # noqa: S307 - source that the test itself had made
    assert repr(back) == repr(value)


def test_what_has_no_readable_source_has_no_literal() -> None:
    """Instances, sharing, cycles, holes, arrays and long values."""
    shared: list[int] = []
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    for value in (
        *(plain(a=1), Order(1), Line("a", 1), Model(name="x"), Rows([1]), Refused(reason="x")),
        *([shared, shared], cyclic, lambda: 1, np.zeros(3), list(range(5_000)), "x" * 5_000),
    ):
        assert literal(encode(value).tree) is None


def test_a_tree_cannot_smuggle_source_into_a_literal() -> None:
    """Names have to be identifiers, whatever the tree says they are."""
    for tree in (
        ["enum", "m:C", "X or __import__('os')"],
        ["enum", "m;import os:C", "X"],
        ["fn", "builtins:print(1)"],
        ["nt", "m:C", ["d", "a=1, b", 2]],
        ["dec", 5],
        ["range", "print()", 1, 1],
        ["f", "print()"],
        ["i", "print()"],
        ["td", "print()", 0, 0],
        ["fn", "a:class"],
        ["l", ["fn", "a:x"], ["fn", "b:x"]],
    ):
        assert literal(tree) is None
