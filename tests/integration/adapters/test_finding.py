"""Incidents are found by what people know of them, page by page."""

from datetime import timedelta

import pytest

from prunella.adapters.sql import finding
from prunella.model.incidents import IncidentStatus
from prunella.ports import FailureCount, IncidentOrder, IncidentQuery, Triaged
from recorded import START, a_process, a_repeat, an_exception, an_occurrence, at

MINUTES_10 = timedelta(minutes=10)


def fail(store, number, **changes):
    """Make an incident of its own; `changes` are of the triage, the message and the process."""
    message = changes.pop("message", f"order {number} has no price")
    occurrence = an_occurrence(
        number,
        group=f"g{number}",
        site_id=changes.pop("site_id", "shop.prices:average"),
        process_id=changes.pop("process_id", "proc_1"),
        exception=an_exception(message=message),
    )
    values = {
        "fingerprint": f"f{number}",
        "scheme": "1",
        "error_code": "CODE.VALUE.INVALID",
        "location": None,
        "ignored_by": None,
    }
    return store.assign(occurrence, Triaged(**(values | changes)))


def found(store, **query):
    return [item.fingerprint for item in store.find_incidents(IncidentQuery(**query)).items]


def test_without_a_question_all_are_found_the_last_first(store):
    """An empty query asks for everything."""
    for number in (1, 3, 2):
        fail(store, number)
    assert found(store) == ["f3", "f2", "f1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HAS", ["f2", "f1"]),
        ("order 2", ["f2"]),
        ("rice rder", ["f2", "f1"]),
        ("100%", ["f3"]),
        ("1_0", []),
        ("valueerror", ["f3", "f2", "f1"]),
        ("tool.exec", ["f3"]),
        ("shop.cart", ["f2"]),
        ("!", []),
        ("order nothing", []),
    ],
)
def test_words_are_found_in_parts_and_in_any_case(store, text, expected):
    """Each word is looked for in message, type, code and site, and stands for itself alone."""
    fail(store, 1)
    fail(store, 2, site_id="shop.cart:add")
    fail(store, 3, message="disk 100% full", error_code="TOOL.EXECUTION.TIMEOUT")
    assert found(store, text=text) == expected


def test_the_latest_message_is_searched(store):
    """What an incident is found by follows the occurrence that speaks for it."""
    fail(store, 1)
    fail(store, 2, fingerprint="f1", message="Quantity is missing")
    assert found(store, text="quantity") == ["f1"]
    assert found(store, text="price:") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"error_code": "TOOL"}, ["f2"]),
        ({"error_code": "TOOL.EXECUTION"}, ["f2"]),
        ({"error_code": "TOOL.EXECUTION.TIMEOUT"}, ["f2"]),
        ({"error_code": "TOOL.EXEC"}, []),
        ({"site": "shop.prices:average"}, ["f1"]),
        ({"site": "shop.prices"}, ["f1"]),
        ({"site": "shop"}, []),
        ({"release": "2.0"}, ["f2"]),
        ({"release": "3.0"}, []),
        ({"environment": "staging"}, ["f1"]),
        ({"since": at(2)}, ["f2"]),
        ({"order": IncidentOrder.FIRST_SEEN}, ["f2", "f1"]),
        ({"order": IncidentOrder.COUNT}, ["f1", "f2"]),
    ],
)
def test_each_filter_leaves_what_it_names(store, query, expected):
    """Codes and sites are found by their beginnings as well, releases and environments by processes."""
    processes = [
        a_process(process_id="p1", release="1.0", environment="staging"),
        a_process(process_id="p2", release="2.0", environment=None),
    ]
    store.ingest(processes, spool_name="s", end_offset=1)
    fail(store, 1, process_id="p1")
    repeat = a_repeat(3, process_id="p1", group="g1", at=at(1))
    store.ingest([repeat], spool_name="s", end_offset=1)
    fail(store, 2, process_id="p2", site_id="web:fetch", error_code="TOOL.EXECUTION.TIMEOUT")
    assert found(store, **query) == expected


def test_pages_come_with_the_total_and_a_count_of_each_status(store):
    """However small the page, the numbers are those of all that was asked for."""
    incidents = [fail(store, number) for number in range(7)]
    store.set_status(incidents[0].incident_id, IncidentStatus.CURED)
    store.set_status(incidents[1].incident_id, IncidentStatus.CURED)
    page = store.find_incidents(IncidentQuery(limit=2, offset=2))
    assert [item.fingerprint for item in page.items] == ["f4", "f3"]
    assert page.total == 7
    assert page.by_status == {IncidentStatus.OPEN: 5, IncidentStatus.CURED: 2}
    cured = store.find_incidents(IncidentQuery(statuses=(IncidentStatus.CURED,), limit=1))
    assert ([item.fingerprint for item in cured.items], cured.total) == (["f1"], 2)
    assert cured.by_status == page.by_status
    assert store.find_incidents(IncidentQuery(limit=-1, offset=-5)).items == []


