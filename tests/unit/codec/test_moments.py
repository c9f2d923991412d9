"""Subclasses of the standard library's dates and times, and attrs' classes."""

import datetime
import json
import zoneinfo

import attrs
import pytest

from prunella.codec import decode, encode
from prunella.validate.compare import compare


class Day(datetime.date):
    """Refuses what would run its code."""

    def isoformat(self):
        raise AssertionError("no code of the class runs")


class Moment(datetime.datetime):
    @property
    def year(self):
        raise AssertionError("no code of the class runs")

    def replace(self, *_, **__):
        raise AssertionError("no code of the class runs")


class Clock(datetime.time):
    pass


class Lasting(datetime.timedelta):
    def __new__(cls, *_):
        raise AssertionError("no constructor runs")


@attrs.define
class Basket:
    owner: str
    lines: list[int] = attrs.field(factory=list)


@attrs.frozen(slots=False)
class Ticket:
    number: int


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "base"),
    [
        (Day(2026, 11, 22), datetime.date),
        (Moment(2026, 10, 25, 2, 30, 1, 7, tzinfo=BERLIN, fold=1), datetime.datetime),
        (Clock(3, 4, 5, 6, fold=1), datetime.time),
        (datetime.timedelta.__new__(Lasting, 1, 2, 3), datetime.timedelta),
    ],
)
def test_subclasses_of_moments_keep_class_and_fields(value, base):
    """They are remade by their built-in base; nothing that they override runs."""
    encoded = encode(value)
    assert encoded.complete, encoded.tree
    again = decode(json.loads(json.dumps(encoded.tree)))
    assert type(again) is type(value)
    assert base.__eq__(again, value) is True
    assert getattr(again, "fold", 0) == getattr(value, "fold", 0)
    assert compare(encoded.tree, encode(again).tree) is None


@pytest.mark.parametrize("value", [Basket("a", [1, 2]), Ticket(7)])
def test_attrs_classes_come_back_equal(value):
    """With slots and without, frozen or not."""
    encoded = encode(value)
    assert encoded.complete, encoded.tree
    again = decode(json.loads(json.dumps(encoded.tree)))
    assert type(again) is type(value)
    assert again == value
