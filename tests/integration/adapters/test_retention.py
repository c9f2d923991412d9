import os
from datetime import UTC, datetime, timedelta

import pytest

from builders import accepted, case
from prunella.adapters import spool
from prunella.adapters.spool import Retention, drain
from prunella.adapters.sql import retention
from prunella.codec.wire import write_record
from prunella.model.incidents import IncidentStatus
from prunella.model.repair import Candidate, Patch, Publication, ReplayCounts
from prunella.ports import SPOOL_REMOVED
from prunella.triage import Rules, triage
from recorded import (
    SITE,
    START,
    a_call,
    a_process,
    a_repeat,
    a_site,
    an_occurrence,
    at,
    some_counts,
)
from stores import new_store

EVERYTHING = 10**12


def keep(store, *records):
    store.ingest(records, spool_name="s.jsonl", end_offset=1)


def fail(store, *occurrences):
    for occurrence in occurrences:
        incident = store.assign(occurrence, triage(occurrence, Rules()))
    return incident


def older_than(moment):
    """Return the age that makes everything before `moment` too old."""
    return datetime.now(UTC) - moment  # noqa: TID251


def rows(store):
    return store.health().rows


def test_what_is_too_old_goes(store):
    """Records age out by when they happened; the newer stay."""
    keep(store, *(a_call(number) for number in range(10)))
    keep(store, *(an_occurrence(number) for number in range(10)))
    removed = store.prune(max_age=older_than(at(5.5)), max_bytes=EVERYTHING)
    assert removed == 12
    assert {call.call_id for call in store.calls(SITE, limit=99)} == {
        f"call_{n}" for n in range(6, 10)
    }
    assert len(store.untriaged(limit=99)) == 4


def test_what_open_incidents_stand_on_outlives_its_age(store, monkeypatch):
    """The latest occurrences, the calls they made, and the latest calls of the site are kept."""
    monkeypatch.setattr(retention, "KEPT_OCCURRENCES", 3)
    monkeypatch.setattr(retention, "KEPT_CALLS", 4)
    keep(store, *(a_call(number) for number in range(10)))
    keep(store, a_call(20, parent_id="call_f9", site_id="child:f"))
    keep(store, a_call(21, parent_id="call_f1", site_id="child:f"))
    keep(store, a_call(22, site_id="other:f"))
    incident = fail(store, *(an_occurrence(number) for number in range(10)))
    store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
    kept = store.occurrences(incident.incident_id, limit=99)
    assert [one.occurrence_id for one in kept] == ["occ_9", "occ_8", "occ_7"]
    assert [one.call_id for one in store.calls(SITE, limit=99)] == [
        f"call_{n}" for n in (9, 8, 7, 6)
    ]
    assert [one.call_id for one in store.calls("child:f", limit=9)] == ["call_20"]
    assert store.calls("other:f", limit=9) == []
    assert store.incident(incident.incident_id).count == 10


@pytest.mark.parametrize("status", [IncidentStatus.CURED, IncidentStatus.IGNORED])
def test_closed_incidents_keep_no_records(store, status):
    """Nobody replays for an incident that is cured or ignored; the incident itself stays."""
    keep(store, a_call(1))
    incident = fail(store, an_occurrence(1))
    store.set_status(incident.incident_id, status)
    store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
    assert (rows(store)["call"], rows(store)["occurrence"], rows(store)["incident"]) == (0, 0, 1)


def test_what_nothing_refers_to_goes_with_its_age(store):
    """Processes, old site versions, counters, groups and read spool files don't pile up."""
    keep(store, a_process(), a_site(source_hash="1"), a_site(source_hash="2"), some_counts())
    keep(store, a_process(process_id="kept"), a_call(1, process_id="kept", source_hash="1"))
    keep(store, a_site(source_hash="0"), a_site(source_hash="3"), a_repeat(1, group="gone"))
    fail(store, an_occurrence(1, process_id="kept", source_hash="2"))
    store.ingest((), spool_name="read", end_offset=SPOOL_REMOVED)
    store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
    assert store.process("kept") is not None
    assert store.process("proc_1") is None
    assert (store.counts(), rows(store)["site"], store.sites()[0].source_hash) == ([], 3, "3")
    assert store.spool_offset("read") == 0
    assert store.spool_offset("s.jsonl") == 1


