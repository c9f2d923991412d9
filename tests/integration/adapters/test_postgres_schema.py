"""Migrations: by command, whole steps, once each, and the release before keeps working."""

import threading
from dataclasses import replace

import pytest

from prunella.adapters import postgres_store
from prunella.adapters.postgres import PostgresDatabase
from prunella.adapters.postgres_schema import drop, migrate, pending, require, schemas, state_of
from prunella.adapters.sql.migrations import STORE
from prunella.adapters.sql_store import SqlStore
from prunella.model.errors import StoreError
from recorded import SITE, a_call, an_occurrence
from stores import TRIAGED, new_project, server_url

NEXT = (
    "ALTER TABLE incident ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE extra (a TEXT)",
)


@pytest.fixture
def database():
    database = postgres_store.database_of(server_url(), new_project())
    yield database
    drop(database)


def with_plan(database, **changes):
    """Return the same schema as another release sees it."""
    return PostgresDatabase(database.url, database.schema, replace(database.plan, **changes))


def test_steps_run_once_and_in_order(database):
    """What is missing is told first, then run, then nothing is missing."""
    assert [number for number, _ in pending(database)] == list(range(1, STORE.version + 1))
    assert state_of(database).version == 0
    assert migrate(database) == list(range(1, STORE.version + 1))
    assert migrate(database) == pending(database) == []
    state = state_of(database)
    assert (state.version, state.is_usable) == (STORE.version, True)
    assert database.schema in schemas(database, "project_")


def test_a_step_runs_whole_or_not_at_all(database):
    """Where a statement fails, what its step did before is taken back; earlier steps stay."""
    broken = with_plan(database, steps=(*STORE.steps, (*NEXT, "rubbish")))
    with pytest.raises(StoreError):
        migrate(broken)
    assert state_of(database).version == STORE.version
    mended = with_plan(database, steps=(*STORE.steps, NEXT))
    assert migrate(mended) == [STORE.version + 1]


def test_an_older_schema_says_what_to_run(database):
    """The new release doesn't work on the old schema, and doesn't touch it by itself."""
    migrate(database)
    newer = with_plan(database, steps=(*STORE.steps, NEXT))
    with pytest.raises(StoreError, match="prunella database migrate"):
        require(newer)
    assert state_of(database).version == STORE.version


def test_the_release_before_works_on_the_next_schema(database):
    """While an upgrade is under way both releases use the store, and see each other's work."""
    migrate(database)
    running = SqlStore(database)
    running.ingest([a_call(1)], spool_name="s", end_offset=1)
    upgraded = with_plan(database, steps=(*STORE.steps, NEXT))
    migrate(upgraded)
    require(database)
    require(upgraded)
    old, new = SqlStore(database), SqlStore(upgraded)
    assert running.ingest([a_call(2)], spool_name="s", end_offset=2)
    incident = old.assign(an_occurrence(1), TRIAGED)
    assert new.assign(an_occurrence(2), TRIAGED).incident_id == incident.incident_id
    assert len(new.calls(SITE, limit=9)) == 2
    assert old.incidents() == new.incidents()
    assert migrate(database) == []  # the old release leaves the new schema as it is
    assert state_of(database).version == STORE.version + 1


def test_a_step_that_breaks_the_release_before_is_refused_by_it(database):
    """A release that the schema was taken away from says so instead of failing somewhere."""
    after = STORE.version + 1
    breaking = with_plan(database, steps=(*STORE.steps, NEXT), breaks={after: after})
    migrate(breaking)
    require(breaking)
    with pytest.raises(StoreError, match=f"needs a release that knows {after}.*Upgrade this one"):
        require(database)


def test_of_many_migrators_each_step_is_run_by_one(database):
    """Whoever comes later finds the step done."""
    ran = []

    def work():
        mine = postgres_store.database_at(database.url, database.schema)
        ran.extend(migrate(mine))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == list(range(1, STORE.version + 1))
    require(database)
