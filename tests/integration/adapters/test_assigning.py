"""However occurrences come into incidents, one by one or many at once, the incidents are the same."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from prunella.adapters.sqlite_store import open_store
from prunella.model.incidents import IncidentStatus, Location
from prunella.model.records import Ending
from prunella.ports import Triaged
from recorded import START, a_repeat, an_exception, an_occurrence, at
from stores import TRIAGED

PLACE = Location(file="a.py", module="a", qualname="f", first_line=1, line=1)
STAMPS = ("incident_id", "status_at")


def traffic(seed):
    """Return occurrences with what triage says of them, and repeats, in a random order."""
    dice = random.Random(seed)
    pairs, repeats = [], []
    for number in range(40):
        process, group = f"p{dice.randrange(2)}", f"g{dice.randrange(3)}"
        occurrence = an_occurrence(
            dice.randrange(60),
            occurrence_id=f"occ_{dice.randrange(35)}",
            process_id=process,
            group=group,
            ending=dice.choice([Ending.ERROR, Ending.ERROR, Ending.CANCELLED]),
            exception=an_exception(message=f"m{number}"),
        )
        triaged = Triaged(
            fingerprint=f"f{dice.randrange(4)}",
            scheme="1",
            error_code=f"C{number}",
            location=dice.choice([None, replace(PLACE, line=number)]),
            ignored_by=dice.choice([None, None, None, "a rule"]),
        )
        pairs.append((occurrence, triaged))
        if dice.random() < 0.3:
            repeats.append(
                a_repeat(dice.randrange(1, 5), process_id=process, group=group, at=at(number))
            )
    return pairs, repeats


def known(store):
    """Return what is kept, without ids and moments that are a run's own."""
    incidents = {
        one.fingerprint: replace(one, incident_id="", status_at=None) for one in store.incidents()
    }
    homes = {
        one.fingerprint: {
            (item.occurrence_id, item.ending, item.exception.message)
            for item in store.occurrences(one.incident_id, limit=99)
        }
        for one in store.incidents()
    }
    failures = store.failures(since=START - timedelta(days=1), step=timedelta(minutes=10))
    return incidents, homes, failures, store.untriaged(limit=99)


def one_by_one(store, pairs):
    for pair in pairs:
        store.assign(*pair)


def in_batches(store, pairs):
    for begin in range(0, len(pairs), 7):
        store.assign_all(pairs[begin : begin + 7])


def read_back(store, pairs):
    store.ingest([occurrence for occurrence, _ in pairs], spool_name="o", end_offset=1)
    found = {occurrence.occurrence_id: triaged for occurrence, triaged in reversed(pairs)}
    one_by_one(store, [(item, found[item.occurrence_id]) for item, _ in pairs])


def as_they_come(store, pairs):
    found = {occurrence.occurrence_id: triaged for occurrence, triaged in reversed(pairs)}
    records = [occurrence for occurrence, _ in pairs]
    store.ingest(records, spool_name="o", end_offset=1, triaged=found)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", [in_batches, read_back, as_they_come])
def test_batches_make_the_same_incidents(store, tmp_path, how, seed):
    """Counts, descriptions, standings, tallies and where each occurrence went don't tell how."""
    pairs, repeats = traffic(seed)
    first: dict[str, Triaged] = {}
    # Of an occurrence that comes twice the first stands, whatever is said of it later.
    pairs = [(item, first.setdefault(item.occurrence_id, triaged)) for item, triaged in pairs]
    expected_store = open_store(tmp_path / "expected.db", create=True)
    for one, work in ((expected_store, one_by_one), (store, how)):
        one.ingest(repeats[::2], spool_name="s", end_offset=1)
        work(one, pairs)
        one.ingest(repeats[1::2], spool_name="s", end_offset=2)
    assert known(store) == known(expected_store)
    expected_store.close()


def test_a_cured_incident_regresses_in_a_batch_as_alone(store):
    """What failed after the cure makes it regressed, wherever in the batch it stands."""
    incident = store.assign(an_occurrence(1), TRIAGED)
    store.set_status(incident.incident_id, IncidentStatus.CURED)
    late = an_occurrence(3, started_at=START + timedelta(days=9_999))
    statuses = [
        item.status for item in store.assign_all([(an_occurrence(2), TRIAGED), (late, TRIAGED)])
    ]
    assert statuses == [IncidentStatus.REGRESSED] * 2


def test_nothing_is_assigned_of_nothing(store):
    """An empty batch is no error."""
    assert store.assign_all([]) == []


def test_a_failure_that_arrives_triaged_twice_counts_once(store):
    """Reports that are sent again change nothing."""
    occurrence = an_occurrence(1)
    for offset in (1, 2):
        store.ingest(
            [occurrence, occurrence],
            spool_name="s",
            end_offset=offset,
            triaged={occurrence.occurrence_id: TRIAGED},
        )
    (incident,) = store.incidents()
    assert incident.count == 1
    assert len(store.occurrences(incident.incident_id, limit=9)) == 1
