"""Records that many threads bring at once, into either database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import pytest

from prunella.adapters.sql.together import Together
from prunella.model.errors import StoreError

WRITERS = 16


@pytest.fixture
def together(store):
    return Together(store._database, each)


def each(db, parts):
    return [part(db) for part in parts]


def add(name):
    def write(db):
        db.execute("INSERT INTO spool (name, end_offset, touched_us) VALUES (?, 1, 1)", (name,))
        return name

    return write


def at_once(together, parts):
    """Run every part in a thread of its own; return each one's answer, or its error."""
    barrier = Barrier(len(parts))

    def run(part):
        barrier.wait()
        try:
            return together.run(part)
        except StoreError as error:
            return error

    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(run, parts))


def test_each_writer_gets_its_own_answer(store, together):
    """Whoever wrote it, what was answered is kept."""
    names = [f"{number}.jsonl" for number in range(WRITERS)]
    assert at_once(together, [add(name) for name in names]) == names
    assert [store.spool_offset(name) for name in names] == [1] * WRITERS


def test_one_that_fails_fails_alone(store, together):
    """A part that the database refuses takes none of the others with it."""
    names = [f"{number}.jsonl" for number in range(WRITERS)]

    def bad(db):
        db.execute("INSERT INTO spool (name, end_offset, touched_us) VALUES (NULL, NULL, NULL)")

    *answers, error = at_once(together, [*map(add, names), bad])
    assert answers == names
    assert isinstance(error, StoreError)
    assert [store.spool_offset(name) for name in names] == [1] * WRITERS


class Counting:
    """A database that counts its transactions."""

    def __init__(self, database):
        self.database, self.transactions = database, 0

    def writing(self):
        self.transactions += 1
        return self.database.writing()


def test_waiting_parts_share_a_transaction(store):
    """Those that come while another writes are written together by the next."""
    database = Counting(store._database)
    together = Together(database, each)
    names = [f"{number}.jsonl" for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        found = []

        def slow(_db):
            found.extend(pool.submit(together.run, add(name)) for name in names)
            while len(together._queue) < WRITERS:
                sleep(0.001)

        together.run(slow)
        assert [future.result() for future in found] == names
    assert database.transactions == 2
