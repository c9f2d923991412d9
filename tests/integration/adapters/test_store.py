import json
import os
import random
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prunella.adapters.sql import intake
from prunella.adapters.sqlite_store import open_store
from prunella.model.errors import AmbiguousName, UnknownName
from prunella.model.incidents import Case, Diagnosis, Hypothesis, IncidentStatus, Location
from prunella.model.records import Ending
from prunella.model.repair import (
    Accepted,
    Candidate,
    Check,
    CheckOutcome,
    Inconclusive,
    Patch,
    Publication,
    Rejected,
    ReplayCounts,
)
from prunella.ports import Portion, Triaged
from recorded import (
    SITE,
    START,
    a_call,
    a_frame,
    a_process,
    a_repeat,
    a_site,
    an_exception,
    an_occurrence,
    at,
    some_counts,
)
from stores import again

PLACE = Location(
    file="shop/prices.py", module="shop.prices", qualname="average", first_line=3, line=4
)


def keep(store, *records):
    store.ingest(records, spool_name="s.jsonl", end_offset=1)


def triaged(fingerprint="f1", **changes):
    values = {
        "fingerprint": fingerprint,
        "scheme": "1",
        "error_code": "CODE.VALUE.INVALID",
        "location": PLACE,
        "ignored_by": None,
    }
    return Triaged(**(values | changes))


# --- records


def test_records_of_one_id_are_kept_once(store):
    """A record that arrives twice under its id is one record."""
    keep(store, a_call(), an_occurrence(), a_call(), an_occurrence())
    assert len(store.calls(SITE, limit=9)) == len(store.untriaged(limit=9)) == 1


def test_the_latest_version_of_a_site_is_answered(store):
    """Of a function that changed, the version that was reported last runs now."""
    keep(store, a_site(source_hash="1"), a_site(source_hash="2"), a_site(site_id="a:b"))
    assert [(site.site_id, site.source_hash) for site in store.sites()] == [
        ("a:b", "00"),
        (SITE, "2"),
    ]
    keep(store, a_site(source_hash="1"))
    assert store.sites()[1].source_hash == "1"


def test_calls_come_newest_first_and_children_oldest_first(store):
    """Order is that of the calls' beginnings, not of their arrival."""
    keep(
        store,
        *(a_call(number, parent_id="call_9") for number in (2, 3, 1)),
        a_call(4, site_id="other:f"),
    )
    assert [call.call_id for call in store.calls(SITE, limit=2)] == ["call_3", "call_2"]
    assert [call.call_id for call in store.children("call_9")] == ["call_1", "call_2", "call_3"]
    assert store.children("call_1") == []


def test_of_counters_the_highest_sequence_stands(store):
    """Counters are cumulative: an older line that comes late changes nothing."""
    keep(store, some_counts(2), some_counts(5), some_counts(3), some_counts(1, process_id="p2"))
    assert [counts.sequence for counts in store.counts()] == [1, 5]


def test_counters_of_a_site_add_up(store):
    """A site's counts are of all processes together, counter by counter."""
    keep(
        store,
        some_counts(sites={SITE: {"calls": 3, "errors": 1}, "a:b": {}}),
        some_counts(process_id="p2", sites={SITE: {"calls": 4, "skipped": 2}}),
        some_counts(process_id="p3", sites={}),
    )
    assert store.site_counts() == {SITE: {"calls": 7, "errors": 1, "skipped": 2}, "a:b": {}}


def test_unknown_ids_have_no_process(store):
    """What was never reported, or was forgotten, is `None`."""
    assert store.process("proc_9") is None


@pytest.mark.parametrize(
    "record",
    [
        a_call(inputs="x" * 3_000_000),
        a_repeat(2**62),
        a_repeat(-1),
        some_counts(2**70),
    ],
)
def test_what_cannot_be_kept_is_counted(store, record):
    """A record beyond all bounds is refused by kind and reason, and those around it are kept."""
    keep(store, an_occurrence(1), record, an_occurrence(2))
    assert len(store.untriaged(limit=9)) == 2
    (reason,) = store.health().refused
    assert reason.startswith(type(record).__name__.lower())
    assert store.calls(SITE, limit=9) == store.counts() == []


