"""What the store makes of what processes ship, whatever the network and death do to it."""

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

import builders as b
from prunella.adapters.feed import FileFeed
from prunella.adapters.retrieval import HybridRetriever
from prunella.adapters.sql_store import SqlStore
from prunella.experiment import Arm, strata
from prunella.model.clock import now
from prunella.model.ids import IncidentId
from prunella.model.incidents import CaseOutcome
from prunella.model.records import Exposures
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import advance_rollouts
from prunella.pipeline.lessons import worked_before
from prunella.pipeline.looking import look_at
from prunella.pipeline.rollouts import add, take
from prunella.ports import RolloutStore, Triaged
from prunella.rollout import By, approve, promote, roll_back
from prunella.sdk.installing import installation_of

DOCUMENT = {
    "fix_id": "fix-1",
    "fix_type": "fallback",
    "target": {"sites": ["shop:price"]},
    "config": {"chain": [{"constant": 0}]},
}


@pytest.fixture
def feed(tmp_path: Path) -> FileFeed:
    return FileFeed(tmp_path)


@pytest.fixture
def rollout(store: SqlStore, feed: FileFeed) -> Rollout:
    add(store, feed, DOCUMENT, by())
    return take(store, feed, "fix-1", approve, by())


def by() -> By:
    return By(actor="tester", at=now())


def tally(rollout: Rollout, arm: str, n: int, failures: int, **changes: Any) -> dict[str, Any]:
    return {
        "rollout_id": rollout.rollout_id,
        "epoch": rollout.epoch,
        "ratio": rollout.ratio,
        "arm": arm,
        "counts": {"n": n, "failures": failures},
    } | changes


def shipped(
    rollout: Rollout, process: str, sequence: int, treated: int, harm: int = 0
) -> Exposures:
    """Return a shipment of a process after `treated` units with the fix, of which `harm` failed."""
    untreated = round(treated * (1 - rollout.ratio) / rollout.ratio)
    return Exposures(
        process_id=process,  # type: ignore[arg-type]  # an id is text
        sequence=sequence,
        tallies=(
            tally(rollout, "treatment", treated, harm),
            tally(rollout, "control", untreated, untreated if not harm else 0),
        ),
    )


def ingest(store: SqlStore, *records: Exposures) -> None:
    for number, record in enumerate(records):
        store.ingest([record], spool_name=f"s{now().timestamp()}{number}", end_offset=1)


def test_late_shuffled_and_doubled_shipments_change_nothing(
    store: SqlStore, rollout: Rollout
) -> None:
    """Of each process its highest sequence counts, then processes add up."""
    records = [
        shipped(rollout, f"proc_{process}", sequence, sequence)
        for process in (1, 2, 3)
        for sequence in (1, 2, 3, 4)
    ]
    random = Random(1)
    for _ in range(3):
        random.shuffle(records)
        ingest(store, *records)
    (stratum,) = strata(store.counted(rollout.rollout_id).readings, rollout.rollout_id)
    assert (stratum.treatment.n, stratum.control.n) == (12, 12 * 19)


def test_impossible_counts_are_refused_and_others_kept(store: SqlStore, rollout: Rollout) -> None:
    """One broken process doesn't decide for all."""
    good = shipped(rollout, "proc_1", 1, 5)
    for bad in (
        [tally(rollout, "treatment", 1, 2)],
        [tally(rollout, "neither", 1, 1)],
        [tally(rollout, "control", -1, 0)],
        [tally(rollout, "control", 1, 0, ratio=7.0)],
        [{"rollout_id": 5}],
    ):
        ingest(store, Exposures(process_id="proc_2", sequence=9, tallies=tuple(bad)))  # type: ignore[arg-type]
    ingest(store, good)
    meters = store.counted(rollout.rollout_id).readings
    assert {meter.process_id for meter in meters} == {"proc_1"}
    assert sum(store.health().refused.values()) == 5


def test_a_step_is_taken_once(store: SqlStore, feed: FileFeed, rollout: Rollout) -> None:
    """However often and by whomever it is looked at, and the feed says what the store says."""
    ingest(store, shipped(rollout, "proc_1", 1, 200))
    (after,) = advance_rollouts(store, feed, Settings())
    assert (after.ratio, after.epoch) == (0.25, rollout.epoch + 1)
    assert advance_rollouts(store, feed, Settings()) == ()
    assert not feed.publish(store)
    steps = [entry.action for entry in store.audit(subject=rollout.rollout_id)]
    assert steps.count("rollout.advanced") == 1


class Killed(Exception):
    """The process is gone."""


class DyingFeed:
    """A feed whose process dies before it tells anybody."""

    def publish(self, store: RolloutStore) -> bool:
        raise Killed


def test_a_healer_that_dies_between_step_and_feed_is_made_up_for(
    store: SqlStore, feed: FileFeed, rollout: Rollout, tmp_path: Path
) -> None:
    """Whoever looks next tells the running programs; the step isn't taken again."""
    ingest(store, shipped(rollout, "proc_1", 1, 200, harm=200))
    with pytest.raises(Killed):
        advance_rollouts(store, DyingFeed(), Settings())
    assert store.rollout("fix-1").state is RolloutState.ROLLED_BACK
    assert rollout.rollout_id in (tmp_path / "fixes.json").read_text()
    assert advance_rollouts(store, feed, Settings()) == ()
    assert rollout.rollout_id not in (tmp_path / "fixes.json").read_text()