def a_publication(store, incident_id, name):
    patch = Patch(path="a.py", qualname="f", before=b"", after=b"", diff="")
    candidate = Candidate(
        candidate_id=name,
        incident_id=incident_id,
        origin="rule:a",
        description="",
        reason="",
        patch=patch,
        prior=0.5,
    )
    store.save_candidates([candidate])
    store.save_publication(
        Publication(candidate_id=name, branch=None, commit=None, url="", published_at=START)
    )


def test_size_takes_the_least_useful_first(store, monkeypatch):
    """Sampled calls that no open incident needs go before those that one needs, and before errors."""
    monkeypatch.setattr(retention, "KEPT_CALLS", 5)
    fill = "x" * 20_000
    keep(store, *(a_call(n, site_id="other:f", result=fill) for n in range(50)))
    keep(store, *(a_call(n + 100, result=fill) for n in range(5)))
    incident = fail(store, an_occurrence(1, inputs=fill))
    store.prune(max_age=timedelta(days=9999), max_bytes=700_000)
    assert 5 < rows(store)["call"] < 55
    assert len(store.calls(SITE, limit=99)) == 5
    newest = store.calls("other:f", limit=1)
    assert [call.call_id for call in newest] == ["call_49"]
    assert len(store.occurrences(incident.incident_id, limit=9)) == 1


def test_a_busy_site_does_not_push_out_the_others(store, monkeypatch):
    """Of calls that nothing refers to, those beyond the latest of their site go first."""
    monkeypatch.setattr(retention, "KEPT_CALLS", 3)
    keep(store, *(a_call(n, site_id="quiet:f", result="x" * 20_000) for n in range(3)))
    keep(store, *(a_call(n + 10, site_id="busy:f", result="x" * 20_000) for n in range(50)))
    store.prune(max_age=timedelta(days=9999), max_bytes=600_000)
    assert len(store.calls("quiet:f", limit=99)) == 3
    assert 3 <= len(store.calls("busy:f", limit=99)) < 50


def test_size_takes_everything_before_it_is_exceeded(store):
    """When nothing else is left, whole incidents go with all their work: closed ones first."""
    fill = "x" * 4000
    for number in range(300):
        occurrence = an_occurrence(number, site_id=f"s:{number}", inputs=fill)
        incident = fail(store, occurrence)
        if number in (0, 299):
            a_publication(store, incident.incident_id, f"cand_{number}")
        if number >= 290:
            store.set_status(incident.incident_id, IncidentStatus.CURED)
    store.prune(max_age=timedelta(days=9999), max_bytes=500_000)
    health = store.health()
    assert health.size_bytes <= 500_000
    assert 0 < health.rows["incident"] < 300
    assert health.rows["occurrence"] == health.rows["incident"]
    assert store.incidents(status=IncidentStatus.CURED) == []
    assert (health.rows["candidate"], health.rows["publication"]) == (0, 0)


def test_the_newest_occurrence_of_each_incident_goes_last(store):
    """Before an incident loses its last occurrence, all others lose all but theirs."""
    fill = "x" * 10_000
    for number in range(100):
        fail(store, an_occurrence(number, site_id=f"s:{number % 4}", inputs=fill))
    store.prune(max_age=timedelta(days=9999), max_bytes=520_000)
    assert rows(store)["incident"] == 4
    assert 4 <= rows(store)["occurrence"] < 40
    for incident in store.incidents():
        (newest, *_) = store.occurrences(incident.incident_id, limit=1)
        assert int(newest.occurrence_id.removeprefix("occ_")) >= 96


def test_pruning_gives_the_space_back(tmp_path):
    """The embedded file shrinks; what was removed doesn't stay as a hole."""
    with new_store("sqlite", tmp_path) as store:
        keep(store, *(a_call(n, result="x" * 50_000) for n in range(40)))
        path = tmp_path / "prunella.db"
        store.prune(max_age=timedelta(days=9999), max_bytes=EVERYTHING)
        before = path.stat().st_size
        store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
        assert path.stat().st_size < before / 5


def test_room_that_pruning_made_is_used_again(store):
    """A store that is filled and pruned many times takes no more of the disk than the first time."""
    taken = []
    for _ in range(4):
        keep(store, *(a_call(n, result=noise(20_000)) for n in range(40)))
        taken.append(store._database.taken_bytes())
        store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
        assert rows(store)["call"] == 0
    assert taken[-1] < 1.2 * taken[0]


