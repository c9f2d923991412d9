"""What the store does when its file is missing, damaged, foreign, newer, locked or taken away."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import accepted, case, process
from prunella.adapters import sqlite, sqlite_store
from prunella.adapters.sql.migrations import STORE
from prunella.adapters.sql.rows import dump
from prunella.adapters.sqlite_store import open_store
from prunella.codec.plain import to_tagged
from prunella.model.clock import from_us
from prunella.model.errors import StoreError
from prunella.model.repair import ReplayCounts
from prunella.ports import IncidentQuery
from recorded import SITE, a_call, a_repeat, an_occurrence


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".prunella" / "prunella.db"


def opened(path):
    return closing(open_store(path, create=True))


@pytest.fixture
def filled(path):
    store = open_store(path, create=True)
    store.ingest([a_call(number) for number in range(50)], spool_name="s", end_offset=1)
    store.close()
    return path


def test_a_missing_store_says_that_nothing_was_recorded(path):
    """Looking makes no file; the message says how to get one."""
    with pytest.raises(StoreError, match="Nothing has been recorded here yet"):
        open_store(path, create=False)
    assert not path.parent.exists()


def test_a_store_is_its_owners_alone(filled):
    """Recorded values are nobody else's to read, whatever the umask."""
    assert filled.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_file_that_is_no_store_is_left_as_it_is(path, content, create):
    """Rubbish is refused with advice and never overwritten."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged or not a store"):
        open_store(path, create=create)
    assert path.read_bytes() == content


def test_damage_inside_a_store_is_said(filled):
    """A store whose pages were overwritten raises StoreError, also when opened, and stays."""
    data = bytearray(filled.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    filled.write_bytes(data)
    with pytest.raises(StoreError, match="damaged") as caught, opened(filled) as store:
        store.calls(SITE, limit=99)
    assert "Move it away" in str(caught.value)
    assert filled.read_bytes()[4096:] == data[4096:]


def test_a_damaged_row_is_said(filled):
    """A body that is no JSON any more is a StoreError, not a crash."""
    with sqlite3.connect(filled) as db:
        db.execute("UPDATE call SET body = '{'")
    db.close()
    with opened(filled) as store, pytest.raises(StoreError, match="can't be read"):
        store.calls(SITE, limit=1)


def test_a_truncated_store_is_refused(filled):
    """Half a file is not half a store."""
    data = filled.read_bytes()
    filled.write_bytes(data[: len(data) // 2])
    with pytest.raises(StoreError), opened(filled) as store:
        store.calls(SITE, limit=99)


def test_another_programs_database_is_refused(path):
    """A SQLite file that isn't ours is left alone, with or without a version of its own."""
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_store(path, create=True)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(filled):
    """An old release doesn't guess what a newer one has written."""
    newer = STORE.version + 1
    with sqlite3.connect(filled) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    db.close()
    with pytest.raises(StoreError, match=f"schema version {newer}.*Upgrade"):
        open_store(filled, create=True)


def test_the_release_before_works_on_the_next_schema(filled, monkeypatch):
    """Where a newer release only added something both use the file, and see each other's work."""
    running = open_store(filled, create=False)
    running.calls(SITE, limit=1)
    next_step = ("CREATE TABLE next (x)", "ALTER TABLE spool ADD COLUMN extra INTEGER DEFAULT 7")
    upgraded = replace(STORE, steps=(*STORE.steps, next_step))
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_store, "STORE", upgraded)
        new = open_store(filled, create=False)
    old = open_store(filled, create=False)
    for number, store in enumerate((running, old, new)):
        assert store.ingest([a_call(900 + number)], spool_name="s", end_offset=number + 1)
    assert [len(store.calls(SITE, limit=99)) for store in (running, old, new)] == [53, 53, 53]
    assert new.spool_offset("s") == 3
    for store in (running, old, new):
        store.close()
    with sqlite3.connect(filled) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (STORE.version + 1,)
    db.close()


def test_a_step_that_breaks_the_release_before_is_refused_by_it(filled, monkeypatch):
    """A release that something was taken away from says so, which it needs, and what to do."""
    after = STORE.version + 1
    breaking = replace(
        STORE,
        steps=(*STORE.steps, ("DROP TABLE counts",), ("CREATE TABLE a (x)",)),
        breaks={after: after},
    )
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_store, "STORE", breaking)
        open_store(filled, create=False).close()
    before = filled.read_bytes()
    with pytest.raises(
        StoreError, match=f"version {after + 1}.* needs one that knows {after}.*Upgrade"
    ):
        open_store(filled, create=True)
    assert filled.read_bytes() == before


def test_an_older_schema_is_brought_up_to_date(filled, monkeypatch):
    """Missing steps run once, in order, each whole or not at all; data stays."""
    steps = (*STORE.steps, ("CREATE TABLE one (x)",), ("CREATE TABLE two (x)", "rubbish"))
    monkeypatch.setattr(sqlite_store, "STORE", replace(STORE, steps=steps))
    with pytest.raises(StoreError):
        open_store(filled, create=False)
    with sqlite3.connect(filled) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(steps) - 1,)
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    db.close()
    assert "one" in tables
    assert "two" not in tables
    mended = replace(STORE, steps=(*steps[:-1], ("CREATE TABLE two (x)",)))
    monkeypatch.setattr(sqlite_store, "STORE", mended)
    store = open_store(filled, create=False)
    assert len(store.calls(SITE, limit=99)) == 50
    store.close()