def test_a_breaker_takes_a_fix_back_everywhere(
    store: SqlStore, feed: FileFeed, rollout: Rollout
) -> None:
    """One process that saw total failure is enough."""
    effects = {rollout.rollout_id: {"disabled": 1}}
    ingest(store, Exposures(process_id="proc_1", sequence=1, effects=effects))  # type: ignore[arg-type]
    (after,) = advance_rollouts(store, feed, Settings())
    assert after.state is RolloutState.ROLLED_BACK
    assert "breaker" in after.reason


def test_no_fix_gets_more_traffic_in_quiet_hours(
    store: SqlStore, feed: FileFeed, rollout: Rollout
) -> None:
    """It goes on when they are over; harm is taken back at any time."""
    at = now().astimezone()
    span = f"{at - timedelta(minutes=5):%H:%M}-{at + timedelta(minutes=5):%H:%M}"
    ingest(store, shipped(rollout, "proc_1", 1, 200))
    assert advance_rollouts(store, feed, Settings(quiet_hours=span), at) == ()
    ingest(store, shipped(rollout, "proc_1", 2, 400, harm=400))
    (after,) = advance_rollouts(store, feed, Settings(quiet_hours=span), at)
    assert after.state is RolloutState.ROLLED_BACK


def test_a_fix_that_does_not_fire_any_more_retires(store: SqlStore, feed: FileFeed) -> None:
    """After a week and a thousand calls, by itself."""
    add(store, feed, DOCUMENT, by())
    rollout = take(store, feed, "fix-1", promote, by())
    ingest(store, shipped(rollout, "proc_1", 1, 19))
    effects = {rollout.rollout_id: {"quiet_calls": 1000}}
    ingest(store, Exposures(process_id="proc_1", sequence=2, effects=effects))  # type: ignore[arg-type]
    later = now() + timedelta(days=8)
    (after,) = advance_rollouts(store, feed, Settings(), later)
    assert after.state is RolloutState.RETIRED
    assert "not fired" in after.reason


def test_arms_are_kept_apart(store: SqlStore, rollout: Rollout) -> None:
    """What control has seen never counts for treatment."""
    ingest(store, shipped(rollout, "proc_1", 1, 7))
    readings = store.counted(rollout.rollout_id).readings
    assert {meter.arm: each.counts.n for meter, each in readings.items()} == {
        Arm.TREATMENT: 7,
        Arm.CONTROL: 133,
    }


def test_rivals_are_dealt_by_one_hash_until_one_of_them_wins(
    store: SqlStore, feed: FileFeed, tmp_path: Path
) -> None:
    """The feed says which units are whose; the winner's rivals are taken back, and it has all."""
    for number in (1, 2):
        document = {**DOCUMENT, "fix_id": f"fix-{number}"}
        add(store, feed, document, by(), incident_id=IncidentId("inc_1"), confidence=0.5)
        take(store, feed, f"fix-{number}", approve, by())
    lots = [_lot(each) for each in _told(tmp_path)]
    assert lots[0]["ends"] == lots[1]["begins"]
    assert {each.salt for each in lots_read(tmp_path)} == {"inc_1"}
    look = look_at(store, "fix-1", Settings())
    assert look.rivals == ("fix-2",)
    assert next(each for each in look.weights if each.name == "benefit").threshold == 40
    take(store, feed, "fix-2", promote, by())
    (after,) = advance_rollouts(store, feed, Settings())
    assert (after.fix_id, after.state) == ("fix-1", RolloutState.INCONCLUSIVE)
    (left,) = _told(tmp_path)
    assert left["document"]["fix_id"] == "fix-2"
    assert _lot(left) is None


def _told(folder: Path) -> list[Any]:
    found: list[Any] = json.loads((folder / "fixes.json").read_text())["installations"]
    return found


def _lot(installation: dict[str, Any]) -> Any:
    return installation["allocation"].get("lot")


def lots_read(folder: Path) -> list[Any]:
    return [installation_of(each).allocation.lot for each in _told(folder)]


def _triaged(fingerprint: str) -> Triaged:
    return Triaged(
        fingerprint=fingerprint,
        scheme="s1",
        error_code="NET.READ.TIMEOUT",
        location=None,
        ignored_by=None,
    )


def test_outcomes_are_kept_as_cases_and_tried_first(store: SqlStore, feed: FileFeed) -> None:
    """A fix that helped is a case; taken back, the case says that it is no example."""
    failures = [b.occurrence(), b.occurrence(occurrence_id="occ_2")]
    store.ingest(failures, spool_name="failures", end_offset=1)
    first, alike = map(store.assign, failures, (_triaged("fp1"), _triaged("fp2")))
    add(store, feed, DOCUMENT, by(), incident_id=first.incident_id)
    take(store, feed, "fix-1", promote, by())
    (found,) = worked_before(store, alike, HybridRetriever())
    assert (found.case.incident_id, found.case.fix) == (first.incident_id, DOCUMENT)
    take(store, feed, "fix-1", roll_back, by())
    assert [case.outcome for case in store.cases()] == [CaseOutcome.TAKEN_BACK]
    assert worked_before(store, alike, HybridRetriever()) == ()
