import string
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.model.records import Ending
from prunella.triage.fingerprint import fingerprint, innermost_project_frame, normalise
from recorded import a_frame, an_exception, an_occurrence


def of(**changes):
    return fingerprint(an_occurrence(exception=an_exception(**changes)))


NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=12)
KINDS = (
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(max_size=30).map(repr),
    st.uuids().map(str),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.integers(min_value=2**32).map(hex),
    st.lists(st.integers(), min_size=1, max_size=6).map(repr),
)
#: Two values of one kind.
PAIRS = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(kind, kind))


@given(st.lists(st.tuples(st.integers(1, 9999), st.integers(1, 9999)), min_size=1, max_size=5))
def test_moving_code_changes_nothing(lines):
    """Line numbers, positions and process-bound ids are no part of the fingerprint."""
    frames = [a_frame(qualname=f"f{index}") for index in range(len(lines))]
    moved = [
        replace(frame, first_line=first, line=line, position=(line, line, 0, 1))
        for frame, (first, line) in zip(frames, lines, strict=True)
    ]
    elsewhere = an_occurrence(
        2,
        process_id="proc_2",
        source_hash="ff",
        trace_id="u",
        group="g9",
        inputs=None,
        exception=an_exception(frames=tuple(moved)),
    )
    assert fingerprint(elsewhere) == of(frames=tuple(frames))


@given(st.sampled_from(["{} is no price", "row {}: bad", "expected {}", "got {}, no"]), PAIRS)
def test_values_in_messages_change_nothing(template, pair):
    """A message with another value of the same kind gives the same fingerprint."""
    one, other = pair
    assert of(message=template.format(one)) == of(message=template.format(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bad 1", "bad -27_000.5e-3"),
        ("key 'a' is gone", "key 'bcd' is gone"),
        ("key 'a' is gone", 'key "it\'s" is gone'),
        (f"no {uuid.UUID(int=1)}", f"no {uuid.UUID(int=2**127 + 5)}"),
        ("at 0x7f0012ab", "at 0x1"),
        ("commit 9fceb02d0ae5", "commit 1c002dd4b536"),
        ("no /srv/shop/a.csv here", "no /home/x/data/b-2.csv here"),
        ("no C:\\data\\a.csv here", "no D:\\b here"),
        ("no ./a/b.csv", "no ../c.csv"),
        ("mail bob@shop.example failed", "mail eve.x+1@a.b.example failed"),
        ("GET https://a.example/x?y=1 failed", "GET http://b.example:80/ failed"),
        ("due 2026-11-22", "due 2025-01-02T03:04:05.678Z"),
        ("rows [1, 2, 3]", "rows [7, 8]"),
        ("keys 'a', 'b'", "keys 'c', 'd', 'e'"),
        ("took 3.5s", "took 120s"),
        ("order A17 unknown", "order A9 unknown"),
        ("line one\n  two 2", "line one two 3"),
        ("'never closed", "'never closed either, with more"),
    ],
)
def test_each_kind_of_value_is_taken_out(one, other):
    """Numbers, quoted text, ids, paths, addresses and dates don't separate."""
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no price for the item", "no price for the order"),
        ("can't parse", "can't format"),
        ("don't stop, it won't help", "don't start, it won't help"),
        ("bad 1", "bad"),
    ],
)
def test_words_separate(one, other):
    """What is said with other words is another failure; apostrophes don't quote."""
    assert normalise(one) != normalise(other)


def test_names_in_messages_of_the_interpreter_separate():
    """A missing attribute `price` is another fault than a missing attribute `name`."""
    text = "'NoneType' object has no attribute {!r}".format
    assert of(type="builtins:AttributeError", message=text("price")) != of(
        type="builtins:AttributeError", message=text("name")
    )
    assert of(type="builtins:KeyError", message="'price'") == of(
        type="builtins:KeyError", message="'name'"
    )


@given(st.text(max_size=3000))
def test_any_message_is_normalised_within_bounds(message):
    """Messages are untrusted text: any of them is taken, and the result is bounded."""
    assert len(normalise(message)) <= 300
    assert len(of(message=message)) == 32


@pytest.mark.parametrize(
    "message", ["'" * 2000, '"\\' * 1000, "/a" * 1000, "a@" * 1000, "1." * 1000, "0-" * 1000]
)
def test_hostile_messages_cost_no_backtracking(message):
    """A message made to make the patterns search for ever is normalised like any other."""
    assert len(normalise(message)) <= 300


@given(NAMES, NAMES)
def test_functions_separate(one, other):
    """Failures in different functions have different fingerprints, in one module or two."""
    same = one == other
    assert (of(frames=(a_frame(qualname=one),)) == of(frames=(a_frame(qualname=other),))) == same
    assert (of(frames=(a_frame(module=one),)) == of(frames=(a_frame(module=other),))) == same


@given(NAMES, NAMES)
def test_types_separate(one, other):
    """Failures of different classes have different fingerprints."""
    assert (of(type=f"shop:{one}") == of(type=f"shop:{other}")) == (one == other)


