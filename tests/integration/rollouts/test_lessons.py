"""What a fix taught about one incident is where the next one like it begins."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders as b
from prunella.adapters.feed import FileFeed
from prunella.adapters.retrieval import HybridRetriever
from prunella.adapters.sql_store import SqlStore
from prunella.adapters.sqlite_store import open_store
from prunella.model.clock import now
from prunella.model.hypotheses import FixHypothesis
from prunella.model.incidents import Incident
from prunella.model.records import SiteKind
from prunella.pipeline.fixes import suggest_fixes
from prunella.pipeline.rollouts import add, take
from prunella.ports import Triaged
from prunella.rollout import By, promote, remove, roll_back

CODE = "TOOL.EXECUTION.TIMEOUT"


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return open_store(tmp_path / "prunella.db", create=True)


@pytest.fixture
def feed(tmp_path: Path) -> FileFeed:
    return FileFeed(tmp_path)


def by() -> By:
    return By(actor="tester", at=now())


def incident_at(store: SqlStore, name: str) -> Incident:
    """Return an incident of a tool that times out."""
    failure = b.occurrence(
        occurrence_id=f"occ_{name}",
        group=name,
        site_id=f"shop:{name}",
        exception=b.exception(type="builtins:TimeoutError", mro=("builtins:TimeoutError",)),
    )
    site = b.site(
        site_id=f"shop:{name}", module="shop", qualname=name, kind=SiteKind.TOOL, idempotent=True
    )
    store.ingest([site, failure], spool_name=f"s-{name}", end_offset=1)
    triaged = Triaged(
        fingerprint=name, scheme="s1", error_code=CODE, location=None, ignored_by=None
    )
    return store.assign(failure, triaged)


def retry_for(store: SqlStore, feed: FileFeed, incident: Incident) -> FixHypothesis:
    """Return the retry among the fixes that are proposed, and whether it comes with a case."""
    found = suggest_fixes(
        store,
        feed,
        incident.incident_id,
        by(),
        may_start=False,
        keep=False,
        retriever=HybridRetriever(),
    )
    return next(each.hypothesis for each in found if each.hypothesis.fix_type == "retry")


def test_the_next_incident_begins_with_the_fix_that_helped(store: SqlStore, feed: FileFeed) -> None:
    """Its reasoning names the incident; what was taken back since is no example any more."""
    first, second = incident_at(store, "fetch"), incident_at(store, "load")
    own = retry_for(store, feed, first)
    assert "similar incident" not in own.reasoning
    add(store, feed, own.document, by(), incident_id=first.incident_id)
    fix_id = str(own.document["fix_id"])
    take(store, feed, fix_id, promote, by())
    learned = retry_for(store, feed, second)
    assert f"Worked for a similar incident: {first.incident_id} in shop:fetch" in learned.reasoning
    assert (learned.helped, learned.failed) == (1, 0)
    assert learned.prior > own.prior
    take(store, feed, fix_id, roll_back, by())
    refuted = retry_for(store, feed, second)
    assert "similar incident" not in refuted.reasoning
    assert (refuted.helped, refuted.failed) == (0, 1)


def test_a_retired_fix_that_had_graduated_still_counts(store: SqlStore, feed: FileFeed) -> None:
    """One that was removed before it was tried doesn't."""
    first, second = incident_at(store, "fetch"), incident_at(store, "load")
    document = retry_for(store, feed, first).document
    add(store, feed, document, by(), incident_id=first.incident_id)
    take(store, feed, str(document["fix_id"]), promote, by())
    take(store, feed, str(document["fix_id"]), remove, by())
    other = {**document, "fix_id": "fix-other"}
    add(store, feed, other, by(), incident_id=first.incident_id)
    take(store, feed, "fix-other", remove, by())
    assert retry_for(store, feed, second).helped == 1
    assert len(store.cases()) == 1
    assert replace(store.cases()[0], fix=None).origin == f"fix:{document['fix_id']}"