def test_a_very_deep_value_is_refused_not_raised(store):
    """A value nested beyond the interpreter's patience holds up nobody."""
    tree = []
    for _ in range(20_000):
        tree = ["l", tree]
    keep(store, a_call(inputs=tree), an_occurrence(1))
    assert store.health().refused == {"call: RecursionError": 1}
    assert len(store.untriaged(limit=9)) == 1


def test_a_too_large_failure_is_kept_without_its_values(store):
    """An error is never lost for its size: where it failed stays, what it was given goes."""
    huge = ["d", "values", "x" * intake.MAX_BODY_BYTES]
    exception = an_exception(frames=(a_frame(local_values=huge),), message="m" * 100_000)
    keep(store, an_occurrence(inputs=huge, exception=exception, yielded=["l", huge]))
    (kept,) = store.untriaged(limit=9)
    assert (kept.inputs, kept.yielded, kept.complete) == (None, None, False)
    assert kept.exception.frames[0].qualname == "average"
    assert len(kept.exception.message) == 16 * 1024


def test_a_huge_source_is_dropped_from_its_site(store):
    """A generated function of a megabyte is known without its text."""
    keep(store, a_site(source="x" * 1_000_000))
    assert store.sites()[0].source is None


def test_hostile_text_is_stored_as_it_is(store):
    """Lone surrogates, NULs and SQL in names and messages neither break nor escape their columns."""
    nasty = "\ud800'; DROP TABLE call; --\x00%_"
    occurrence = an_occurrence(group=nasty, exception=an_exception(message=nasty, type=nasty))
    keep(store, a_call(call_id=nasty, parent_id=nasty), occurrence, a_repeat(1, group=nasty))
    assert store.calls(SITE, limit=9)[0].call_id == nasty
    assert store.children(nasty)[0].parent_id == nasty
    assert store.untriaged(limit=9) == [occurrence]
    incident = store.assign(occurrence, triaged(error_code=nasty))
    assert incident.count == 2
    assert incident.message == nasty.replace("\ud800", "?").replace("\0", "?")
    with pytest.raises(UnknownName):
        store.incident("%")


def test_names_without_end_are_cut_and_hold_up_nobody(store):
    """However long names are and whatever they consist of, what has them is kept."""
    dice = random.Random(1)
    long = "".join(chr(dice.randrange(0x10000, 0x2FFFF)) for _ in range(5_000))
    names = dict.fromkeys(("site_id", "source_hash", "process_id"), long)
    occurrence = an_occurrence(1, group=long, occurrence_id=long, call_id=long, **names)
    records = [
        a_process(process_id=long, hostname=long, release=long),
        a_site(site_id=long, source_hash=long),
        a_call(1, call_id=long, parent_id=long, **names),
        a_repeat(1, process_id=long, group=long),
        some_counts(1, process_id=long),
        occurrence,
    ]
    keep(store, *records)
    found = triaged(long, scheme=long, error_code=long, ignored_by=long)
    assert store.assign(occurrence, found).count == 2
    assert store.health().refused == {}


# --- incidents


def test_failure_of_an_outer_site_makes_no_second_incident(store):
    """An occurrence that another one caused is kept, and waits for no triage."""
    inner, outer = an_occurrence(1), replace(an_occurrence(2), caused_by="occ_1")
    keep(store, inner, outer)
    assert [one.occurrence_id for one in store.untriaged(limit=9)] == ["occ_1"]
    assert store.health().rows["occurrence"] == 2


def test_occurrences_of_one_fingerprint_are_one_incident(store):
    """An incident counts its occurrences and spans their moments of failing."""
    keep(store, *(an_occurrence(number) for number in (5, 2, 9)))
    untriaged = store.untriaged(limit=9)
    assert [one.occurrence_id for one in untriaged] == ["occ_2", "occ_5", "occ_9"]
    incidents = [store.assign(one, triaged()) for one in untriaged]
    assert len({incident.incident_id for incident in incidents}) == 1
    last = incidents[-1]
    lasted = timedelta(microseconds=7)
    assert (last.count, last.first_seen_at, last.last_seen_at) == (
        3,
        at(2) + lasted,
        at(9) + lasted,
    )
    assert (last.location, last.status) == (PLACE, IncidentStatus.OPEN)
    assert store.untriaged(limit=9) == []
    shown = store.occurrences(last.incident_id, limit=2)
    assert [one.occurrence_id for one in shown] == ["occ_9", "occ_5"]
    assert store.incidents() == [last]


