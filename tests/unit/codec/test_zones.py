"""Time zones of pytz, which are classes of their own."""

import json
from datetime import datetime

import pytest

from prunella.codec import decode, encode, redact_tree, render, type_name
from prunella.codec.redact import Redactor
from prunella.model.errors import RecordError

pytz = pytest.importorskip("pytz")

BERLIN = pytz.timezone("Europe/Berlin")


@pytest.mark.parametrize(
    "value",
    [
        BERLIN,
        pytz.timezone("Etc/GMT-3"),
        pytz.utc,
        BERLIN.localize(datetime(2026, 7, 1, 12)),  # noqa: DTZ001 - pytz attaches the zone
        BERLIN.localize(datetime(2026, 12, 1, 12)),  # noqa: DTZ001
        datetime(2026, 7, 1, tzinfo=pytz.utc),
        pytz.timezone("Asia/Kathmandu").localize(datetime(1970, 1, 1)),  # noqa: DTZ001
    ],
    ids=str,
)
def test_zones_come_back_as_themselves(value):
    """pytz keeps one instance for each zone and offset; that instance is what comes back."""
    encoded = encode(value)
    assert encoded.complete, encoded.tree
    again = decode(json.loads(json.dumps(encoded.tree)))
    assert (type(again), again, repr(again)) == (type(value), value, repr(value))
    zone = getattr(value, "tzinfo", value)
    assert getattr(again, "tzinfo", again) is zone
    assert redact_tree(encoded.tree, Redactor()) == encoded.tree


def test_zones_are_readable():
    """People see the zone's name."""
    assert "Europe/Berlin" in render(encode(BERLIN.localize(datetime(2026, 7, 1))).tree)  # noqa: DTZ001
    assert render(encode(BERLIN).tree) == "timezone('Europe/Berlin')"
    assert type_name(encode(BERLIN).tree) == "pytz.timezone"


@pytest.mark.parametrize(
    "tree",
    [
        ["pytz"],
        ["pytz", 3],
        ["pytz", "Nowhere/Else"],
        ["pytz", "Europe/Berlin", 1],
        ["pytz", "Europe/Berlin", "x", 0, "CET"],
    ],
)
def test_malformed_zones_are_errors(tree):
    """Whatever a tree says, it raises `RecordError`."""
    with pytest.raises(RecordError):
        decode(tree)
    render(tree)
    type_name(tree)
