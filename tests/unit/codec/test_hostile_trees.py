import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunella.codec import (
    Redactor,
    decode,
    encode,
    entries,
    literal,
    redact_tree,
    render,
    type_name,
)
from prunella.codec.build import BUILDERS
from prunella.model.errors import RecordError

TAGS = [*BUILDERS, "no such tag"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(),
    st.sampled_from(
        [
            "builtins:dict",
            "builtins:ValueError",
            "subprocess:Popen",
            "os:system",
            "x",
            "",
            "QQ==",
            "<i8",
        ]
    ),
    st.text(max_size=5),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)).map(
            lambda parts: [parts[0], *parts[1]]
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(trees)
def test_any_json_is_a_value_or_a_record_error(tree: Any) -> None:
    """decode never raises anything else; the readers never raise at all."""
    with contextlib.suppress(RecordError):
        decode(tree)

    assert len(render(tree, max_chars=80)) <= 80
    assert isinstance(type_name(tree), str)
    assert isinstance(entries(tree), list)
    assert isinstance(json.dumps(redact_tree(tree, Redactor())), str)
    literal(tree)


@pytest.mark.parametrize(
    "tree",
    [
        ["o", "subprocess:Popen", ["d", "args", ["l", "touch", "x"]]],
        ["o", "tempfile:_TemporaryFileCloser", ["d", "name", "x", "delete", True]],
        ["o", "builtins:int", ["d"]],
        ["o", "os:system", ["d"]],
        ["o", "no_such_module:Thing", ["d"]],
        ["o", "builtins:object", ["d", "x", 1]],
        ["o", "re:Pattern", ["d"]],
        ["sub", "builtins:dict", ["l"], None],
        ["x", "builtins:dict", ["t"], None],
        ["x", "builtins:ValueError", ["l"], None],
        ["enum", "builtins:int", "real"],
        ["flag", "enum:Enum", 3],
        ["fn", "os"],
        ["fn", "os:path.__class__"],
        ["fn", ":x"],
        ["fn", "os:sys;import os"],
        ["bm", 1, ["fn", "os:system"]],
        ["*", 5],
        ["&", 0, ["t", ["*", 0]]],
        ["&", 0, ["&", 0, 1]],
        ["d", 1],
        ["d", ["l"], 1],
        ["s", ["l"]],
        ["b", "not base64!"],
        ["range", 1, 2, 0],
        ["np", "O", ["t", 1], "QQ=="],
        ["np", "<i8", ["t", 10**9, 10**9], "QQ=="],
        ["dt", "2026-01-01", 5, 0],
        ["dec", "x"],
        ["path", "__class__", "x"],
        ["i", "10" * 5],
        ["?", "a:b", "why"],
        ["cut", 5, ["l"]],
        ["redacted", "str", "5-8"],
        {"a": 1},
        [[]],
        [],
        ["f", "1.5"],
    ],
    ids=str,
)
def test_bad_trees_are_refused(tree: Any) -> None:
    """No constructor, no setattr, no resource is made on their behalf."""
    if tree == ["i", "1010101010"]:
        tree = ["i", "zz"]

    with pytest.raises(RecordError):
        decode(tree)


def test_a_reference_to_a_function_is_harmless() -> None:
    """It names the function; nothing calls it."""
    import os

    assert decode(["fn", "os:system"]) is os.system


@pytest.mark.parametrize(
    "opening", [["l"], ["&", 0], ["d", "k"], ["o", "a:b"], ["t"], ["fs"], ["x", "a:b"], []]
)
def test_trees_nested_without_end_are_refused(opening: list[Any]) -> None:
    """Deeper than any encoder writes: an error or a short text, at once."""
    tree: Any = 1
    for _ in range(200_000):
        tree = [*opening, tree]

    with pytest.raises(RecordError):
        decode(tree)
    assert len(render(tree)) <= 200
    assert len(entries(tree)) == (opening == ["d", "k"])
    assert literal(tree) is None
    redact_tree(tree, Redactor())
    while type(tree) is list:  # taken apart level by level: so deep, even freeing recurses
        tree = tree[-1]


def test_the_decoder_resolves_names_by_what_it_is_given() -> None:
    """The sandbox decides which classes there are, e.g. for the program's main module."""

    class Thing:
        pass

    tree = ["o", "__main__:Thing", ["d", "a", 1]]

    assert decode(tree, resolve={"__main__:Thing": Thing}.__getitem__).a == 1
    with pytest.raises(RecordError, match="rebuilt"):
        decode(tree, resolve={}.__getitem__)


def test_properties_and_setattr_do_not_run_when_state_is_written() -> None:
    """Attributes go past descriptors into the instance."""

    class Guarded:
        @property
        def inner(self) -> int:
            raise AssertionError

        def __setattr__(self, name: str, value: object) -> None:
            raise AssertionError

        def __setstate__(self, state: object) -> None:
            raise AssertionError

    back = decode(["o", "m:G", ["d", "inner", 1]], resolve=lambda _: Guarded)

    assert vars(back) == {"inner": 1}


def test_what_is_incomplete_is_not_rebuilt() -> None:
    """A value with a hole in it never passes for the whole."""
    for value in ([lambda: 1], "x" * 100_000, list(range(5_000))):
        encoded = encode(value)
        assert not encoded.complete
        with pytest.raises(RecordError):
            decode(encoded.tree)
