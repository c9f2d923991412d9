"""Classification meets whatever a program can raise."""

import enum
from http import HTTPStatus

import pytest

from prunella.taxonomy import classify, facts
from prunella.taxonomy.view import MAX_CHAIN, Living


class Called(BaseException):
    """Code of the program ran."""


class Hostile(Exception):
    def __str__(self):
        raise Called

    __repr__ = __str__

    def __getattribute__(self, name):
        raise Called

    def __eq__(self, other):
        raise Called

    def __hash__(self):
        raise Called

    @property
    def status_code(self):
        raise Called


class Slippery:
    @property
    def __dict__(self):
        raise ValueError("no")

    def __getattr__(self, name):
        raise Called


class Lying(str):
    def lower(self):
        raise Called

    __contains__ = __len__ = lower


class Number(int):
    def __str__(self):
        raise Called

    __int__ = __index__ = __le__ = __str__


def test_none_of_the_programs_code_runs():
    """Methods, properties and attribute hooks of the exception and its parts aren't called."""
    error = Hostile("a", Slippery())
    assert classify(error).code.code == "CODE.LOGIC.UNCLASSIFIED"
    assert facts(error) == {}


@pytest.mark.parametrize("name", ["response", "status_code", "body", "code", "type", "sqlstate"])
def test_attributes_of_any_type_are_read_over(name):
    """What isn't what a client would set is no fact."""
    for part in (Slippery(), Lying("503"), [], {}, "503", None, True, 5030, -1):
        error = ValueError("x")
        setattr(error, name, part)
        assert classify(error).code.code == "CODE.VALUE.INVALID"


def test_numbers_of_the_programs_own_kind():
    """Statuses are often members of an enumeration; a class's own arithmetic isn't asked."""
    for status in (
        503,
        HTTPStatus.SERVICE_UNAVAILABLE,
        enum.IntEnum("E", {"A": 503}).A,
        Number(503),
    ):
        error = Exception("x")
        error.status_code = status
        assert facts(error) == {"status": "503"}
        assert classify(error).code.code == "HTTP.SERVER.UNAVAILABLE"


def test_circles_of_causes_end():
    """Exceptions may be each other's cause; a long chain is followed for a few steps."""
    one, two = Exception("1"), Exception("2")
    one.__context__, two.__cause__ = two, one
    assert classify(one).code.code == "CODE.LOGIC.UNCLASSIFIED"

    chain = [RuntimeError(str(number)) for number in range(MAX_CHAIN + 1)]
    for outer, inner in zip(chain, [*chain[1:], KeyError("far")], strict=True):
        outer.__cause__ = inner
    assert classify(chain[0]).code.code == "CODE.STATE.INVALID"
    assert classify(chain[-2]).code.code == "CODE.KEY.MISSING"


def test_messages_are_bounded():
    """Of a message of any size, a beginning is looked at."""
    assert len(Living(ValueError("x" * 10_000_000)).message()) < 1_000
    assert classify(ValueError("x" * 10_000_000)).code.code == "CODE.VALUE.INVALID"


def test_classes_with_odd_names():
    """A module or name that isn't text, or is very long, is no obstacle; the reason is bounded."""
    odd = type("N" * 5_000, (Exception,), {"__module__": 7})
    assert classify(odd()).code.code == "CODE.LOGIC.UNCLASSIFIED"
    assert len(classify(odd()).because) <= 300


def test_many_classes_take_bounded_room():
    """Classes that a program makes as it runs don't fill the memory."""
    from prunella.taxonomy import classification, view

    for number in range(2_100):
        classify(type(f"E{number}", (KeyError,), {})())
    assert len(view._classes) <= 2_000
    assert len(classification._known) <= 2_000