def test_sites_separate():
    """The same failure below two sites is two incidents: each is recorded with its own inputs."""
    assert fingerprint(an_occurrence(site_id="shop:a")) != fingerprint(
        an_occurrence(site_id="shop:b")
    )


def test_own_codes_separate_and_other_attributes_do_not():
    """An exception's own error code tells failures of one class apart."""
    assert of(attributes={"error_code": "A.B"}) != of(attributes={"error_code": "A.C"})
    assert of(attributes={"errno": "1"}) == of(attributes={"errno": "2"})


@given(st.integers(1, 30), st.integers(1, 30))
def test_depth_of_recursion_changes_nothing(one, other):
    """A recursion, direct or mutual, fails as one function however deep it was."""

    def frames(depth):
        pair = (a_frame(qualname="walk"), a_frame(qualname="visit"))
        return (a_frame(qualname="main"), *pair * depth, a_frame(qualname="leaf"))

    assert of(frames=frames(one)) == of(frames=frames(other))


@pytest.mark.parametrize(
    "message",
    [
        "maximum recursion depth exceeded while calling a Python object",
        "maximum recursion depth exceeded in comparison",
        "maximum recursion depth exceeded while getting the str of an object",
    ],
)
def test_where_the_limit_was_reached_changes_nothing(message):
    """A runaway recursion is one incident, whatever it was doing when the limit stopped it."""
    enter, walk, visit, leaf = (
        a_frame(qualname=name) for name in ("main", "walk", "visit", "leaf")
    )
    kind = "builtins:RecursionError"
    plain = of(
        type=kind,
        message="maximum recursion depth exceeded",
        frames=(enter, *(walk, visit) * 3),
    )
    for frames in (
        (enter, *(walk, visit) * 9, walk),
        (enter, *(walk, visit) * 5, walk, leaf),
        (enter, *(visit, walk) * 5),
    ):
        assert of(type=kind, message=message, frames=frames) == plain
    assert of(type=kind, message=message, frames=(enter, *(walk, leaf) * 3)) != plain
    assert of(type=kind, message="the tree is too deep", frames=(enter, walk)) != plain


def test_frames_of_prunella_itself_do_not_count():
    """What records a program is no part of what failed in it, even if it lies in the project."""
    own = a_frame(file="src/prunella/sdk/wrapper.py", module="prunella.sdk.wrapper", qualname="run")
    assert of(frames=(own, a_frame(), own)) == of(frames=(a_frame(),))
    library = a_frame(module="json", qualname="loads", in_project=False)
    assert of(frames=(library, own)) == of(frames=(library,))
    assert innermost_project_frame(an_exception(frames=(a_frame(), own))) == a_frame()
    assert innermost_project_frame(an_exception(frames=(own,))) is None
    assert innermost_project_frame(an_exception(frames=(a_frame(module="prunellas"),))) is not None


def test_frames_outside_the_project_do_not_count():
    """A library's inner workings may change with its release."""
    library = a_frame(file="json/decoder.py", module="json.decoder", in_project=False)
    assert of(frames=(a_frame(), replace(library, qualname="raw_decode"))) == of(
        frames=(a_frame(), replace(library, qualname="scan_once"))
    )


def test_without_a_project_frame_the_innermost_counts():
    """A failure that only passes through libraries is told apart by where it was raised."""
    one = a_frame(module="json", qualname="loads", in_project=False)
    other = replace(one, qualname="dumps")
    assert of(frames=(one,)) != of(frames=(other,))
    assert of(frames=()) == of(frames=())


def test_comprehensions_are_the_function_around_them():
    """Python 3.12 runs comprehensions inline; an incident outlives the upgrade."""
    inner = a_frame(qualname="average.<locals>.<listcomp>")
    assert of(frames=(a_frame(), inner)) == of(frames=(a_frame(),))
    top = a_frame(qualname="<dictcomp>")
    assert of(frames=(a_frame(), top)) == of(frames=(a_frame(), replace(top, qualname="")))


def test_causes_separate():
    """What an exception was raised from is part of what failed."""
    plain = of()
    caused = of(cause=an_exception(type="builtins:KeyError", relation="cause", message="'a'"))
    other = of(cause=an_exception(type="builtins:OSError", relation="cause", message="'a'"))
    again = of(cause=an_exception(type="builtins:KeyError", relation="cause", message="'b'"))
    assert len({plain, caused, other}) == 3
    assert caused == again


def test_long_chains_are_bounded():
    """Only the nearest causes count, so that a retry loop's chain makes no new incidents."""

    def chain(length):
        info = an_exception()
        for _ in range(length):
            info = an_exception(cause=info, relation="context")
        return fingerprint(an_occurrence(exception=info))

    assert chain(10) == chain(11)


def test_ending_changes_nothing():
    """How a call ended is triage's to judge, not part of what failed."""
    assert fingerprint(an_occurrence(ending=Ending.FAILURE)) == fingerprint(an_occurrence())


def test_scheme_one_is_frozen():
    """A released scheme answers the same for ever; a change needs a new scheme."""
    assert fingerprint(an_occurrence()) == "943114ede81e73e888cdd2f7c2524edc"