def test_scheme_and_fingerprint_separate_incidents(store):
    """A fingerprint means something within its scheme only."""
    keep(store, *(an_occurrence(number) for number in (1, 2, 3)))
    one, two, three = store.untriaged(limit=9)
    store.assign(one, triaged("a"))
    store.assign(two, triaged("b"))
    store.assign(three, triaged("a", scheme="2"))
    assert len(store.incidents()) == 3


def test_assigning_again_changes_nothing(store):
    """Two healers may triage one occurrence: it counts once."""
    keep(store, an_occurrence())
    first = store.assign(an_occurrence(), triaged())
    assert store.assign(an_occurrence(), triaged("other")) == first


def test_an_occurrence_forgotten_in_between_still_counts(store):
    """What was pruned between reading and assigning is put back."""
    assert store.assign(an_occurrence(), triaged()).count == 1


@pytest.mark.parametrize("order", ["before", "between", "after"])
def test_repeats_count_whenever_they_arrive(store, order):
    """Count and last sight include repeats that come before, with or after triage."""
    if order == "before":
        keep(store, a_repeat(4))
    keep(store, an_occurrence(1))
    if order == "between":
        keep(store, a_repeat(3), a_repeat(1))
    incident = store.assign(an_occurrence(1), triaged())
    if order == "after":
        keep(store, a_repeat(4))
    incident = store.incident(incident.incident_id)
    assert (incident.count, incident.last_seen_at) == (5, at(60))
    incident = store.assign(an_occurrence(2), triaged())
    assert (incident.count, incident.last_seen_at) == (6, at(60))


def test_groups_are_a_processes_own(store):
    """The same group of another process says nothing about this one's incident."""
    keep(store, an_occurrence(1), a_repeat(4, process_id="proc_2"))
    assert store.assign(an_occurrence(1), triaged()).count == 1


def test_the_latest_occurrence_speaks_for_the_incident(store):
    """Message, code and location are those of the failure seen last, in whatever order they come."""
    keep(store, a_repeat(1, at=at(1000)))
    for number in (3, 7, 5):
        occurrence = an_occurrence(number, exception=an_exception(message=f"m{number}"))
        place = replace(PLACE, line=number)
        incident = store.assign(occurrence, triaged(location=place, error_code=f"C{number}"))
    assert incident.location is not None
    assert (incident.message, incident.error_code, incident.location.line) == ("m7", "C7", 7)


def test_incidents_are_filtered_by_status_and_last_sight(store):
    """The list begins with what failed last, and is bounded from below by `since`."""
    for number in (1, 3, 2):
        store.assign(an_occurrence(number, group=f"g{number}"), triaged(f"f{number}"))
    newest, middle, _ = store.incidents()
    assert (newest.fingerprint, middle.fingerprint) == ("f3", "f2")
    assert store.incidents(since=middle.last_seen_at) == [newest, middle]
    store.set_status(middle.incident_id, IncidentStatus.MITIGATED)
    assert [one.fingerprint for one in store.incidents(status=IncidentStatus.MITIGATED)] == ["f2"]
    assert len(store.incidents(status=IncidentStatus.OPEN)) == 2


def test_an_incident_is_found_by_a_beginning_of_its_id(store):
    """People type as little of an id as is unambiguous, with or without its prefix."""
    for number in range(40):
        store.assign(an_occurrence(number), triaged(f"f{number}"))
    wanted = store.incidents()[0]
    for beginning in (wanted.incident_id, wanted.incident_id[:15], wanted.incident_id[4:15]):
        assert store.incident(beginning) == wanted
    for unknown in ("", " ", "inc_", "inc_zz", "*", f"{wanted.incident_id}0"):
        with pytest.raises(UnknownName):
            store.incident(unknown)


def test_an_ambiguous_beginning_names_the_choices(store):
    """A beginning that several ids share is refused with them."""
    for number in range(17):  # more than there are hex digits
        store.assign(an_occurrence(number), triaged(f"f{number}"))
    ids = [one.incident_id for one in store.incidents()]
    digit = next(one[4] for one in ids if sum(other[4] == one[4] for other in ids) > 1)
    with pytest.raises(AmbiguousName) as caught:
        store.incident(digit)
    assert set(caught.value.choices) <= set(ids)