def test_failures_are_counted_in_steps_of_time(store):
    """Repeats count when they happened; steps without a failure are left out."""
    one = fail(store, 1)
    other = fail(store, 2)
    repeats = [a_repeat(5, group="g1", at=START + timedelta(minutes=m)) for m in (0, 31)]
    store.ingest(repeats, spool_name="s", end_offset=1)
    begin = START.replace(minute=START.minute // 10 * 10, second=0, microsecond=0)
    assert store.failures(since=START, step=MINUTES_10) == {
        None: [
            FailureCount(at=begin, failures=7),
            FailureCount(at=begin + 3 * MINUTES_10, failures=5),
        ]
    }
    by_day = store.failures(since=START, step=timedelta(days=1), incident_ids=[one.incident_id])
    assert [item.failures for item in by_day[one.incident_id]] == [11]
    both = store.failures(
        since=START, step=timedelta(0), incident_ids=[one.incident_id, other.incident_id]
    )
    assert [item.failures for item in both[other.incident_id]] == [1]
    assert store.failures(since=START, step=MINUTES_10, incident_ids=[]) == {}
    assert store.failures(since=START + timedelta(days=1), step=MINUTES_10) == {}


def test_releases_come_by_their_last_start(store):
    """What was deployed last stands first."""
    processes = [
        a_process(process_id=f"p{number}", release=release, started_at=at(number))
        for number, release in enumerate(("2.0", "1.0", "2.0", None))
    ]
    store.ingest(processes, spool_name="s", end_offset=1)
    assert store.releases() == ["2.0", "1.0"]


@pytest.mark.parametrize("named", [1, 500])
@pytest.mark.parametrize("others", [1, 20])
def test_a_release_is_found_whether_few_or_many_processes_have_it(
    store, others, named, monkeypatch
):
    """The same incidents are found, counted and shown, each once."""
    monkeypatch.setattr(finding, "_MOST_NAMED", named)
    processes = [a_process(process_id=f"p{number}", release="1.0") for number in range(others)]
    mine = [a_process(process_id=f"q{number}", release="2.0") for number in range(2)]
    store.ingest([*processes, *mine], spool_name="s", end_offset=1)
    fail(store, 1, process_id="p0")
    for number in (2, 3):
        fail(store, number, process_id="q0")
    fail(store, 4, process_id="q1", fingerprint="f2")
    page = store.find_incidents(IncidentQuery(release="2.0"))
    assert [item.fingerprint for item in page.items] == ["f2", "f3"]
    assert page.by_status == {IncidentStatus.OPEN: 2}


def test_totals_are_sums_of_what_failed_lately(store):
    """Numbers and failures of each status, and when the cured ones were; the healer's own don't count."""
    one, *_ = [fail(store, number) for number in (1, 2, 3)]
    fail(store, 4, fingerprint="f3")
    store.note_fault(activity="a", error_type="E", error_code="C", message="m", at=at(9))
    store.set_status(one.incident_id, IncidentStatus.CURED)
    cured = store.incident(one.incident_id)
    totals = store.totals()
    assert totals.incidents == {IncidentStatus.OPEN: 2, IncidentStatus.CURED: 1}
    assert totals.failures == {IncidentStatus.OPEN: 3, IncidentStatus.CURED: 1}
    assert totals.cured == [(cured.first_seen_at, cured.status_at)]
    lately = store.totals(since=at(3))
    assert (lately.incidents, lately.cured) == ({IncidentStatus.OPEN: 1}, [])
    assert store.totals(since=at(99)).incidents == {}


def test_sites_are_told_how_many_incidents_they_have(store):
    """By status; a site without any is left out."""
    fail(store, 1)
    cured = fail(store, 2)
    fail(store, 3, site_id="shop.cart:add")
    store.set_status(cured.incident_id, IncidentStatus.CURED)
    sites = ["shop.prices:average", "shop.cart:none"]
    assert store.by_site(sites) == {
        "shop.prices:average": {IncidentStatus.OPEN: 1, IncidentStatus.CURED: 1}
    }
    assert store.by_site([]) == {}


def test_spreads_of_named_incidents_are_as_of_all(store):
    """Asking for some answers the same of these; what didn't fail since then has none."""
    incidents = [fail(store, number, process_id=f"p{number}") for number in (1, 2, 3)]
    names = [item.incident_id for item in incidents]
    everything = store.spreads(since=at(2), split=at(3))
    assert set(everything) == set(names[1:])
    assert store.spreads(since=at(2), split=at(3), incident_ids=names) == everything
    some = store.spreads(since=at(2), split=at(3), incident_ids=names[:2])
    assert some == {names[1]: everything[names[1]]}
    assert store.spreads(since=at(2), split=at(3), incident_ids=[]) == {}
    assert store.spreads(since=at(2), split=at(3), incident_ids=["inc_none"] * 999) == everything


def test_texts_are_those_of_the_incidents_that_failed_last(store):
    """In their order, no more than asked for."""
    for number in (1, 3, 2):
        fail(store, number)
    found = store.find_incidents(IncidentQuery(limit=2)).items
    assert [
        (item.incident_id, item.error_code, item.error_type, item.site_id, item.message)
        for item in store.texts(limit=2)
    ] == [
        (item.incident_id, item.error_code, item.error_type, item.site_id, item.message)
        for item in found
    ]
