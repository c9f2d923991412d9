"""Which failures look alike, and which came from a site inside."""

from collections.abc import Callable
from typing import Any

import pytest

from prunella.codec.wire import read_lines
from prunella.model.clock import to_us
from prunella.model.records import Repeat
from prunella.sdk.failure import entries
from prunella.sdk.groups import SAME_US, Group, Groups, came_through
from prunella.sdk.site import Site, site_of


def caught(function: Callable[..., Any], *arguments: Any) -> BaseException:
    """Return what `function` raises, with the traceback that begins at its own frame."""
    try:
        function(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is
        traceback: Any = error.__traceback__
        return error.with_traceback(traceback.tb_next)
    raise AssertionError("it returned")


def site(function: Any) -> Site:
    found = site_of(function, kind="function", boundary=False, capture=None, redact=())
    assert found is not None
    return found


def divide(a: int, b: int) -> float:
    return a / b


def recurse(depth: int) -> float:
    return recurse(depth - 1) if depth else divide(1, 0)


def through(a: int, b: int) -> float:
    return divide(a, b)


def test_the_same_place_and_type_look_alike() -> None:
    """Values make no difference."""
    groups, where = Groups(), site(divide)
    assert groups.of(where, caught(divide, 1, 0)) is groups.of(where, caught(divide, 2, 0))
    assert groups.of(where, caught(divide, 1, 0)) is not groups.of(where, caught(divide, 1, ""))


def test_depth_of_recursion_makes_no_difference() -> None:
    """A recursion that fails at another depth fails in the same way."""
    groups, where = Groups(), site(recurse)
    assert groups.of(where, caught(recurse, 3)) is groups.of(where, caught(recurse, 9))


def test_causes_make_a_difference() -> None:
    """One ``raise … from`` with causes of several types makes several groups."""

    def fail(cause: BaseException) -> None:
        raise ValueError("it failed") from cause

    groups, where = Groups(), site(fail)
    first = groups.of(where, caught(fail, KeyError()))
    assert first is groups.of(where, caught(fail, KeyError(3)))
    assert first is not groups.of(where, caught(fail, IndexError()))


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too many shares one group for each site."""
    monkeypatch.setattr("prunella.sdk.groups.MAX_GROUPS", 3)
    groups, where = Groups(), site(divide)
    places = [eval("lambda: 1 / 0") for _ in range(9)]  # noqa: S307 - new code each time
    assert len({id(groups.of(where, caught(place))) for place in places}) == 4


@pytest.mark.parametrize(
    ("count", "due", "wants"),
    [(1, True, True), (2, True, False), (3, False, True), (4, True, False), (7, False, True)],
)
def test_powers_of_two_are_due(count: int, due: bool, wants: bool) -> None:
    """Described are the 1st, 2nd, 4th, 8th …; inputs are wanted just before these."""
    group = Group("g1", None, None)
    group.count = count
    assert group.is_due is due
    assert group.wants_inputs is wants


def again(group: Group, error: BaseException) -> bool:
    step = error.__traceback__
    assert step is not None
    return group.code is step.tb_frame.f_code and group.is_again(error, step)


def test_a_failure_that_is_remembered_is_told_step_by_step() -> None:
    """Only the same type, message, way and lack of causes make a failure the same again."""

    def fail(kind: Any, *message: Any) -> None:
        if len(message) == 2:
            raise kind(message[0]) from KeyError()
        raise kind(*message)

    def through(kind: Any, *message: Any) -> None:
        fail(kind, *message)

    group = Group("g1", None, None)
    assert not again(group, caught(through, ValueError, "it"))
    group.remember(caught(through, ValueError, "it"))
    assert again(group, caught(through, ValueError, "it"))
    for function, *arguments in (
        (through, TypeError, "it"),
        (through, ValueError, "that"),
        (through, ValueError),
        (through, ValueError, 3),
        (through, ValueError, "it", "for a reason"),
        (fail, ValueError, "it"),
        (through, None),
    ):
        assert not again(group, caught(function, *arguments))


@pytest.mark.parametrize(
    ("function", "arguments"), [(recurse, (3,)), (recurse, (20,)), (int, ("9" * 61 + "x",))]
)
def test_what_takes_more_to_compare_is_not_remembered(function: Any, arguments: Any) -> None:
    """Recursions, long ways and long messages are told by their look alone."""

    def through() -> None:
        function(*arguments)

    group = Group("g1", None, None)
    group.remember(caught(through))
    assert not again(group, caught(through))


def test_an_exception_of_a_site_inside_is_told() -> None:
    """The innermost site in the traceback has recorded it already."""
    outer, inner = site(through), site(divide)
    assert came_through(outer, entries(caught(through, 1, 0).__traceback__)) is inner
    assert came_through(inner, entries(caught(divide, 1, 0).__traceback__)) is None


def test_a_recursive_call_is_a_call_inside() -> None:
    """A site that calls itself fails once, at the innermost call."""
    where = site(recurse)
    assert came_through(where, entries(caught(recurse, 1).__traceback__)) is not None


def test_the_frames_of_earlier_lives_do_not_count() -> None:
    """An exception object that was kept and raised again is new each time."""
    kept = ValueError()

    def fail() -> None:
        raise kept

    where = site(fail)
    for _ in range(4):
        assert came_through(where, entries(caught(fail).__traceback__)) is None


def repeat_of(line: bytes) -> Repeat:
    (found,) = read_lines(line)
    assert isinstance(found.record, Repeat), found.problem
    return found.record


def test_repeats_within_a_moment_share_their_line() -> None:
    """A repeat's moment is right to `SAME_US`, also where the clock was set back."""
    group = Group("g1", None, [])
    start = b'{"class":"repeat","process_id":"proc_1","group":"g1","site_id":"a:b","count":1,"at":'
    group.begin_repeats_with(start, "error")
    at_us = 1_700_000_000_000_000
    first = group.repeat_line(at_us)
    assert group.repeat_line(at_us + SAME_US - 1) is first
    later = group.repeat_line(at_us + SAME_US)
    earlier = group.repeat_line(at_us - 1)
    moments = [to_us(repeat_of(line).at) for line in (first, later, earlier)]
    assert moments == [at_us, at_us + SAME_US, at_us - 1]