def test_an_ignored_occurrence_is_a_failure(store):
    """What the ignore file names stays stored, with the ending that says so."""
    incident = store.assign(an_occurrence(), triaged(ignored_by="Gone"))
    assert (incident.status, incident.ignored_by) == (IncidentStatus.IGNORED, "Gone")
    assert store.occurrences(incident.incident_id, limit=1)[0].ending is Ending.FAILURE


@pytest.mark.parametrize("ending", [Ending.CANCELLED, Ending.INTERRUPTED])
def test_called_off_calls_keep_their_ending(store, ending):
    """A cancelled call is ignored as what it is."""
    incident = store.assign(an_occurrence(ending=ending), triaged(ignored_by="built-in"))
    assert incident.status is IncidentStatus.IGNORED
    assert store.occurrences(incident.incident_id, limit=1)[0].ending is ending


def test_the_ignore_file_is_followed_when_it_changes(store):
    """A new pattern ignores an open incident; one that is gone opens it again."""
    assert store.assign(an_occurrence(1), triaged()).status is IncidentStatus.OPEN
    ignored = store.assign(an_occurrence(2), triaged(ignored_by="Gone"))
    assert (ignored.status, ignored.ignored_by) == (IncidentStatus.IGNORED, "Gone")
    opened = store.assign(an_occurrence(3), triaged())
    assert (opened.status, opened.ignored_by) == (IncidentStatus.OPEN, None)


def test_what_a_person_ignored_stays_ignored(store):
    """No occurrence, ignored by a pattern or not, overrules a person."""
    incident = store.assign(an_occurrence(1), triaged())
    store.set_status(incident.incident_id, IncidentStatus.IGNORED, ignored_by="ada")
    store.assign(an_occurrence(2), triaged(ignored_by="Gone"))
    kept = store.assign(an_occurrence(3), triaged())
    assert (kept.status, kept.ignored_by, kept.count) == (IncidentStatus.IGNORED, "ada", 3)


def later():
    return an_occurrence(8, started_at=datetime.now(UTC) + timedelta(seconds=5))  # noqa: TID251


@pytest.mark.parametrize("how", ["occurrence", "repeat"])
def test_a_cured_incident_that_fails_again_is_regressed(store, how):
    """A failure after the cure is news, described in full or only counted."""
    incident = store.assign(an_occurrence(1), triaged())
    store.set_status(incident.incident_id, IncidentStatus.CURED)
    if how == "occurrence":
        store.assign(later(), triaged())
    else:
        keep(store, a_repeat(1, at=later().started_at))
    assert store.incident(incident.incident_id).status is IncidentStatus.REGRESSED


def test_failures_from_before_the_cure_do_not_regress_it(store):
    """What was still in the spool when the incident was cured happened before."""
    incident = store.assign(an_occurrence(1), triaged())
    store.set_status(incident.incident_id, IncidentStatus.CURED)
    keep(store, a_repeat(1))
    assert store.assign(an_occurrence(2), triaged()).status is IncidentStatus.CURED


def test_the_status_of_no_incident_cannot_be_set(store):
    """A wrong id is said, not swallowed."""
    with pytest.raises(UnknownName, match="inc_nothere"):
        store.set_status("inc_nothere", IncidentStatus.CURED)


# --- the healer's work


def a_candidate(name, incident_id):
    patch = Patch(path="a.py", qualname="f", before=b"\xff\x00a", after=b"b", diff="-a\n+b\n")
    return Candidate(
        candidate_id=name,
        incident_id=incident_id,
        origin="rule:guard",
        description="d",
        reason="r",
        patch=patch,
        prior=0.5,
    )


