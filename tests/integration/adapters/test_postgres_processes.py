"""Many processes on one PostgreSQL store, and a server that is killed."""

import multiprocessing
import os
import signal
import time
from contextlib import contextmanager
from datetime import timedelta

import psutil
import pytest

import builders
from prunella.adapters import postgres_store
from prunella.adapters.postgres_connections import connections_to
from prunella.adapters.postgres_schema import migrate
from prunella.model.alerts import Alert, AlertKind
from prunella.model.claims import Claim
from prunella.model.errors import StoreError
from prunella.model.ids import AlertId
from recorded import SITE, a_call, a_process, a_repeat, a_site, an_occurrence, some_counts
from stores import TRIAGED, new_postgres_store, start_server

PROCESSES = 10
HOUR = timedelta(hours=1)
#: Forked, because ten interpreters take long to start; each has connections of its own.
forked = multiprocessing.get_context("fork")


@pytest.fixture
def store():
    with new_postgres_store() as store:
        yield store


@contextmanager
def running(work, *arguments):
    """Run `work` in a process of its own, with a pipe to talk to it."""
    mine, theirs = forked.Pipe()
    process = forked.Process(target=work, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield process, mine
    finally:
        process.kill()
        process.join()


def at_once(work, store):
    """Run ``work(store, number)`` in ten processes that begin together; return what each answered."""
    barrier, answers = forked.Barrier(PROCESSES), forked.SimpleQueue()

    def run(number):
        barrier.wait()
        answers.put(work(store, number))

    started = [forked.Process(target=run, args=(number,)) for number in range(PROCESSES)]
    for process in started:
        process.start()
    for process in started:
        process.join(timeout=120)
    assert [process.exitcode for process in started] == [0] * PROCESSES
    return [answers.get() for _ in started]


def report(store, number):
    for batch in range(10):
        names = [f"{number}_{batch}_{n}" for n in range(5)]
        records = [
            a_site(),
            a_process(),
            some_counts(batch + 1, process_id=f"p{number}"),
            a_repeat(2),
            *(a_call(call_id=name) for name in names),
            *(an_occurrence(occurrence_id=name) for name in names),
        ]
        assert store.ingest(
            records, spool_name=str(number), start_offset=batch, end_offset=batch + 1
        )


def test_ten_processes_report_at_once(store):
    """Nothing is lost and nothing counts twice: records, repeats, sites, counters."""
    at_once(report, store)
    rows = store.health().rows
    assert (rows["call"], rows["occurrence"], rows["site"], rows["counts"]) == (500, 500, 1, 10)
    assert {counts.sequence for counts in store.counts()} == {10}
    store.assign_all([(one, TRIAGED) for one in store.untriaged(limit=1000)])
    assert store.incidents()[0].count == 500 + 200


def want(store, number):
    """Ask for what only one may have; say what was got."""
    at = builders.AT
    claim = Claim(
        claim_id=f"claim_{number}",
        incident_id="inc_1",
        function="m:f",
        actor=str(number),
        started_at=at,
        lease_until=at + HOUR,
    )
    got = (
        store.ingest([a_repeat(1)], spool_name="shared", start_offset=0, end_offset=10),
        store.take_alert("chat", at=at, since=at - HOUR, lease=HOUR) is not None,
        store.claim(claim, cooldown=timedelta(0)) is None,
    )
    store.assign(an_occurrence(number), TRIAGED)
    return got


def test_of_those_who_want_the_same_one_gets_it(store):
    """A part of a spool, an alert, a claim, the incident of a fingerprint: each comes about once."""
    alert = Alert(
        alert_id=AlertId("alert_1"),
        kind=AlertKind.NEW,
        subject="inc_1",
        title="t",
        body="b",
        decided_at=builders.AT,
    )
    store.add_alerts([alert], quiet=timedelta(0), per_hour=0)
    got = at_once(want, store)
    assert [sum(each) for each in zip(*got, strict=True)] == [1, 1, 1]
    (incident,) = store.incidents()
    assert incident.count == PROCESSES + 1


def read_a_spool(pipe, store, end):
    """Ingest as a reader of a spool does, telling each offset that the store has acknowledged."""
    offset = 0
    while offset < end:
        records = [a_call(call_id=f"{offset + n}") for n in range(5)]
        try:
            kept = store.ingest(records, spool_name="s", start_offset=offset, end_offset=offset + 5)
            # A commit whose answer got lost was one all the same: the offset says so.
            offset = offset + 5 if kept else store.spool_offset("s")
        except StoreError:
            time.sleep(0.05)
            continue
        pipe.send(offset)


def test_a_server_that_is_killed_loses_nothing_that_was_acknowledged():
    """Whatever `ingest` said is kept is there after `kill -9` and a restart; the reader goes on."""
    server = start_server()
    migrate(postgres_store.database_of(server.get_uri(), "killed"))
    store = postgres_store.open_store(server.get_uri(), "killed")
    with running(read_a_spool, store, 600) as (reader, pipe):
        for enough in (100, 250, 400):
            while (acknowledged := pipe.recv()) < enough:
                pass
            kill(server.get_pid())
            server.ensure_postgres_running()
            with store._database.reading() as db:
                (offset,) = db.execute("SELECT end_offset FROM spool").fetchone()
                (calls,) = db.execute("SELECT count(*) FROM call").fetchone()
            assert calls == offset >= acknowledged
        while acknowledged < 600:
            acknowledged = pipe.recv()
        reader.join(timeout=60)
    assert store.health().rows["call"] == 600
    connections_to(server.get_uri()).close_idle()
    server.cleanup()


def kill(pid):
    """Kill a server with all its processes, without a word."""
    postmaster = psutil.Process(pid)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        if process.is_running():
            os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)


def hold_the_lock(pipe, store):
    with store._database.writing() as db:
        db.execute("INSERT INTO refused VALUES ('x', 1)")
        pipe.send("locked")
        pipe.recv()


def test_one_who_dies_in_a_transaction_holds_up_nobody(store):
    """The lock of a process that was killed is free at once, and what it wrote is gone."""
    with running(hold_the_lock, store) as (holder, pipe):
        assert pipe.recv() == "locked"
        holder.kill()
        assert store.ingest([an_occurrence(1)], spool_name="s", end_offset=1)
    assert store.health().refused == {}
    assert store.calls(SITE, limit=1) == []
