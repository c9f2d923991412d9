"""The environment variables that calls are replayed with."""

import pytest

from builders import process
from prunella.adapters.surroundings import replayed_variables
from prunella.model.repair import CheckOutcome
from prunella.validate.surroundings import surroundings


def test_known_variables_come_back_as_recorded() -> None:
    """Zone, locale, hash seed and interpreter options are those of the program."""
    recorded = {"TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "7"}
    assert replayed_variables(process(variables=recorded)) == recorded


def test_nothing_else_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record can't smuggle in a variable that loads something, or a value that stops Python."""
    hostile = {
        "LD_PRELOAD": "/srv/evil.so",
        "PYTHONSTARTUP": "/srv/evil.py",
        "PYTHONHASHSEED": "no number",
        "PYTHONUTF8": "2",
        "PYTHONOPTIMIZE": "0",
        "LANG": "x" * 1000,
        "TZ": "UTC\x00",
        "PATH": "/srv",
    }
    monkeypatch.delenv("TZ", raising=False)
    assert replayed_variables(process(variables=hostile)) == {}


def test_the_zone_of_the_healer_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program took the system's zone, so does its replay."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    found = replayed_variables(process(variables={"PYTHONHASHSEED": "1"}))
    assert found["TZ"] == ":/etc/localtime"
    assert "TZ" not in replayed_variables(process())


@pytest.mark.parametrize(
    ("variables", "kept", "lost"),
    [
        ({}, "the clock;", "time zone and locale, the order of sets of text"),
        ({"PYTHONHASHSEED": "random"}, "time zone and locale;", "the order of sets of text"),
        ({"PYTHONHASHSEED": "3"}, "the order of sets of text;", "random generators"),
    ],
)
def test_a_verdict_names_what_is_not_reproduced(
    variables: dict[str, str], kept: str, lost: str
) -> None:
    """What a replay can't bring back is told, and never counts as shown."""
    check = surroundings(process(variables=variables))
    assert check.outcome is CheckOutcome.NOT_SHOWN
    before, _, after = check.detail.partition("not reproduced")
    assert kept in before
    assert lost in after
