import array
import datetime
import functools
import io
import json
import logging
import math
import re
import threading
import types
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec_samples import (
    Access,
    Blob,
    Colour,
    Groups,
    Level,
    Line,
    Model,
    Names,
    Number,
    Order,
    Outer,
    Pair,
    Plain,
    Point,
    Queue,
    Ratio,
    Refused,
    Register,
    Rows,
    Slotted,
    SlottedWithDict,
    Table,
    Tally,
    Text,
    Triple,
    function,
    plain,
)
from prunella.codec import decode, encode, encode_mapping


def rebuilt(value: Any) -> Any:
    encoded = encode(value)
    assert encoded.complete, encoded.tree
    return decode(json.loads(json.dumps(encoded.tree)))


def same(one: Any, other: Any) -> bool:
    """Equal in value and type, all the way down; NaN is NaN and -0.0 isn't 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (float, complex, Decimal)):
        return repr(one) == repr(other)
    if isinstance(one, (datetime.datetime, datetime.time)):
        return one == other and one.fold == other.fold and str(one.tzinfo) == str(other.tzinfo)
    return same_parts(one, other)


def same_parts(one: Any, other: Any) -> bool:
    """As `same`, for two of one type that consist of parts."""
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)
        return len(one) == len(other) and all(same(a, b) for a, b in pairs)
    if isinstance(one, (set, frozenset)):
        key = lambda item: (type(item).__name__, repr(item))  # noqa: E731
        return same(sorted(one, key=key), sorted(other, key=key))
    if isinstance(one, (Order, Plain)):
        return same(vars(one), vars(other))
    if isinstance(one, Line):
        return same((one.article, one.price), (other.article, other.price))
    return bool(one == other)


ZONES = [None, datetime.UTC, zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("UTC")]
ZONES.append(datetime.timezone(datetime.timedelta(hours=-3, minutes=-30), "here"))
hashables = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**1000, max_value=2**1100),
    st.floats(),
    st.text(st.characters(codec=None), max_size=20),
    st.binary(max_size=20),
    st.complex_numbers(),
    st.decimals().filter(lambda value: not value.is_snan()),  # these can't be hashed
    st.fractions(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.sampled_from(ZONES), allow_imaginary=True),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([*Colour, *Level, Access.READ, Access.READ | Access.RUN, Access(0)]),
    st.integers().map(Number),
    st.text(max_size=5).map(Text),
    st.builds(range, st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 9)),
    st.text("abc/.", min_size=1, max_size=9).map(PurePosixPath),
)
values = st.recursive(
    hashables,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.lists(inner, max_size=5).map(Rows),
        st.lists(inner, max_size=5).map(deque),
        st.dictionaries(hashables, inner, max_size=5),
        st.dictionaries(hashables, inner, max_size=5).map(OrderedDict),
        st.sets(hashables, max_size=5),
        st.frozensets(hashables, max_size=5),
        st.binary(max_size=9).map(bytearray),
        st.builds(Order, st.integers(), st.lists(inner, max_size=3)),
        st.builds(Line, st.text(max_size=3), inner),
        st.builds(Point, st.integers(), inner),
        st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3).map(
            lambda items: plain(**items)
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values)
def test_what_was_encoded_comes_back_equal_in_value_and_type(value: Any) -> None:
    """decode(encode(x)) is x again, through JSON, whatever is nested in whatever."""
    assert same(rebuilt(value), value)


@pytest.mark.parametrize(
    "value",
    [
        -0.0,
        10**5000,
        -(2**1000),
        True,
        Number(1),
        Ratio("nan"),
        Text("x"),
        Blob(b"x"),
        "\ud800 lone",
        bytearray(b"ab"),
        Decimal("-0.00"),
        Fraction(-1, 3),
        ...,
        NotImplemented,
        slice(1, None, [2]),
        range(5, 1, -2),
        Path("/a/b"),
        PureWindowsPath("C:/a"),
        uuid.UUID(int=5),
        datetime.datetime(2026, 10, 25, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=1),
        datetime.time(1, 2, 3, 4, tzinfo=datetime.UTC, fold=1),
        deque([1, 2], maxlen=2),
        Counter("abca"),
        Queue([1]),
        Register(a=1),
        Tally("aab"),
        Names({1}),
        Table({1: 2}),
        Triple((1, [2])),
        Pair(1, [2]),
        Point(1, {"a": 2}),
        Level.HIGH,
        Access.READ | Access.WRITE,
        Model(name="n", lines=[1]),
        plain(a=[1], b=plain()),
        array.array("d", [1.5, -2.0]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_value_survives(value: Any) -> None:
    """Value, type and, where there is one, sign and flavour."""
    back = rebuilt(value)

    assert type(back) is type(value)
    assert back == value or repr(back) == repr(value)


def test_state_beside_the_contents_survives() -> None:
    """Attributes of subclasses of built-ins, private slots, defaults of defaultdicts."""
    rows = Rows([1])
    rows.note = "n"  # type: ignore[attr-defined]
    groups = Groups(list, {"a": [1]})
    mixed = SlottedWithDict().fill([1], 2)
    mixed.more = 3  # type: ignore[attr-defined]

    back = rebuilt([rows, groups, Slotted().fill(1, "s"), mixed])

    assert back[0].note == "n"
    assert (type(back[1]), back[1].default_factory, back[1]) == (Groups, list, {"a": [1]})
    assert back[2].contents() == (1, "s")
    assert not hasattr(back[2], "unset")
    assert (back[3].contents(), back[3].more) == (([1], 2), 3)


def test_exceptions_come_back_without_their_constructor() -> None:
    """Arguments and attributes are those it had, also where the constructor takes others."""
    refused, missing = rebuilt([Refused(reason="no"), FileNotFoundError(2, "gone", "f.txt")])

    assert (type(refused), refused.args, refused.reason) == (Refused, ("refused: no",), "no")
    assert (missing.errno, missing.filename, type(missing)) == (2, "f.txt", FileNotFoundError)
    assert (rebuilt(ImportError("i", name="m")).name, str(rebuilt(KeyError("k")))) == ("m", "'k'")
    assert rebuilt(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")).reason == "bad"
    assert rebuilt(ExceptionGroup("g", [ValueError(1)])).exceptions[0].args == (1,)


def test_classes_and_functions_are_references() -> None:
    """They come back as the very same objects."""
    for one in (len, json.dumps, dict, Outer.Inner, function, type(None), datetime.datetime):
        assert rebuilt(one) is one
    owner = plain(a=1)
    method = rebuilt(owner.method)
    assert (method.__func__, method.__self__) == (type(owner).method, owner)
    assert rebuilt(re.compile("a+", re.I)) == re.compile("a+", re.I)
    assert rebuilt(types.MappingProxyType({"a": [1]})) == {"a": [1]}


def test_what_objects_carry_along_comes_back_usable() -> None:
    """Loggers by name, locks new, buffers at their position, partial calls uncalled."""
    lock, text = threading.Lock(), io.StringIO("ab\r\ncd")
    text.seek(1)
    owner = plain(log=logging.getLogger("a.b"), root=logging.getLogger(), locks=[lock, lock])
    call = functools.partial(function, 1, key=[2])

    back, buffers, again = rebuilt([owner, [text, io.BytesIO(b"x")], call])

    assert (back.log, back.root) == (owner.log, owner.root)
    assert back.locks[0] is back.locks[1]
    assert back.locks[0].acquire(blocking=False)
    assert (buffers[0].read(), buffers[1].getvalue()) == ("b\r\ncd", b"x")
    assert (again.func, again.args, again.keywords) == (function, (1,), {"key": [2]})
    with lock:
        assert not encode(lock).complete


@pytest.mark.parametrize("kind", ["<i8", ">f4", "?", "<c16", "<M8[ns]", "<m8[s]", "<U3", "S2"])
def test_numpy_arrays_and_scalars_survive(kind: str) -> None:
    """Of every kind without objects, in any memory order."""
    whole = np.arange(6).astype(kind).reshape(2, 3)

    for value in (whole, whole.T, whole[0, 0], np.array(whole[0, 0])):
        back = rebuilt(value)
        assert (type(back), back.dtype, back.shape) == (type(value), value.dtype, value.shape)
        np.testing.assert_array_equal(back, value)


# --- identity -----------------------------------------------------------------------------------


def test_shared_parts_stay_shared() -> None:
    """One list in two arguments is one list again; equal ones stay two."""
    one, two = [1], [1]
    encoded = encode_mapping({"a": one, "b": [one, two], "*args": ({"k": one},)})

    back = decode(encoded.tree)

    assert back["a"] is back["b"][0] is back["*args"][0]["k"]
    assert back["b"][1] is not back["a"]


@given(st.integers(2, 7), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_any_graph_of_mutable_things_keeps_its_shape(size: int, random: Any) -> None:
    """Cycles and sharing among lists, dicts, tuples and objects come back edge for edge."""
    makers = (list, dict, plain, deque, Rows, Table)
    nodes: list[Any] = [random.choice(makers)() for _ in range(size)]
    for number, node in enumerate(nodes):
        for _ in range(random.randint(0, 3)):
            target: Any = random.choice(nodes)
            _link(node, (target, (number, target)) if random.random() < 0.3 else target)

    back = rebuilt(nodes)

    assert _shape(back) == _shape(nodes)


def _link(node: Any, target: Any) -> None:
    if isinstance(node, dict):
        node[len(node)] = target
    elif isinstance(node, (list, deque)):
        node.append(target)
    else:
        vars(node)[f"a{len(vars(node))}"] = target


def _shape(root: Any) -> list[Any]:
    seen: dict[int, int] = {}
    edges: list[Any] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, int):
            edges.append(node)
            continue
        if id(node) in seen:
            edges.append(("again", seen[id(node)]))
            continue
        seen[id(node)] = len(seen)
        if isinstance(node, dict):
            inner = list(node.values())
        else:
            inner = list(node) if hasattr(node, "__iter__") else list(vars(node).values())
        edges.append((type(node).__name__, len(inner)))
        stack += reversed(inner)
    return edges


def test_a_tuple_in_its_own_list_closes() -> None:
    """Cycles through immutable containers and through what hashes by identity."""
    inner: list[Any] = []
    cyclic = (inner, (1, inner))
    inner.append(cyclic)
    key = Outer.Inner()
    vars(key)["self"] = {key: frozenset([key])}

    back, again = rebuilt((cyclic, key))

    assert back[0][0] is back
    assert back[1][1] is back[0]
    assert list(vars(again)["self"]) == [again]
    assert vars(again)["self"][again] == {again}


def test_frozen_keys_with_shared_parts_are_filled_before_they_are_hashed() -> None:
    """A dataclass that hashes by its fields serves as key, element and value."""
    line = Line("a", (1, 2))

    back = rebuilt({"lines": {line: 1}, "set": {line}, "again": line})

    assert back["lines"][Line("a", (1, 2))] == 1
    assert back["again"] in back["set"]
    assert next(iter(back["set"])) is back["again"]


def test_scalars_in_tuples_are_not_numbered() -> None:
    """Trees stay readable: constants that happen to be one object are written out."""
    pair = (1, "a")

    assert encode([pair, pair, (), ()]).tree == ["l", ["t", 1, "a"], ["t", 1, "a"], ["t"], ["t"]]


def test_arguments_named_like_anything_survive() -> None:
    """Names are data: none collides with the format."""
    names = {"self": 1, "status": 2, "&": [3], "*args": (4,), "**kwargs": {"d": 5}, "": math.inf}

    assert decode(encode_mapping(names).tree) == names


def test_defaultdict_of_functions_elsewhere() -> None:
    """A factory that can't be imported makes it incomplete, not wrong."""
    assert rebuilt(defaultdict(list, {1: [2]})) == {1: [2]}
    assert not encode(defaultdict(lambda: 0)).complete
