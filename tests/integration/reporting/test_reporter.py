"""Reporting over long times, from folders that fill up, by several processes at once."""

import json
from time import monotonic, sleep

import pytest

from doubles.hostile_server import Keeping, answer, serving
from doubles.report_server import free_port
from prunella.codec.wire import read_lines, write_record
from prunella.model.records import Call, Occurrence
from prunella.sdk import listening, reporting
from prunella.sdk.connection import Connection
from prunella.sdk.counters import counters
from prunella.sdk.dsn import parse
from prunella.sdk.reporting import Reporter
from prunella.sdk.reporting_state import ReportState, read_state, state_for, write_state
from prunella.sdk.shipping import Shipper
from prunella.sdk.thinning import thin
from recorded import a_call, a_process, a_repeat, a_site, an_occurrence

DAY_S = 86_400


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(listening.Listener, "run", lambda self: None)
    found = tmp_path / ".prunella"
    (found / "spool").mkdir(parents=True)
    return found


@pytest.fixture
def report(folder):
    """Make reporters that give up their lock and connections when the test is over."""
    made = []

    def make(port, clock, **changes):
        dsn = parse(f"http://key@127.0.0.1:{port}/shop")
        found = Reporter(folder, dsn, spool_bytes=64_000_000, clock=clock, **changes)
        made.append(found)
        return found

    yield make
    for each in made:
        each.forget()


def fill(folder, number, records):
    name = f"{number}-7-aabbcc.jsonl"
    (folder / "spool" / name).write_bytes(b"".join(map(write_record, records)))
    return name


def test_a_server_that_is_away_for_a_day_loses_nothing(folder, report):
    """Through a day without a server it is tried less and less, and then everything arrives."""
    clock, port = Clock(), free_port()
    reporter = report(port, clock)
    attempts = 0
    expected = {}
    for minute in range(24 * 60):
        clock.now += 60
        if minute % 60 == 0:
            name = fill(folder, minute + 1, [an_occurrence(minute), a_repeat(3)])
            expected[name] = (folder / "spool" / name).read_bytes()
        before = counters.get("report_failed", 0)
        reporter.look()
        attempts += counters.get("report_failed", 0) - before
    assert 100 < attempts < 600
    state = read_state(folder)
    assert "can't be reached" in state.problem
    keeping = Keeping()
    with serving(keeping, port):
        for _ in range(6):
            clock.now += 60
            reporter.look()
    assert keeping.kept == expected
    assert list((folder / "spool").iterdir()) == []
    assert read_state(folder).problem == ""


def test_reporters_that_were_told_the_same_come_back_one_after_the_other(
    folder, report, monkeypatch
):
    """A server that is busy gets them back no sooner than it said, each at a moment of its own."""
    clock = Clock()
    fill(folder, 1, [an_occurrence(1)])
    waits = set()
    with serving(lambda *_: answer(503, Retry_After="100")) as server:
        for chance in (0, 100, 255):
            monkeypatch.setattr(reporting.os, "urandom", lambda _size, n=chance: bytes([n]))
            reporter = report(server.port, clock)
            reporter.look()
            waits.add(reporter._retry_at - clock.now)
            reporter.forget()
            state = read_state(folder)
            state.retry_at_us = 0
            write_state(folder, state)
    assert len(waits) == 3
    assert 100 <= min(waits) < max(waits) <= 125


def test_a_refused_key_is_left_alone_for_a_while(folder, report):
    """A server that refuses the key isn't asked again for five minutes, whoever asks."""
    clock = Clock()
    fill(folder, 1, [an_occurrence(1)])
    with serving(lambda *_: answer(403)) as server:
        first = report(server.port, clock)
        for _ in range(100):
            clock.now += 2
            first.look()
        assert len(server.asked) == 1
        first.forget()
        second = report(server.port, clock)
        second.look()
        assert len(server.asked) == 1
        clock.now += 301
        second.look()
        assert len(server.asked) == 2
    assert "refuses the key" in read_state(folder).problem


def test_one_process_of_a_folder_reports_for_all(folder, report):
    """While one reports, others leave the folder to it; when it is gone, another goes on."""
    clock, keeping = Clock(), Keeping()
    with serving(keeping) as server:
        first, second = report(server.port, clock), report(server.port, clock)
        first.look()
        name = fill(folder, 1, [an_occurrence(1)])
        second.look()
        assert server.asked == []
        first.forget()
        second.look()
    assert list(keeping.kept) == [name]


