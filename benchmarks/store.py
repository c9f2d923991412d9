"""How fast the store takes records in, triages them, and answers.

Run it with ``python benchmarks/store.py``; it works in a temporary folder and prints one table. With
``--database postgresql://…`` the same is measured in a schema of its own of that database, which is
dropped at the end. ``--occurrences 1000000`` fills a store with so many failures and measures what a
dashboard asks (`crowded`). Figures are of one process with one store; each is the
fastest of five: whatever else the machine does only adds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prunella.adapters.spool import drain
from prunella.adapters.sql_store import SqlStore
from prunella.adapters.sqlite_store import open_store
from prunella.codec.wire import write_record
from prunella.model.ids import CallId, OccurrenceId, ProcessId, SiteId
from prunella.model.records import Call, Ending, ExceptionInfo, Frame, Occurrence, Repeat
from prunella.pipeline.refresh import Intake, triage_pending
from prunella.triage import Rules

START = datetime(2026, 1, 1, tzinfo=UTC)
RECORDS = 10_000
INCIDENTS = (1_000, 10_000)
ROUNDS = 5
#: Records in one transaction.
BATCH = 500


def an_occurrence(number: int, function: int) -> Occurrence:
    """Return a failure with three frames and ten small values, as the SDK records them."""
    values = ["d"] + [item for n in range(10) for item in (f"name_{n}", n * number)]
    frames = tuple(
        Frame(
            file="shop/orders.py",
            module="shop.orders",
            qualname=f"function_{function}_{depth}",
            first_line=10,
            line=12,
            position=(12, 12, 4, 20),
            in_project=True,
            local_values=values,
        )
        for depth in range(3)
    )
    return Occurrence(
        occurrence_id=OccurrenceId(f"occ_{number}"),
        group=f"g{function}",
        site_id=SiteId(f"shop.orders:function_{function}_0"),
        source_hash="00",
        process_id=ProcessId("proc_1"),
        trace_id="t",
        call_id=CallId(f"call_f{number}"),
        started_at=START + timedelta(seconds=number),
        duration_us=100,
        ending=Ending.ERROR,
        exception=ExceptionInfo(
            type="builtins:ValueError",
            mro=("builtins:ValueError", "builtins:Exception"),
            message=f"order {number} has no 'price'",
            frames=frames,
        ),
        inputs=values,
        complete=True,
    )


def a_call(number: int) -> Call:
    return Call(
        call_id=CallId(f"call_{number}"),
        site_id=SiteId(f"shop.orders:function_{number % 50}_0"),
        source_hash="00",
        process_id=ProcessId("proc_1"),
        trace_id="t",
        started_at=START + timedelta(seconds=number),
        duration_us=100,
        inputs=["d"] + [item for n in range(10) for item in (f"name_{n}", n)],
        result=number,
        complete=True,
    )


def a_repeat(number: int) -> Repeat:
    return Repeat(
        process_id=ProcessId("proc_1"),
        group=f"g{number % 50}",
        site_id=SiteId("s"),
        at=START,
        count=1,
    )


def timed(work: Callable[[], object]) -> float:
    """Return the shortest duration of `work` in seconds."""
    durations = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return min(durations)


@contextmanager
def new_store(database: str | None) -> Iterator[SqlStore]:
    """Give a new store: in a file, or in a schema of `database` that is dropped afterwards."""
    if database is None:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(Path(folder) / "prunella.db", create=True)
            yield store
            store.close()
        return
    from prunella.adapters import postgres_schema, postgres_store

    project = f"benchmark{time.time_ns()}"
    place = postgres_store.database_of(database, project)
    postgres_schema.migrate(place)
    try:
        yield postgres_store.open_store(database, project)
    finally:
        postgres_schema.drop(place)


def drained(data: bytes, database: str | None) -> float:
    """Drain `data` into a new store; return how long it took, in seconds."""
    with tempfile.TemporaryDirectory() as name, new_store(database) as store:
        (Path(name) / "1.jsonl").write_bytes(data)
        started = time.perf_counter()
        drain(Path(name), store)
        return time.perf_counter() - started


def taken(records: list[Occurrence], database: str | None) -> float:
    """Take `records` in, triaged, as a server does; return how long it took, in seconds."""
    with new_store(database) as store:
        intake = Intake(store, Rules())
        started = time.perf_counter()
        for begin in range(0, len(records), BATCH):
            batch = records[begin : begin + BATCH]
            intake.take(batch, spool_name="s", end_offset=begin)
        return time.perf_counter() - started


def row(what: str, figure: str) -> None:
    print(f"{what:<58}{figure:>16}")


def measure_ingest(database: str | None) -> None:
    occurrences = [an_occurrence(number, number % 50) for number in range(RECORDS)]
    kinds = {
        "occurrences (3 frames, 40 values)": occurrences,
        "calls (10 values)": [a_call(number) for number in range(RECORDS)],
        "repeats": [a_repeat(number) for number in range(RECORDS)],
    }
    for kind, records in kinds.items():
        data = b"".join(map(write_record, records))
        took_s = min(drained(data, database) for _ in range(ROUNDS))
        mean_bytes = len(data) / RECORDS
        row(f"ingest {kind}, {mean_bytes:.0f} bytes each", f"{RECORDS / took_s:,.0f}/s")
    took_s = min(taken(occurrences, database) for _ in range(ROUNDS))
    row(f"occurrences into 50 incidents at once, {BATCH} at a time", f"{RECORDS / took_s:,.0f}/s")


def measure_incidents(database: str | None, number: int) -> None:
    with new_store(database) as store:
        for begin in range(0, number, BATCH):
            records = [an_occurrence(n, n) for n in range(begin, min(begin + BATCH, number))]
            store.ingest(records, spool_name="s", end_offset=1)
        started = time.perf_counter()
        triage_pending(store, Rules())
        took_s = time.perf_counter() - started
        row(f"triage and assign, {number:,} new incidents", f"{number / took_s:,.0f}/s")
        measure_lists(store, number)
        row(
            f"prune with nothing to do, {number:,} incidents",
            f"{timed(lambda: prune(store)) * 1e3:.1f} ms",
        )


def measure_lists(store: SqlStore, number: int) -> None:
    took("list {:,} incidents", number, store.incidents)
    since = START + timedelta(seconds=number - 50)
    took("list the latest 50 of {:,}", number, lambda: store.incidents(since=since))
    wanted = store.incidents(since=since)[0].incident_id
    took("one of {:,} by a prefix", number, lambda: store.incident(wanted[:14]))
    took("its occurrences, among {:,}", number, lambda: store.occurrences(wanted, limit=20))


def measure_crowd(database: str | None, number: int, keep: Path | None) -> None:
    """Fill a store with `number` failures, unless it is full, and measure what pages ask for."""
    from crowded import run

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) if keep is None else keep
        folder.mkdir(parents=True, exist_ok=True)
        run(an_occurrence(1, 1), number, database, folder, keep=keep is not None)


def took(what: str, number: int, work: Callable[[], object]) -> None:
    row(what.format(number), f"{timed(work) * 1e3:.1f} ms")


def prune(store: SqlStore) -> None:
    store.prune(max_age=timedelta(days=9999), max_bytes=10**12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", metavar="URL", help="a PostgreSQL database to measure in")
    parser.add_argument(
        "--occurrences", type=int, metavar="N", help="measure a dashboard's questions among so many"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="with --occurrences: leave the store there, and measure it again the next time",
    )
    given = parser.parse_args()
    if given.occurrences:
        measure_crowd(given.database, given.occurrences, given.keep)
        return
    measure_ingest(given.database)
    for number in INCIDENTS:
        measure_incidents(given.database, number)


if __name__ == "__main__":
    main()
