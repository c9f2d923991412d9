"""A fix whose patch was deployed retires by itself, and what comes back is a regression."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import builders as b
from prunella.adapters.feed import FileFeed
from prunella.adapters.retrieval import HybridRetriever
from prunella.adapters.sql_store import SqlStore
from prunella.adapters.sqlite_store import open_store
from prunella.model.clock import now
from prunella.model.incidents import Incident, IncidentStatus
from prunella.model.records import Counts, Exposures, Record
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import advance_rollouts
from prunella.pipeline.rollouts import add, take
from prunella.pipeline.story import tell
from prunella.ports import Triaged
from prunella.rollout import By, promote

SITE = "shop.prices:average"
DOCUMENT = {
    "fix_id": "fix-1",
    "fix_type": "retry",
    "target": {"sites": [SITE]},
    "config": {},
}
BEGAN = now() - timedelta(hours=3)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return open_store(tmp_path / "prunella.db", create=True)


@pytest.fixture
def feed(tmp_path: Path) -> FileFeed:
    return FileFeed(tmp_path)


def keep(store: SqlStore, *records: Record) -> None:
    store.ingest(records, spool_name=f"s{now().timestamp()}", end_offset=1)


def program(process_id: str, source_hash: str, *, hours: float, calls: int) -> list[Record]:
    """Return what a program records that begins so many hours after the first."""
    at = BEGAN + timedelta(hours=hours)
    return [
        b.process(process_id=process_id, started_at=at, release=f"release of {source_hash}"),
        b.call(
            call_id=f"call_{process_id}",
            process_id=process_id,
            source_hash=source_hash,
            started_at=at,
        ),
        Counts(process_id=process_id, sequence=1, sites={SITE: {"calls": calls}}, sdk={}),  # type: ignore[arg-type]
    ]


def failed(process_id: str, source_hash: str, *, hours: float, number: int) -> Any:
    return b.occurrence(
        occurrence_id=f"occ_{number}",
        group=str(number),
        process_id=process_id,
        source_hash=source_hash,
        started_at=BEGAN + timedelta(hours=hours),
    )


def fired(rollout: Rollout, process_id: str, treated: int, control: int) -> Exposures:
    tallies = [
        {"rollout_id": rollout.rollout_id, "epoch": rollout.epoch, "ratio": rollout.ratio}
        | {"arm": arm, "counts": {"n": n, "failures": failures}}
        for arm, n, failures in (("treatment", treated, 0), ("control", control, control))
    ]
    return Exposures(process_id=process_id, sequence=1, tallies=tuple(tallies))  # type: ignore[arg-type]


TRIAGED = Triaged(
    fingerprint="fp", scheme="s1", error_code="NET.READ.TIMEOUT", location=None, ignored_by=None
)


@pytest.fixture
def graduated(store: SqlStore, feed: FileFeed) -> Rollout:
    """A retry that fires on a tenth of the calls of a program at old code."""
    failure = failed("proc_1", "old", hours=0.0, number=1)
    keep(store, *program("proc_1", "old", hours=0.0, calls=1000), failure)
    incident = store.assign(failure, TRIAGED)
    add(store, feed, DOCUMENT, _by(), incident_id=incident.incident_id)
    rollout = take(store, feed, "fix-1", promote, _by())
    keep(store, fired(rollout, "proc_1", 95, 5))
    return rollout


def _by() -> By:
    return By(actor="tester", at=now())


def incident_of(store: SqlStore) -> Incident:
    (found,) = store.incidents()
    return found


def test_a_fix_that_new_code_does_not_need_retires(
    store: SqlStore, feed: FileFeed, graduated: Rollout
) -> None:
    """When it would have fired by now; the incident is cured, and the reason names the release."""
    keep(store, *program("proc_2", "new", hours=1.0, calls=200))
    assert advance_rollouts(store, feed, Settings()) == ()
    keep(store, *program("proc_3", "new", hours=1.1, calls=800))
    (after,) = advance_rollouts(store, feed, Settings())
    assert after.state is RolloutState.RETIRED
    assert after.reason.startswith("release release of new doesn't need it: there it fired on 0 of")
    assert incident_of(store).status is IncidentStatus.CURED
    back = failed("proc_4", "newer", hours=4.0, number=2)
    keep(store, *program("proc_4", "newer", hours=4.0, calls=1), back)
    store.assign(back, TRIAGED)
    story = tell(store, graduated.incident_id or "", HybridRetriever())
    assert story.incident.status is IncidentStatus.REGRESSED
    assert story.regressed_release == "release of newer"


@pytest.mark.parametrize(
    "case", ["it fires as before", "old code is still in force", "new code has failed too"]
)
def test_a_fix_that_is_needed_stays(
    store: SqlStore, feed: FileFeed, graduated: Rollout, case: str
) -> None:
    """New code alone says nothing."""
    keep(store, *program("proc_2", "new", hours=1.0, calls=2000))
    if case == "it fires as before":
        keep(store, fired(graduated, "proc_2", 190, 10))
    elif case == "old code is still in force":
        keep(store, *program("proc_3", "old", hours=2.95, calls=1))
    else:
        failure = failed("proc_2", "new", hours=1.5, number=2)
        keep(store, failure)
        store.assign(failure, TRIAGED)
    assert advance_rollouts(store, feed, Settings()) == ()


def test_what_was_not_deployed_is_not_looked_for(
    store: SqlStore, feed: FileFeed, graduated: Rollout
) -> None:
    """At the old code, a fix stays however many calls pass."""
    keep(store, *program("proc_2", "old", hours=1.0, calls=100_000))
    assert advance_rollouts(store, feed, Settings()) == ()