def test_a_folder_that_fills_up_loses_successes_first_and_says_so(folder):
    """Oldest successes go first, then failures; counts stay, and every offset keeps its meaning."""
    state = ReportState(place="x", sender="ab" * 16)
    names = []
    for file in range(4):
        records = [a_process(), a_site()]
        for n in range(40):
            number = file * 100 + n
            records += [a_call(number), an_occurrence(number), a_repeat(1)]
        names.append(fill(folder, file + 1, records))
    spool = folder / "spool"
    originals = {name: (spool / name).read_bytes() for name in names}
    total = sum(map(len, originals.values()))
    first_lines = [line.end_offset for line in read_lines(originals[names[0]])]
    state.offsets[names[0]] = first_lines[4]  # five lines were reported before
    assert thin(spool, state, room_bytes=2 * total) == 0

    gone = thin(spool, state, room_bytes=int(total / 0.76))
    assert gone > 0
    assert counters["dropped_report_room_calls"] >= gone - 160
    kept = {path.name: list(read_lines(path.read_bytes())) for path in spool.iterdir()}
    assert all(name.endswith((".thin", ".jsonl")) for name in kept)
    keeping = Keeping()
    keeping.kept[names[0]] = originals[names[0]][: first_lines[4]]
    with serving(keeping) as server:
        connection = Connection(parse(server.dsn), sender=state.sender)
        Shipper(spool, state, connection).ship()
        connection.close()
    for name, content in originals.items():
        shipped = keeping.kept[name]
        assert len(shipped) == len(content)
        assert all(
            mine in (0, original) for mine, original in zip(shipped, content, strict=True)
        ), "what stays stands where it stood"
        assert shipped.count(b'"repeat"') == 40
    assert list(spool.iterdir()) == []


def test_failures_go_only_when_there_is_nothing_else(folder):
    """As long as successes are left in finished files, no failure goes."""
    state = ReportState(place="x", sender="ab" * 16)
    for file in range(4):
        calls = [a_call(file * 1000 + n) for n in range(100)]
        fill(folder, file + 1, [*calls, an_occurrence(file)])
    spool = folder / "spool"
    total = sum(path.stat().st_size for path in spool.iterdir())
    thin(spool, state, room_bytes=total)

    def kinds():
        found = [line.record for path in spool.iterdir() for line in read_lines(path.read_bytes())]
        return [type(record) for record in found if record is not None]

    assert kinds().count(Occurrence) == 4
    assert 0 < kinds().count(Call) < 400
    thin(spool, state, room_bytes=100)
    assert kinds() == []
    assert state.dropped == 404


def test_the_state_of_reporting_survives_damage(folder):
    """A state that is torn, foreign or nonsense counts as none; another server begins anew."""
    state = state_for(folder, "https://a/shop")
    state.offsets["1-1-aa.jsonl"] = 7
    write_state(folder, state)
    assert read_state(folder) == state
    assert state_for(folder, "https://b/shop") == ReportState(
        place="https://b/shop", sender=state.sender
    )
    path = folder / "report.json"
    good = json.loads(path.read_text())
    for bad in (
        "",
        "[]",
        "{",
        "[" * 100_000,
        json.dumps({**good, "offsets": 7}),
        json.dumps({**good, "offsets": {"a": "b"}}),
        json.dumps({**good, "sender": "../x"}),
        json.dumps({**good, "retry_at_us": "soon"}),
    ):
        path.write_text(bad)
        assert read_state(folder) is None


def test_the_wait_at_exit_is_bounded(folder, report, monkeypatch):
    """A server that doesn't answer holds the end of a program up for half a second at most."""
    monkeypatch.setattr(reporting, "LOOK_S", 60.0)
    fill(folder, 1, [an_occurrence(1)])
    with serving(lambda *_: sleep(20)) as server:
        reporter = report(server.port, monotonic)
        reporter.start()
        began = monotonic()
        reporter.finish()
        assert monotonic() - began < 5  # generous: the machine may be busy
    assert len(list((folder / "spool").iterdir())) == 1
