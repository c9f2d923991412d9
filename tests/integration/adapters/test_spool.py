import fcntl
import os
from datetime import timedelta

import pytest

from prunella.adapters import spool
from prunella.adapters.spool import Retention, drain
from prunella.adapters.sqlite_store import open_store
from prunella.codec.wire import write_record
from prunella.triage import Rules, triage
from recorded import a_call, a_process, a_repeat, a_site, an_occurrence, at, some_counts

NAME = "1763640000000005-1-abc.jsonl"


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path / ".prunella" / "prunella.db", create=True)
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / ".prunella" / "spool"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def living():
    """Take the lock that a living writer holds on its file."""
    descriptors = []

    def lock(path):
        descriptor = os.open(path, os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        descriptors.append(descriptor)
        return descriptor

    yield lock
    for descriptor in descriptors:
        os.close(descriptor)


def lines(*records):
    return b"".join(write_record(record) for record in records)


def total(store):
    """Return how many failures the store has counted."""
    for occurrence in store.untriaged(limit=10_000):
        store.assign(occurrence, triage(occurrence, Rules()))
    return sum(incident.count for incident in store.incidents())


def test_every_kind_of_record_arrives_as_it_was(folder, store):
    """What a program reported is what the store answers, field by field."""
    records = (a_process(), a_site(), a_call(), an_occurrence(), a_repeat(3), some_counts())
    (folder / NAME).write_bytes(lines(*records))
    report = drain(folder, store)
    assert (report.records, report.torn, report.files_removed) == (6, 0, 1)
    assert store.process("proc_1") == records[0]
    assert store.sites() == [records[1]]
    assert store.calls("shop.prices:average", limit=5) == [records[2]]
    assert store.untriaged(limit=5) == [records[3]]
    assert store.counts() == [records[5]]
    assert total(store) == 4
    assert list(folder.iterdir()) == []


def test_a_missing_folder_is_empty(folder, store):
    """Nothing recorded yet is no error, nor is a file in the folder's place."""
    assert drain(folder / "none", store).records == 0
    (folder / "file").touch()
    assert drain(folder / "file", store).records == 0


def test_a_living_writers_file_stays_and_is_read_on(folder, store, living):
    """What stands behind the last line break waits until it is complete."""
    path = folder / NAME
    whole = lines(an_occurrence(1), an_occurrence(2), an_occurrence(3))
    cut = len(lines(an_occurrence(1))) + 40
    path.write_bytes(whole[:cut])
    descriptor = living(path)
    assert drain(folder, store) == spool.DrainReport(records=1)
    assert drain(folder, store).records == 0
    os.pwrite(descriptor, whole[cut:], cut)
    assert drain(folder, store) == spool.DrainReport(records=2)
    assert path.exists()
    assert total(store) == 3


@pytest.mark.parametrize("cut", [1, 8, 9, 60, -1])
def test_the_torn_tail_of_a_dead_writer_is_counted(folder, store, cut):
    """A record that was cut off by the end of its process is said to be lost, once."""
    (folder / NAME).write_bytes(lines(an_occurrence(1)) + lines(an_occurrence(2))[:cut])
    report = drain(folder, store)
    assert (report.records, report.torn, report.files_removed) == (1, 1, 1)
    assert total(store) == 1


@pytest.mark.parametrize(
    "bad",
    [b"\n", b"garbage\n", b"00000000 {}\n", b"\x00\xff\n", b"d202ef8d {}\n", b"x" * 5000 + b"\n"],
)
def test_a_bad_line_hides_none_behind_it(folder, store, bad):
    """Damaged lines are counted, and reading goes on at the next line."""
    (folder / NAME).write_bytes(lines(an_occurrence(1)) + bad + lines(an_occurrence(2)) + bad)
    report = drain(folder, store)
    assert (report.records, report.torn) == (2, 2)
    assert total(store) == 2


def test_chunks_and_long_lines_lose_nothing(folder, store, monkeypatch):
    """Records are found however the reading blocks cut them; a line beyond all bounds is skipped."""
    monkeypatch.setattr(spool, "_CHUNK_BYTES", 300)
    monkeypatch.setattr(spool, "_MAX_LINE_BYTES", 4000)
    long = an_occurrence(4, inputs=["d", "text", "x" * 2500])
    (folder / NAME).write_bytes(
        lines(an_occurrence(1), long, an_occurrence(2)) + b"y" * 9000 + b"\n" + lines(a_repeat(5))
    )
    report = drain(folder, store)
    assert (report.records, report.torn, report.files_removed) == (4, 1, 1)
    assert total(store) == 8


def test_an_offset_taken_by_another_reader_is_not_taken_again(folder, store):
    """Two readers that have read the same bytes keep them once, also what has no id."""
    records = [a_repeat(1), an_occurrence(1)]
    first = store.ingest(records, spool_name=NAME, start_offset=0, end_offset=100)
    second = store.ingest([*records, a_repeat(1)], spool_name=NAME, start_offset=0, end_offset=150)
    assert (first, second) == (True, False)
    assert store.spool_offset(NAME) == 100
    assert total(store) == 2


def test_a_file_removed_by_another_reader_is_not_read_again(folder, store, monkeypatch):
    """A reader that had opened the file before it was removed finds nothing more to do."""
    (folder / NAME).write_bytes(lines(a_repeat(1), an_occurrence(1)))
    lock = spool.is_unheld

    def overtaken(descriptor):
        monkeypatch.setattr(spool, "is_unheld", lock)
        assert drain(folder, store).files_removed == 1
        return lock(descriptor)

    monkeypatch.setattr(spool, "is_unheld", overtaken)
    assert drain(folder, store) == spool.DrainReport()
    assert total(store) == 2


def test_a_name_that_comes_back_is_another_file(folder, store):
    """A file put in the place of one that was read is read from its beginning."""
    for number in (1, 2):
        (folder / NAME).write_bytes(lines(an_occurrence(number)))
        assert drain(folder, store).records == 1
    assert total(store) == 2


def test_a_replaced_living_file_is_read_from_its_beginning(folder, store, living):
    """A file that is shorter than what was read of it is another one."""
    path = folder / NAME
    path.write_bytes(lines(an_occurrence(1), an_occurrence(2)))
    living(path)
    assert drain(folder, store).records == 2
    path.write_bytes(lines(an_occurrence(3)))
    assert drain(folder, store).records == 1
    assert total(store) == 3


def test_a_reader_that_died_before_removing_is_followed_up(folder, store):
    """A file that was read to its end and not removed is removed by the next drain."""
    data = lines(an_occurrence(1))
    (folder / NAME).write_bytes(data)
    store.ingest([an_occurrence(1)], spool_name=NAME, start_offset=0, end_offset=len(data))
    assert drain(folder, store) == spool.DrainReport(files_removed=1)


def test_an_empty_file_gets_time_to_be_locked(folder, store):
    """A file just made may be about to be written; an old empty one is litter."""
    (folder / NAME).touch()
    assert drain(folder, store).files_removed == 0
    os.utime(folder / NAME, (1, 1))
    assert drain(folder, store).files_removed == 1


def test_unready_files_of_the_dead_are_swept(folder, store, living):
    """A writer killed before its first record leaves nothing for ever."""
    for name in ("old.new", "young.new", "alive.new", "other.txt"):
        (folder / name).touch()
    for name in ("old.new", "alive.new", "other.txt"):
        os.utime(folder / name, (1, 1))
    living(folder / "alive.new")
    drain(folder, store)
    assert {path.name for path in folder.iterdir()} == {"young.new", "alive.new", "other.txt"}


def test_what_is_no_plain_file_is_left_alone(folder, store, tmp_path):
    """Links, pipes and folders in the spool are neither followed nor removed nor waited for."""
    secret = tmp_path / "secret"
    secret.write_bytes(lines(an_occurrence(1)))
    (folder / "1.jsonl").symlink_to(secret)
    os.link(secret, folder / "2.jsonl")
    os.mkfifo(folder / "3.jsonl")
    (folder / "4.jsonl").mkdir()
    (folder / "5.jsonl").symlink_to(tmp_path / "nowhere")
    (folder / "6.jsonl").write_bytes(lines(an_occurrence(6)))
    report = drain(folder, store)
    assert report.records == 1
    assert dict(report.refused) == {
        "1.jsonl": "a symbolic link",
        "2.jsonl": "a hard link to another file",
        "3.jsonl": "not a regular file",
        "4.jsonl": "not a regular file",
        "5.jsonl": "a symbolic link",
    }
    assert len(list(folder.iterdir())) == 5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_strangers_file_is_left_alone(folder, store):
    """A file of a user who is neither us nor the folder's owner is not ours to read."""
    (folder / NAME).write_bytes(lines(an_occurrence(1)))
    os.chown(folder / NAME, 12345, 12345)
    assert dict(drain(folder, store).refused) == {NAME: "owned by user 12345"}
    os.chown(folder, 12345, 12345)
    assert drain(folder, store).records == 1


def test_retention_is_looked_after(folder, store):
    """A drain forgets what is too old, and not each time it runs."""
    old = Retention(max_age=timedelta(seconds=1), max_bytes=10**9)
    (folder / NAME).write_bytes(lines(a_call(1)))
    assert drain(folder, store, retention=old).pruned == 1
    (folder / NAME).write_bytes(lines(a_call(2)))
    assert drain(folder, store, retention=old).pruned == 0
    assert len(store.calls("shop.prices:average", limit=9)) == 1


def test_progress_is_told_for_each_file(folder, store):
    """A person who waits sees how far it is."""
    (folder / "1.jsonl").write_bytes(lines(an_occurrence(1)))
    (folder / "2.jsonl").write_bytes(lines(an_occurrence(2, started_at=at(5))))
    told = []
    drain(folder, store, progress=told.append)
    assert told == ["reading spool file 1 of 2", "reading spool file 2 of 2"]