def noise(chars):
    """Return text that no compression makes smaller."""
    return os.urandom(chars // 2).hex()


def test_pruning_is_not_due_at_once_again(store):
    """`at_most_each` spares the work, unless the store is about to be too large."""
    hour = timedelta(hours=1)
    keep(store, a_call(1))
    assert store.prune(max_age=timedelta(0), max_bytes=EVERYTHING, at_most_each=hour) == 1
    keep(store, a_call(2))
    assert store.prune(max_age=timedelta(0), max_bytes=EVERYTHING, at_most_each=hour) == 0
    keep(store, *(a_call(n, result=noise(20_000)) for n in range(3, 43)))
    assert store.prune(max_age=timedelta(0), max_bytes=1000, at_most_each=hour) == 41


def test_a_store_stays_below_its_limit_under_endless_load(store, tmp_path, monkeypatch):
    """However much is recorded, file and log together don't outgrow the limit, and errors stay."""
    monkeypatch.setattr(spool, "_CHUNK_BYTES", 200_000)
    limit = Retention(max_bytes=12_000_000, max_age=timedelta(days=9999))
    folder = tmp_path / "spool"
    folder.mkdir()
    largest = 0
    for round_ in range(12):
        calls = [a_call(round_ * 100 + n, result="x" * 30_000) for n in range(100)]
        errors = [an_occurrence(round_ * 10 + n, inputs="y" * 3000) for n in range(10)]
        (folder / f"{round_}.jsonl").write_bytes(b"".join(map(write_record, [*errors, *calls])))
        drain(folder, store, retention=limit)
        for occurrence in store.untriaged(limit=99):
            fail(store, occurrence)
        largest = max(largest, sum(file.stat().st_size for file in tmp_path.glob("prunella.db*")))
    assert largest < limit.max_bytes
    (incident,) = store.incidents()
    assert incident.count == 120
    assert store.occurrences(incident.incident_id, limit=1)[0].occurrence_id == "occ_119"
    assert store.calls(SITE, limit=1)[0].call_id == "call_1199"


def test_golden_calls_outlive_age_and_size(store):
    """A reference stays with the calls it made, however old it is and however little room there is."""
    keep(store, a_process(), a_site())
    keep(store, *(a_call(number, result="x" * 20_000) for number in range(40)))
    keep(store, a_call(50, parent_id="call_3", site_id="child:f"))
    (marked,) = store.mark_golden(["call_3"], golden=True)
    assert marked.golden_at is not None
    fail(store, *(an_occurrence(number, inputs="y" * 5000) for number in range(20)))
    store.prune(max_age=timedelta(0), max_bytes=1)
    assert [one.call_id for one in store.calls(SITE, limit=99)] == ["call_3"]
    assert [one.call_id for one in store.children("call_3")] == ["call_50"]
    assert store.process("proc_1") is not None
    assert [site.source_hash for site in store.sites()] == ["00"]
    store.mark_golden(["3"], golden=False)
    store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
    assert rows(store)["call"] == 0


def test_what_verdicts_and_cases_rest_on_outlives_its_age(store):
    """Evidence can be looked up while its verdict stands, also when the incident is cured."""
    keep(store, *(a_call(number) for number in range(6)))
    keep(store, a_call(9, parent_id="call_1", site_id="child:f"))
    incident = fail(store, *(an_occurrence(number) for number in range(4)))
    a_publication(store, incident.incident_id, "cand_1")
    judged = accepted(replays=ReplayCounts(reproduced=("occ_1", "call_1")))
    store.save_verdicts([judged])
    store.save_case(case(incident_id="inc_gone", rests_on=("call_2", "occ_2")))
    store.set_status(incident.incident_id, IncidentStatus.CURED)
    store.prune(max_age=timedelta(0), max_bytes=EVERYTHING)
    assert [one.call_id for one in store.calls(SITE, limit=99)] == ["call_2", "call_1"]
    assert [one.call_id for one in store.calls("child:f", limit=9)] == ["call_9"]
    kept = store.occurrences(incident.incident_id, limit=9)
    assert [one.occurrence_id for one in kept] == ["occ_2", "occ_1"]