def test_what_an_older_release_kept_is_found_by_the_new_columns(path, monkeypatch):
    """A store of the release before columns had what queries ask for answers as if it had them."""
    older = replace(STORE, steps=STORE.steps[:9])
    monkeypatch.setattr(sqlite_store, "STORE", older)
    open_store(path, create=True).close()
    inner, outer = an_occurrence(1), an_occurrence(2, caused_by="occ_1")
    judged = accepted(replays=ReplayCounts(reproduced=("call_1",)))
    learned = case(rests_on=("call_2",))
    rows = [
        ("process VALUES (?, ?, ?)", ("proc_1", 1, dump(process(hostname="h", release="1.0")))),
        *(
            (
                "occurrence (occurrence_id, site_id, source_hash, process_id, call_id, ending, "
                "failed_us, body) VALUES (?, 's', '0', 'proc_1', 'c', 'error', 1, ?)",
                (item.occurrence_id, dump(item)),
            )
            for item in (inner, outer)
        ),
        (
            "occurrence (occurrence_id, site_id, source_hash, process_id, call_id, ending, "
            "failed_us, body) VALUES ('damaged', 's', '0', 'proc_1', 'c', 'error', 2, '{')",
            (),
        ),
        (
            "incident (incident_id, scheme, fingerprint, site_id, error_type, error_code, message, "
            "status, status_us, count, first_us, last_us) VALUES ('inc_1', '1', 'f', 's', "
            "'KeyError', 'CODE.X', 'No Price', 'open', 1, 7, 1, 1)",
            (),
        ),
        ("tally VALUES ('inc_1', 4, 7)", ()),
        ("verdict (candidate_id, body) VALUES ('cand_1', ?)", (json.dumps(to_tagged(judged)),)),
        (
            "solved_case (case_id, incident_id, origin, body) VALUES (?, 'inc_1', 'o', ?)",
            (learned.case_id, dump(learned)),
        ),
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for row, values in rows:
            db.execute(f"INSERT INTO {row}", values)
    monkeypatch.undo()
    with closing(open_store(path, create=False)) as store:
        assert store.caused(["occ_1"], limit=9) == [outer]
        with store._database.writing() as db:
            db.execute("DELETE FROM occurrence WHERE occurrence_id = 'damaged'")
        assert store.untriaged(limit=9) == [inner]
        found = store.find_incidents(IncidentQuery(text="keyerror price"))
        assert [item.incident_id for item in found.items] == ["inc_1"]
        assert store.releases() == ["1.0"]
        failures = store.failures(since=from_us(0), step=timedelta(minutes=10))
        assert [item.failures for item in failures[None]] == [7]
        with store._database.reading() as db:
            assert db.execute("SELECT record_id FROM evidence ORDER BY 1").fetchall() == [
                ("call_1",),
                ("call_2",),
            ]


def test_an_empty_file_becomes_a_store(path):
    """A file that a writer made and was killed before filling is filled."""
    path.parent.mkdir()
    path.touch()
    store = open_store(path, create=False)
    assert store.sites() == []
    store.close()


def test_a_locked_store_is_said_after_the_timeout(filled, monkeypatch):
    """Who can't write because another process doesn't let go gets a message that says so."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    store = open_store(filled, create=False)
    other = sqlite3.connect(filled, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        store.ingest([a_call()], spool_name="s", end_offset=2)
    assert len(store.calls(SITE, limit=99)) == 50
    other.execute("ROLLBACK")
    other.close()
    assert store.ingest([a_call(99)], spool_name="s", end_offset=2)
    store.close()


def test_an_error_within_a_transaction_leaves_nothing_behind(filled):
    """Records and offset are kept together or not at all."""
    store = open_store(filled, create=False)

    def broken():
        yield an_occurrence()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.ingest(broken(), spool_name="t", end_offset=9)
    assert (store.spool_offset("t"), store.untriaged(limit=9)) == (0, [])
    store.close()


def test_a_full_disk_is_said_and_gone_through(filled):
    """What doesn't fit is said; once there is room, the store goes on."""
    store = open_store(filled, create=False)
    with store._database.outside_transaction() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full"):
        store.ingest([a_call(77, result="x" * 100_000)], spool_name="s", end_offset=2)
    with store._database.outside_transaction() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    assert store.spool_offset("s") == 1
    assert store.ingest([a_call(77)], spool_name="s", end_offset=2)
    store.close()


def test_a_store_taken_away_is_made_anew_by_its_writer(filled):
    """Somebody deletes the data folder under a running program: it records into a new one."""
    store = open_store(filled, create=True)
    shutil.rmtree(filled.parent)
    assert store.ingest([a_call(1)], spool_name="s", end_offset=2)
    assert len(store.calls(SITE, limit=99)) == 1
    store.close()


def test_a_store_taken_away_from_a_reader_is_said(filled):
    """A reader doesn't answer from a file that isn't there any more."""
    store = open_store(filled, create=False)
    shutil.rmtree(filled.parent)
    with pytest.raises(StoreError, match="Nothing has been recorded"):
        store.sites()
    store.close()


def test_a_folder_in_the_files_place_is_said(path):
    """Whatever stands at the path, the message has it."""
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="can't be opened"):
        open_store(path, create=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_folder_is_said(path):
    """A folder that may not be written ends in a message, not in a traceback."""
    path.parent.mkdir()
    path.parent.chmod(0o500)
    with pytest.raises(StoreError, match="can't be opened"):
        open_store(path, create=True)


def test_a_closed_store_opens_again(filled):
    """Closing gives the file back; using the store again is no error."""
    store = open_store(filled, create=False)
    store.close()
    store.close()
    assert store.ingest([a_repeat()], spool_name="s", end_offset=3)
    store.close()
