"""What is PostgreSQL's own: tenants, connections, and what a server that misbehaves ends in."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from prunella.adapters import postgres, postgres_store
from prunella.adapters.postgres_connections import MAX_CONNECTIONS, connections_to
from prunella.adapters.postgres_schema import drop, migrate
from prunella.adapters.sql import intake
from prunella.adapters.sql.migrations import STORE
from prunella.model.errors import StoreError, UnknownName
from prunella.ports import Portion
from recorded import SITE, a_call, a_process, an_occurrence
from stores import TRIAGED, new_postgres_store, new_project, server_url


@pytest.fixture
def store():
    with new_postgres_store() as store:
        yield store


def keep(store, *records):
    return store.ingest(records, spool_name="s", end_offset=1)


# --- tenants


def test_projects_know_nothing_of_each_other():
    """Two projects with the same ids, on the same connections, each have their own."""
    with new_postgres_store() as mine, new_postgres_store() as theirs:
        keep(mine, a_call(1, result="mine"), a_process())
        incident = mine.assign(an_occurrence(1), TRIAGED)
        keep(theirs, a_call(1, result="theirs"))
        assert [call.result for call in mine.calls(SITE, limit=9)] == ["mine"]
        assert [call.result for call in theirs.calls(SITE, limit=9)] == ["theirs"]
        assert theirs.incidents() == []
        assert theirs.process("proc_1") is None
        with pytest.raises(UnknownName):
            theirs.incident(incident.incident_id)
        assert theirs.prune(max_age=timedelta(0), max_bytes=10**12) == 1
        assert len(mine.calls(SITE, limit=9)) == 1


def test_a_transaction_that_failed_leaves_its_project_behind():
    """The next transaction on a connection that failed for one project sees its own project alone."""
    with new_postgres_store() as mine, new_postgres_store() as theirs:
        with pytest.raises(StoreError):
            writing(mine, lambda db: db.execute("SELECT nonsense"))
        keep(theirs, a_call(1))
        assert mine.calls(SITE, limit=9) == []


def test_writers_of_one_project_do_not_wait_for_another(monkeypatch):
    """A project whose write lock is held holds up nobody else."""
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_S", 0.2)
    with new_postgres_store() as mine, new_postgres_store() as theirs:
        with mine._database.writing():
            assert keep(theirs, a_call(1))
            assert mine.calls(SITE, limit=9) == []
            with pytest.raises(StoreError, match="locked by another process"):
                in_thread(lambda: keep(mine, a_call(1)))
        assert keep(mine, a_call(1))


def test_a_writer_that_stands_still_is_cut_off(monkeypatch):
    """Who was stopped in a transaction holds up the others for a while only, and is told."""
    monkeypatch.setattr(postgres, "IDLE_TIMEOUT_S", 0.3)
    with new_postgres_store() as store:
        with pytest.raises(StoreError):
            writing(store, lambda _db: in_thread(lambda: keep(store, a_call(2))))
        assert [call.call_id for call in store.calls(SITE, limit=9)] == ["call_2"]


def in_thread(work):
    """Run `work` in another thread; raise what it raises."""
    raised = []

    def run():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - handed on
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def test_every_project_has_a_schema_of_its_own():
    """Names that PostgreSQL would cut to the same one stay apart."""
    long = "a" * 62
    names = ["a", "a-b", "a_b", f"{long}b", f"{long}c", long, "a" * 55, "a" * 56]
    schemas = [postgres_store.schema_of(name) for name in names]
    assert len(set(schemas)) == len(names)
    assert all(len(schema.encode()) <= 63 for schema in schemas)
    assert schemas[0] == "project_a"


# --- connections


def test_connections_that_were_cut_are_replaced(store):
    """After a restart of the server, or an idle time that something cut, the next call works."""
    keep(store, a_call(1))
    with psycopg.connect(server_url(), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'prunella'"
        )
    assert len(store.calls(SITE, limit=9)) == 1
    assert keep(store, a_call(2))


def writing(store, then):
    """Ingest a call, then do `then` in the same transaction."""
    with store._database.writing() as db:
        portion = Portion(records=[a_call(1)], spool_name="s", end_offset=5)
        intake.keep_all(db, [intake.prepare(portion)])
        then(db)


def cut(db):
    """Let the server close the connection, as an administrator may."""
    (pid,) = db.execute("SELECT pg_backend_pid()").fetchone()
    with psycopg.connect(server_url(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", (pid,))


def interrupt(_db):
    raise KeyboardInterrupt


def fail_unseen(db):
    with suppress(psycopg.Error):
        db.execute("SELECT nonsense")


@pytest.mark.parametrize(
    ("then", "raised", "says"),
    [
        (cut, StoreError, "terminating connection|closed"),
        (interrupt, KeyboardInterrupt, None),
        (fail_unseen, StoreError, "took a transaction back"),
    ],
)
def test_what_ends_a_transaction_early_takes_it_back(store, then, raised, says):
    """Whatever ends it, nothing of it is kept, nobody is told that it was, and the store goes on."""
    with pytest.raises(raised, match=says):
        writing(store, then)
    assert (store.spool_offset("s"), store.calls(SITE, limit=9)) == (0, [])
    assert keep(store, a_call(1))


def test_many_threads_share_few_connections(store):
    """More threads than connections wait for one another."""
    done = []

    def work(number):
        keep(store, a_call(number))
        done.append(len(store.calls(SITE, limit=1)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(MAX_CONNECTIONS * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [1] * len(threads)
    assert len(connections_to(server_url())._idle) <= 4


def test_temporary_tables_do_not_stay_on_the_connection(store):
    """What pruning marked for one project isn't there for the next."""
    store.prune(max_age=timedelta(0), max_bytes=10**12)
    for _ in range(3):
        with store._database.reading() as db:
            (number,) = db.execute(
                "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"
            ).fetchone()
        assert number == 0


# --- what can't be used


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://ana:s3cret@localhost:1/prod", "can't be opened"),
        ("postgresql://ana:s3cret@/prod?host=/nowhere", "can't be opened"),
        ("postgresql://ana:s3cret%zz@localhost:1/prod", "can't answer"),
        ("postgresql://ana:s3cret@localhost:x/prod", "can't be opened"),
    ],
)
def test_a_server_that_is_not_there_is_said_without_the_password(url, says):
    """The message has the place and what to do, and nothing that opens it."""
    with pytest.raises(StoreError, match=says) as caught:
        postgres_store.open_store(url, "shop")
    assert "s3cret" not in str(caught.value)


def test_a_database_that_is_not_there_is_said():
    """The message has the server's own words."""
    with pytest.raises(StoreError, match=r"that the database is there.*nothere"):
        postgres_store.open_store(server_url().replace("/postgres?", "/nothere?"), "shop")


def test_a_project_that_is_not_there_is_said():
    """Opening makes nothing; the message says how to get it."""
    with pytest.raises(StoreError, match="prunella database migrate"):
        postgres_store.open_store(server_url(), new_project())


def test_a_schema_of_another_kind_is_refused():
    """What another plan made is not taken for a store."""
    project = new_project()
    other = replace(STORE, name="directory", steps=(("CREATE TABLE a (b INTEGER)",),))
    schema = postgres_store.schema_of(project)
    database = postgres.PostgresDatabase(server_url(), schema, other)
    migrate(database)
    with pytest.raises(StoreError, match="holds the directory, not a store"):
        postgres_store.open_store(server_url(), project)
    drop(database)