def test_the_healers_work_is_answered_as_saved_and_in_order(store):
    """Diagnoses, candidates, verdicts and publications belong to their incident alone."""
    one = store.assign(an_occurrence(1), triaged("a")).incident_id
    two = store.assign(an_occurrence(2), triaged("b")).incident_id
    hypothesis = Hypothesis(cause="c", remedy="r", prior=0.25)
    diagnoses = [
        Diagnosis(
            diagnosis_id=f"dia_{number}",
            incident_id=one,
            error_type="ValueError",
            error_code="E",
            root_cause="c",
            hypotheses=(hypothesis,),
            confidence=0.5,
            made_at=START,
        )
        for number in (2, 1)
    ]
    candidates = [a_candidate("cand_b", one), a_candidate("cand_a", one)]
    common = {
        "checks": (Check(name="compiles", outcome=CheckOutcome.PASSED, detail="yes"),),
        "replays": ReplayCounts(failing_reproduced=2, set_aside={"gone": 1}),
        "summary": "s",
        "judged_at": START,
    }
    verdicts = [
        Rejected(candidate_id="cand_b", **common),
        Accepted(candidate_id="cand_a", **common, score=0.5),
        Inconclusive(candidate_id="cand_b", **common),
    ]
    publication = Publication(
        candidate_id="cand_a", branch="b", commit="c", url="file:///x", published_at=START
    )
    for diagnosis in diagnoses:
        store.save_diagnosis(diagnosis)
    store.save_candidates(candidates)
    store.save_candidates([a_candidate("cand_other", two)])
    store.save_verdicts(verdicts)
    store.save_publication(publication)
    assert store.diagnoses(one) == diagnoses
    assert store.candidates(one) == candidates
    assert store.verdicts(one) == verdicts
    assert store.publications(one) == [publication]
    assert store.verdicts(two) == store.publications(two) == store.diagnoses(two) == []


def test_a_case_is_replaced_by_one_of_the_same_incident_and_origin(store):
    """What was learned again replaces what was learned; another origin stands beside it."""

    def case(name, origin, text):
        return Case(
            case_id=name,
            incident_id="inc_1",
            error_type="ValueError",
            error_code="E",
            function="m:f",
            message="m",
            root_cause="c",
            resolution=text,
            origin=origin,
            diff="",
            learned_at=START,
        )

    for one in (case("case_1", "rule:a", "x"), case("case_2", "rule:b", "y")):
        store.save_case(one)
    store.save_case(case("case_3", "rule:a", "z"))
    assert [(one.origin, one.resolution) for one in store.cases()] == [
        ("rule:b", "y"),
        ("rule:a", "z"),
    ]


# --- itself


def test_health_counts_what_there_is(store):
    """The doctor sees place, schema, size and rows."""
    keep(store, a_process(), a_call(1), a_call(2))
    health = store.health()
    assert health.place == store._database.place
    assert (health.rows["call"], health.rows["process"], health.rows["incident"]) == (2, 1, 0)
    assert health.size_bytes > 0
    assert health.schema_version >= 1


def test_threads_share_a_store(store):
    """A drain thread and the main thread may use one store at once."""
    errors = []

    def work(thread):
        try:
            for number in range(20):
                key = f"{thread}_{number}"
                keep(store, an_occurrence(number, occurrence_id=f"occ_{key}"), a_repeat(1))
                store.incidents()
        except Exception as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for occurrence in store.untriaged(limit=500):
        store.assign(occurrence, triaged())
    assert store.incidents()[0].count == 160


def test_a_forked_child_has_a_connection_of_its_own(store):
    """A child writes through a store it inherited, even one whose lock was held, and harms nothing."""
    keep(store, a_call(1))
    with getattr(store._database, "_lock", nullcontext()):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                keep(store, a_call(2))
                status = 0 if len(store.calls(SITE, limit=9)) == 2 else 2
            finally:
                os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    keep(store, a_call(3))
    assert len(store.calls(SITE, limit=9)) == 3


def test_writers_at_once_lose_nothing(tmp_path):
    """Ten processes that create and fill one store all find room."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from recorded import *; from prunella.adapters.sqlite_store import open_store\n"
        "store = open_store(Path(sys.argv[1]), create=True)\n"
        "for number in range(20):\n"
        "    store.ingest([a_call(call_id=f'{sys.argv[3]}_{number}'), a_repeat(1)],\n"
        "                 spool_name=sys.argv[3], end_offset=number)\n"
    )
    path = tmp_path / "new" / "prunella.db"
    tests = os.path.dirname(os.path.abspath(a_call.__code__.co_filename))  # noqa: PTH100, PTH120
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), tests, str(number)])
        for number in range(10)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 10
    store = open_store(path, create=False)
    assert store.health().rows["call"] == 200
    assert store.assign(an_occurrence(), triaged()).count == 201
    store.close()


def test_a_reader_sees_the_store_while_a_writer_is_at_work(store):
    """Reading never waits for a transaction under way, and doesn't see it."""
    reader = again(store)
    keep(store, a_call(1))
    with store._database.writing() as db:
        portion = Portion(records=[a_call(2)], spool_name="x", end_offset=1)
        intake.keep_all(db, [intake.prepare(portion)])
        assert len(reader.calls(SITE, limit=9)) == 1
    assert len(reader.calls(SITE, limit=9)) == 2
    reader.close()


