"""What the records say of calls that fixes acted on: nothing that was masked is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import prunella
from interpreted import fix
from prunella import heal, install_fix
from prunella.codec import decode
from prunella.codec.wire import read_lines
from prunella.model.records import Call, Counts, Occurrence, Repeat


@pytest.fixture
def read(program: Path) -> Callable[[type[Any]], list[Any]]:
    def records(kind: type[Any]) -> list[Any]:
        found = []
        for path in sorted((program / ".prunella" / "spool").glob("*.jsonl")):
            for line in read_lines(path.read_bytes()):
                assert line.record is not None, line.problem
                found.append(line.record)
        return [each for each in found if type(each) is kind]

    return records


def test_a_masked_failure_is_an_occurrence(read: Callable[[type[Any]], list[Any]]) -> None:
    """A failure that a retry healed is recorded with its frames and inputs, and who masked it."""
    left = [1]

    @heal(idempotent=True)
    def fetch(city: str) -> str:
        if left:
            left.pop()
            raise TimeoutError("slow today")
        return f"sunny in {city}"

    install_fix(fix("retry", initial_delay_ms=0))
    assert fetch("Bonn") == "sunny in Bonn"
    (occurrence,) = read(Occurrence)
    assert occurrence.masked_by == "fix"
    assert occurrence.exception.message == "slow today"
    assert [frame.qualname.rpartition(".")[2] for frame in occurrence.exception.frames] == ["fetch"]
    assert decode(occurrence.inputs) == {"city": "Bonn"}
    assert occurrence.complete
    (call,) = read(Call)
    assert (call.fix_id, call.degraded, call.complete) == ("fix", False, True)
    assert call.call_id == occurrence.call_id


def test_a_fallbacks_result_is_degraded(read: Callable[[type[Any]], list[Any]]) -> None:
    """A result that isn't the function's own is marked, and never a reference for replays."""

    @heal
    def fetch() -> str:
        raise TimeoutError("down")

    install_fix(fix("fallback", chain=[{"constant": "clouds"}]))
    assert fetch() == "clouds"
    (call,) = read(Call)
    assert (call.fix_id, call.degraded, call.complete) == ("fix", True, False)
    assert [each.masked_by for each in read(Occurrence)] == ["fix"]


def test_every_masked_failure_counts(read: Callable[[type[Any]], list[Any]]) -> None:
    """As any error: the first ones in full, the others by number."""

    @heal
    def fetch() -> str:
        raise TimeoutError("down")

    install_fix(fix("fallback", chain=[{"constant": "clouds"}], cooldown_s=0))
    for _ in range(20):
        fetch()
    prunella.flush()
    occurrences, repeats = read(Occurrence), read(Repeat)
    assert len(occurrences) + sum(each.count for each in repeats) == 20
    assert {each.group for each in repeats} <= {each.group for each in occurrences}
    (sites,) = [counts.sites for counts in read(Counts)][-1:]
    assert next(iter(sites.values()))["errors"] == 20


def test_what_could_not_be_healed_is_recorded_once(
    read: Callable[[type[Any]], list[Any]],
) -> None:
    """One call is one failure, however often it was tried."""

    @heal(idempotent=True)
    def fetch() -> str:
        raise TimeoutError("down")

    install_fix(fix("retry", initial_delay_ms=0))
    with pytest.raises(TimeoutError):
        fetch()
    (occurrence,) = read(Occurrence)
    assert occurrence.masked_by is None
    assert [frame.qualname.rpartition(".")[2] for frame in occurrence.exception.frames] == ["fetch"]


def test_an_untouched_call_has_no_mark(read: Callable[[type[Any]], list[Any]]) -> None:
    """A fix that had nothing to do leaves no trace in the record."""

    @heal
    def fetch() -> str:
        return "sun"

    install_fix(fix("fallback", chain=[{"constant": "clouds"}]))
    fetch()
    (call,) = read(Call)
    assert (call.fix_id, call.degraded, call.complete) == (None, False, True)
