import json
import threading
from datetime import UTC, datetime

import pytest

from prunella.adapters.feed import FILE_NAME, FileFeed
from prunella.adapters.sqlite_store import open_store
from prunella.model.errors import StoreError
from prunella.rollout import By, approve, pause, promote, propose, remove, resume, roll_back

BY = By(actor="ada@host", at=datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path / "prunella.db", create=True)
    yield store
    store.close()


def add(store, fix_id="fix-1", **options):
    document = {"fix_id": fix_id, "fix_type": "retry", "config": {}}
    rollout, because = propose(document, BY, **options)
    store.add_rollout(rollout, because)
    return rollout


def step(store, name, taken):
    after, because = taken(store.rollout(name), BY)
    assert store.step_rollout(after, because)


def told(folder):
    return json.loads((folder / FILE_NAME).read_bytes())["installations"]


def test_nothing_is_told_where_nothing_acts(store, tmp_path):
    """Without a fix that acts there is no feed, so that programs have nothing to read."""
    add(store)
    assert not FileFeed(tmp_path).publish(store)
    assert not (tmp_path / FILE_NAME).exists()


def test_programs_are_told_what_acts(store, tmp_path):
    """A fix is in the feed with its share while it is tested or graduated, and then no more."""
    feed = FileFeed(tmp_path)
    rollout = add(store)
    step(store, "fix-1", approve)
    assert feed.publish(store)
    (found,) = told(tmp_path)
    assert found["document"]["fix_id"] == "fix-1"
    assert found["mode"] == "enforce"
    assert found["allocation"] == {"salt": rollout.rollout_id, "ratio": 0.05, "epoch": 1}
    for taken, number in (
        (pause, 0),
        (resume, 1),
        (promote, 1),
        (roll_back, 0),
        (remove, 0),
    ):
        step(store, "fix-1", taken)
        feed.publish(store)
        assert len(told(tmp_path)) == number, taken


def test_a_fix_in_shadow_is_told_as_such(store, tmp_path):
    """A candidate in shadow is in the feed, to log and not to act."""
    add(store, shadow=True)
    FileFeed(tmp_path).publish(store)
    assert told(tmp_path)[0]["mode"] == "shadow"


def test_the_file_changes_only_with_its_content(store, tmp_path):
    """Publishing what programs know already leaves the file alone."""
    add(store, shadow=True)
    feed = FileFeed(tmp_path)
    assert feed.publish(store)
    before = (tmp_path / FILE_NAME).stat().st_ino
    assert not feed.publish(store)
    assert (tmp_path / FILE_NAME).stat().st_ino == before


def test_the_last_of_many_writers_has_seen_all(tmp_path):
    """Whatever the order in which several processes publish, the feed ends as the store is."""
    path = tmp_path / "prunella.db"
    names = [f"fix-{number}" for number in range(12)]

    def add_and_tell(name):
        store = open_store(path, create=True)
        add(store, name, shadow=True)
        FileFeed(tmp_path).publish(store)
        store.close()

    open_store(path, create=True).close()
    threads = [threading.Thread(target=add_and_tell, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {item["document"]["fix_id"] for item in told(tmp_path)} == set(names)
    assert not list(tmp_path.glob("*.new"))


def test_a_feed_that_cant_be_written_says_where(store, tmp_path):
    """A folder that can't be made is an error that names the file."""
    add(store, shadow=True)
    (tmp_path / "missing").write_text("a file")
    with pytest.raises(StoreError, match=r"fixes\.lock|fixes\.json"):
        FileFeed(tmp_path / "missing").publish(store)
