"""Clients of other libraries that send a report again, perhaps to another server."""

import json
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from starlette.testclient import TestClient

from prunella.adapters.postgres_schema import drop, migrate
from prunella.adapters.postgres_store import database_of
from prunella.adapters.sql import heard
from prunella.server.app import create_app
from prunella.server.people import People
from prunella.server.workspaces import EmbeddedWorkspace, TeamWorkspaces
from prunella.wiring.directory import database_of_directory, open_directory, prepare_project
from stores import DATABASES, server_url

NAME = "teamheard"


@contextmanager
def team(folder):
    """Give a function that starts another server on one PostgreSQL database."""
    url = server_url()
    migrate(database_of_directory(url))
    directory = open_directory(folder, url)
    People(directory, actor="the test").add_project(NAME)
    prepare_project(url, NAME)
    try:
        yield lambda: TeamWorkspaces(url, directory, root=folder)
    finally:
        directory.close()
        drop(database_of_directory(url))
        drop(database_of(url, NAME))


@contextmanager
def embedded(folder):
    (folder / "pyproject.toml").write_text("[tool.prunella]\n")
    yield lambda: EmbeddedWorkspace(folder)


@pytest.fixture(params=DATABASES)
def servers(request, tmp_path):
    """Two servers of one project, and what says how many failures it has counted."""
    with (team if request.param == "postgres" else embedded)(tmp_path) as start:
        opened = [start(), start()]
        (name,) = opened[0].names()

        def counted():
            store = opened[0].open(name).healer.store
            return sum(item.count for item in store.incidents())

        clients = [
            TestClient(create_app(each), base_url="http://127.0.0.1:8787") for each in opened
        ]
        yield *clients, counted
        for each in opened:
            each.close()


def of_sentry(numbers):
    """Return an envelope with an event of each number."""
    lines = [{}]
    for number in numbers:
        error = {"type": "ValueError", "value": f"no {number}"}
        event = {"event_id": f"{number:032x}", "exception": {"values": [error]}, "timestamp": 1e9}
        lines += [{"type": "event"}, event]
    return "/api/1/envelope/", "\n".join(map(json.dumps, lines)), "application/x-sentry-envelope"


def of_opentelemetry(numbers):
    """Return a request with a span of each number."""
    value = {"stringValue": "ValueError"}
    spans = [
        {
            "traceId": f"{number:032x}",
            "spanId": f"{number:016x}",
            "name": "pay",
            "endTimeUnixNano": "1000000000000000000",
            "events": [
                {
                    "name": "exception",
                    "timeUnixNano": "1000000000000000000",
                    "attributes": [{"key": "exception.type", "value": value}],
                }
            ],
        }
        for number in numbers
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    return "/v1/traces", body, "application/json"


def send(client, report):
    path, body, kind = report
    answer = client.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("report", [of_sentry, of_opentelemetry])
def test_what_another_server_heard_counts_once(servers, report):
    """Sent again to another server a report counts once, alone or among others that are new."""
    one, other, counted = servers
    send(one, report(range(5)))
    assert counted() == 5
    for client in (other, one, other):
        send(client, report(range(5)))
    assert counted() == 5
    send(other, report(range(3, 9)))
    assert counted() == 9
    send(one, report(range(9)))
    assert counted() == 9


def test_what_two_servers_hear_at_once_counts_once(servers):
    """However many send the same reports to two servers at the same moment, each counts once."""
    one, other, counted = servers
    threads, begin = [], Barrier(6)

    def run(client, first):
        begin.wait()
        for number in range(first, first + 12):
            send(client, of_sentry(range(number, number + 3)))

    for number in range(6):
        threads.append(Thread(target=run, args=((one, other)[number % 2], number)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert counted() == 19  # 0 to 5 + 11 + 2


def test_what_has_no_id_counts_each_time(servers):
    """Where nothing tells a report from another, it isn't taken for one that is sent again."""
    one, other, counted = servers
    _, envelope, kind = of_sentry([1])
    nameless = envelope.replace('"event_id"', '"other"')
    for client in (one, other, one):
        send(client, ("/api/1/envelope/", nameless, kind))
    assert counted() == 3


def test_ids_are_known_for_an_hour_and_forgotten_later(store, monkeypatch):
    """An id is known in its hour and the next; then it goes, with some that come later."""

    def keep(event, hour):
        monkeypatch.setattr(heard, "_hour", lambda: hour)
        return store.ingest((), spool_name="reported/", end_offset=0, events=[event])

    assert [keep("a", 100), keep("a", 100), keep("a", 101), keep("b", 101)] == [
        True,
        False,
        False,
        True,
    ]
    assert set(store.heard(["a", "b", "c"])) == {"a", "b"}
    assert keep("a", 102)
    with store._database.reading() as db:
        hours = db.execute("SELECT hour FROM heard ORDER BY hour").fetchall()
    assert hours == [(101,), (102,)]
    assert set(store.heard(["a", "b"])) == {"a", "b"}
    monkeypatch.setattr(heard, "_hour", lambda: 101)  # of a server whose clock is behind
    assert set(store.heard(["a", "b"])) == {"a", "b"}
    assert not keep("a", 101)
    monkeypatch.setattr(heard, "_hour", lambda: 110)
    store.prune(max_age=timedelta(days=30), max_bytes=10**9)
    with store._database.reading() as db:
        assert db.execute("SELECT count(*) FROM heard").fetchone() == (0,)
