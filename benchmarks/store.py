"""How fast the store takes records in, triages them, and lists incidents.

Run it with ``python benchmarks/store.py``; it needs no more than the package, works in a temporary
folder and prints one table. Figures are of one process with one store; each is the fastest of five:
whatever else the machine does only adds.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prunella.adapters.spool import drain
from prunella.adapters.sql_store import SqlStore
from prunella.adapters.sqlite_store import open_store
from prunella.codec.wire import write_record
from prunella.model.ids import CallId, OccurrenceId, ProcessId, SiteId
from prunella.model.records import Call, Ending, ExceptionInfo, Frame, Occurrence, Repeat
from prunella.triage import Rules, triage

START = datetime(2026, 1, 1, tzinfo=UTC)
RECORDS = 10_000
INCIDENTS = (1_000, 10_000)
ROUNDS = 5


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


def drained(folder: Path, data: bytes) -> None:
    """Drain `data` into a new store below `folder`."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        spool = Path(name) / "spool"
        spool.mkdir()
        (spool / "1.jsonl").write_bytes(data)
        store = open_store(Path(name) / "prunella.db", create=True)
        drain(spool, store)
        store.close()


def triage_all(store: SqlStore) -> None:
    while batch := store.untriaged(limit=500):
        for occurrence in batch:
            store.assign(occurrence, triage(occurrence, Rules()))


def row(what: str, figure: str) -> None:
    print(f"{what:<58}{figure:>16}")


def measure_ingest(folder: Path) -> None:
    kinds = {
        "occurrences (3 frames, 40 values)": [
            an_occurrence(number, number % 50) for number in range(RECORDS)
        ],
        "calls (10 values)": [a_call(number) for number in range(RECORDS)],
        "repeats": [a_repeat(number) for number in range(RECORDS)],
    }
    for kind, records in kinds.items():
        data = b"".join(map(write_record, records))
        took_s = timed(lambda data=data: drained(folder, data))  # type: ignore[misc]
        mean_bytes = len(data) / RECORDS
        row(f"ingest {kind}, {mean_bytes:.0f} bytes each", f"{RECORDS / took_s:,.0f}/s")


def measure_incidents(folder: Path, number: int) -> None:
    store = open_store(folder / f"{number}.db", create=True)
    for begin in range(0, number, 500):
        records = [an_occurrence(n, n) for n in range(begin, min(begin + 500, number))]
        store.ingest(records, spool_name="s", end_offset=1)
    started = time.perf_counter()
    triage_all(store)
    took_s = time.perf_counter() - started
    row(f"triage and assign, {number:,} new incidents", f"{number / took_s:,.0f}/s")
    row(f"list {number:,} incidents", f"{timed(store.incidents) * 1e3:.1f} ms")
    since = START + timedelta(seconds=number - 50)
    recent_s = timed(lambda: store.incidents(since=since))
    row(f"list the latest 50 of {number:,}", f"{recent_s * 1e3:.2f} ms")
    wanted = store.incidents(since=since)[0].incident_id
    row(
        f"one of {number:,} by a prefix",
        f"{timed(lambda: store.incident(wanted[:14])) * 1e3:.2f} ms",
    )
    shown_s = timed(lambda: store.occurrences(wanted, limit=20))
    row(f"its occurrences, among {number:,}", f"{shown_s * 1e3:.2f} ms")
    row(
        f"prune with nothing to do, {number:,} incidents",
        f"{timed(lambda: prune(store)) * 1e3:.1f} ms",
    )
    store.close()


def prune(store: SqlStore) -> None:
    store.prune(max_age=timedelta(days=9999), max_bytes=10**12)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        measure_ingest(Path(name))
        for number in INCIDENTS:
            measure_incidents(Path(name), number)


if __name__ == "__main__":
    main()
