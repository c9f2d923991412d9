"""Records that many threads bring at once, into either database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import pytest

from prunella.adapters.sql import intake
from prunella.adapters.sql import together as together_module
from prunella.adapters.sql.rows import dump
from prunella.adapters.sql.together import Together
from prunella.codec.plain import to_tagged
from prunella.model.errors import StoreError
from prunella.ports import Portion
from recorded import a_repeat, an_occurrence
from stores import TRIAGED

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


def test_where_nothing_can_be_written_each_is_told_so_soon(store, monkeypatch):
    """A store that refuses everything isn't tried with each part for ever."""
    monkeypatch.setattr(together_module, "_PATIENCE_S", 0.0)
    tried = []

    def write(_db, parts):
        tried.append(len(parts))
        raise StoreError("no room")

    found = Together(store._database, write).run_all(range(50))
    assert len(found) == 50
    assert all(isinstance(each, StoreError) for each in found)
    assert len(tried) < 5


def portion(name, start, *records):
    return Portion(records=records, spool_name=name, start_offset=start, end_offset=start + 10)


def test_portions_are_kept_where_they_fit_and_counted_exactly(store):
    """Of many at once each is kept once, in its file's order, or answered that it doesn't fit."""
    store.ingest([an_occurrence(1)], spool_name="s", end_offset=1)
    store.assign(an_occurrence(1), TRIAGED)
    found = store.ingest_all(
        [
            portion("a", 0, a_repeat(2), a_repeat(3, group="g2")),
            portion("a", 10, a_repeat(4)),
            portion("a", 0, a_repeat(100)),
            portion("b", 10, a_repeat(100)),
            portion("b", 0, a_repeat(5, process_id="proc_2")),
        ]
    )
    assert list(found) == [True, True, False, False, True]
    assert [store.spool_offset(name) for name in "ab"] == [20, 10]
    (incident,) = store.incidents()
    assert incident.count == 1 + 2 + 4
    # Those of other groups wait for the failure that they are like.
    for number, changes in ((2, {"group": "g2"}), (3, {"process_id": "proc_2"})):
        store.assign(an_occurrence(number, **changes), TRIAGED)
    (incident,) = store.incidents()
    assert incident.count == 1 + 2 + 4 + (1 + 3) + (1 + 5)


def test_one_portion_that_can_not_be_kept_takes_no_other_with_it(store, monkeypatch):
    """Where rows of one are refused, the others are kept all the same."""
    keep = intake._keep

    def refuse(db, batch):
        if batch.repeats.keys() & {("proc_1", "bad")}:
            db.execute("INSERT INTO spool (name, end_offset, touched_us) VALUES (NULL, NULL, NULL)")
        keep(db, batch)

    monkeypatch.setattr(intake, "_keep", refuse)
    names = ["good", "bad", "fine"]
    found = store.ingest_all([portion(name, 0, a_repeat(1, group=name)) for name in names])
    assert [each is True for each in found] == [True, False, True]
    assert [store.spool_offset(name) for name in names] == [10, 0, 10]


def test_an_occurrence_is_kept_as_it_came(store):
    """Text that came with an occurrence is what is kept of it; without, it is written."""
    records = [an_occurrence(1), an_occurrence(2, call_id="call_2")]
    text = dump(to_tagged(records[0]))
    store.ingest_all(
        [Portion(records=records, spool_name="a", end_offset=9, texts={"occ_1": text})]
    )
    assert list(store.untriaged(limit=9)) == records
    with store._database.reading() as db:
        rows = db.execute("SELECT body FROM occurrence ORDER BY failed_us").fetchall()
    assert rows[0][0] == text