def test_the_store_needs_the_standard_library_only(tmp_path):
    """A program that records imports nothing but the standard library and us."""
    code = (
        "import json, sys; from pathlib import Path\n"
        "from prunella.adapters.sqlite_store import open_store; import prunella.adapters.spool\n"
        "open_store(Path(sys.argv[1]), create=True).sites()\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(json.dumps(sorted(names - sys.stdlib_module_names - {'prunella', '__main__'})))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [name for name in json.loads(run.stdout) if not name.startswith(("_", "__editable__"))]
    assert found == []


def test_golden_calls_come_first(store):
    """Of a site's calls the references are given before others, and can be listed alone."""
    keep(store, *(a_call(number) for number in range(1, 6)), a_call(7, site_id="other:f"))
    marked = store.mark_golden(["call_2", "4"], golden=True)
    assert [kept.call.call_id for kept in marked] == ["call_2", "call_4"]
    assert [one.call_id for one in store.calls(SITE, limit=3)] == ["call_4", "call_2", "call_5"]
    assert [one.call_id for one in store.calls(SITE, limit=1)] == ["call_4"]
    newest = [kept.call.call_id for kept in store.kept_calls(limit=2)]
    assert newest == ["call_7", "call_5"]
    golden = store.kept_calls(SITE, golden_only=True, limit=9)
    assert [kept.call.call_id for kept in golden] == ["call_4", "call_2"]
    again = store.mark_golden(["call_2"], golden=True)
    assert again[0].golden_at == marked[0].golden_at
    assert store.mark_golden(["call_2"], golden=False)[0].golden_at is None
    assert store.calls(SITE, limit=9)[0].call_id == "call_4"
    assert store.health().golden_bytes > 0


def test_calls_are_marked_together_or_not_at_all(store):
    """An unknown or ambiguous id marks nothing."""
    keep(store, a_call(1), a_call(20), a_call(21))
    with pytest.raises(UnknownName, match="call_9"):
        store.mark_golden(["call_1", "call_9"], golden=True)
    with pytest.raises(AmbiguousName):
        store.mark_golden(["call_1", "call_2"], golden=True)
    assert store.kept_calls(golden_only=True, limit=9) == []
    for nothing in ("", " ", "call_"):
        with pytest.raises(UnknownName):
            store.kept_call(nothing)


def test_what_a_failure_caused_in_callers_is_found(store):
    """Failures of callers are told by the failure that ended them, newest first."""
    inner = [an_occurrence(1), an_occurrence(2)]
    outer = [
        an_occurrence(3, caused_by=inner[0].occurrence_id),
        an_occurrence(4, caused_by=inner[1].occurrence_id),
        an_occurrence(5, caused_by="occ_gone"),
    ]
    keep(store, *inner, *outer)
    names = [item.occurrence_id for item in inner]
    assert store.caused(names, limit=9) == [outer[1], outer[0]]
    assert store.caused(names, limit=1) == [outer[1]]
    assert store.caused([], limit=9) == []


def test_facts_of_calls_are_those_of_the_calls(store):
    """Of each site the latest come first, golden or not, and no more than are asked for."""
    calls = [a_call(number, duration_us=number, complete=number > 1) for number in (1, 2, 3)]
    store.ingest(calls, spool_name="s", end_offset=1)
    store.mark_golden([calls[1].call_id], golden=True)
    facts = store.call_facts([SITE, "shop:none"], limit=2)
    assert [(each.duration_us, each.is_golden) for each in facts[SITE]] == [(3, False), (2, True)]
    assert facts["shop:none"] == []
    [*_, oldest] = store.call_facts([SITE], limit=9)[SITE]
    assert (oldest.complete, oldest.source_hash) == (False, calls[0].source_hash)


def test_one_site_is_as_in_the_list_of_all(store):
    """The latest version of it; None for one that isn't there."""
    versions = [a_site(source_hash=name) for name in ("00", "11")]
    store.ingest([*versions, a_site(site_id="shop:other")], spool_name="s", end_offset=1)
    assert store.site(SITE) == versions[1]
    assert store.site_ids() == [site.site_id for site in store.sites()]
    assert store.site("shop:none") is None
    assert store.sites([SITE, "shop:none"]) == [versions[1]]
    assert store.sites([]) == []
