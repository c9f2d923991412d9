"""Exceptions as records: faithful, bounded, without running the program's code."""

import json
from pathlib import Path
from typing import Any

import pytest

from prunella.codec import Redactor, entries
from prunella.codec.plain import from_plain
from prunella.model.records import ExceptionInfo
from prunella.sdk.failure import INNER_FRAMES, OUTER_FRAMES, Sight, describe, message_of
from prunella.sdk.process import CodePlaces


class Hostile(Exception):
    """An exception that must not be asked anything."""

    def __str__(self) -> str:
        raise AssertionError("asked for its text")

    __repr__ = __str__

    @property
    def code(self) -> int:
        raise AssertionError("asked for its code")


def described(error: BaseException) -> ExceptionInfo:
    root = Path(__file__).parents[3]
    sight = Sight(Redactor(), CodePlaces(root))
    return from_plain(ExceptionInfo, json.loads(describe(error, sight)))


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - what was raised
        return caught


def test_frames_say_where_and_with_what() -> None:
    """Each frame of the project has its file, its exact position and its local variables."""

    def inner(amount: int) -> float:
        rates = [amount]
        return amount / (rates[0] - amount)

    def outer() -> float:
        return inner(7)

    with pytest.raises(ZeroDivisionError) as caught:
        outer()
    info = described(caught.value)
    assert info.type == "builtins:ZeroDivisionError"
    assert info.mro[-1] == "builtins:BaseException"
    last = info.frames[-1]
    assert last.qualname.endswith("inner")
    assert last.file == "tests/unit/sdk/test_failure.py"
    assert last.in_project
    assert last.position is not None
    line, end_line, column, end_column = last.position
    text = Path(__file__).read_text().splitlines()[line - 1]
    assert (line, text[column:end_column]) == (end_line, "amount / (rates[0] - amount)")
    assert dict(entries(last.local_values)) == {"amount": 7, "rates": ["l", 7]}


def test_causes_are_followed_and_end() -> None:
    """A chain is kept in order with its relations; one that bites its tail ends."""
    first, second = raised(KeyError("a")), raised(ValueError("b"))
    second.__cause__ = first
    first.__context__ = second
    info = described(second)
    assert info.relation == "cause"
    assert info.cause is not None
    assert info.cause.type_name == "KeyError"
    assert info.cause.cause is None
    group = described(ExceptionGroup("several", [first]))
    assert group.relation == "group"


def test_nothing_of_the_program_is_run() -> None:
    """Neither text nor attributes of a hostile exception are asked for."""
    info = described(raised(Hostile("said", 3)))
    assert "said" in info.message
    assert info.attributes == {}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("x"), "'x'"),
        (ValueError(), ""),
        (ValueError("a", 2), "('a', 2)"),
        (FileNotFoundError(2, "No such file", "f.txt"), "[Errno 2] No such file: 'f.txt'"),
        (ExceptionGroup("two", [ValueError()]), "two (1 sub-exception)"),
    ],
)
def test_builtin_exceptions_speak_for_themselves(error: Exception, message: str) -> None:
    """Where no code of the program is run, the message is `str` of the exception."""
    assert message_of(error) == message == str(error)


def test_huge_messages_cost_little_and_are_cut() -> None:
    """A gigantic argument is neither copied nor rendered."""
    huge = "x" * 100_000_000
    assert len(message_of(ValueError(huge))) <= 2_000
    assert len(message_of(ValueError(huge, huge))) <= 2_000


def test_codes_are_kept_if_plain() -> None:
    """An error's own code is kept, of the class or the instance; secrets aren't."""

    class Domain(Exception):
        error_code = "SHOP.PRICE.MISSING"

    error: Any = Domain()
    error.status_code = 404
    error.code = ["not", "plain"]
    info = described(raised(error))
    assert info.attributes == {
        "error_code": "SHOP.PRICE.MISSING",
        "status_code": "404",
        "status": "404",
    }
    assert described(OSError(2, "gone")).attributes == {"errno": "2"}


def test_deep_tracebacks_keep_both_ends() -> None:
    """A runaway recursion is cut in the middle."""

    def down(number: int) -> None:
        down(number + 1)

    with pytest.raises(RecursionError) as caught:
        down(0)
    info = described(caught.value)
    assert len(info.frames) == OUTER_FRAMES + INNER_FRAMES
    assert info.frames[-1].qualname.endswith("down")


def test_a_project_ends_where_environments_and_libraries_begin(tmp_path: Path) -> None:
    """Installed code below the root isn't the project's."""
    places = CodePlaces(tmp_path)
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert places.place(str(tmp_path / "app" / "a.py")) == ("app/a.py", True)
    assert places.place(str(tmp_path / "venv" / "lib" / "b.py")) == ("venv/lib/b.py", False)
    assert not places.place(str(tmp_path / "x" / "site-packages" / "c.py"))[1]
    assert places.place("<string>") == ("<string>", False)
    assert not places.place(pytest.__file__)[1]
