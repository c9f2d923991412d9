"""How long one round of the bot takes to look at 1,000 incidents in the store: ``make bench-scan``.

Nothing is due: what is measured is everything but healing and sending. The incidents have failed in
each ten minutes of a day, in 20 processes.
"""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from builders import exception, occurrence, process
from prunella.adapters.sqlite_store import open_store
from prunella.model.clock import now
from prunella.model.ids import OccurrenceId, ProcessId
from prunella.model.records import Repeat
from prunella.model.settings import Settings
from prunella.pipeline.alerts import decide_alerts
from prunella.pipeline.names import is_healable, spreads_of, worst_first
from prunella.pipeline.rounds import agenda
from prunella.ports import Store, Triaged

INCIDENTS, PROCESSES, STRETCHES = 1_000, 20, 144


def fill(store: Store) -> None:
    """Put the incidents with a day's history into the store."""
    at = now()
    store.ingest(
        [
            process(process_id=ProcessId(f"proc_{number}"), hostname=f"host{number % 5}")
            for number in range(PROCESSES)
        ],
        spool_name="s",
        end_offset=1,
    )
    for number in range(INCIDENTS):
        group, process_id = str(number), f"proc_{number % PROCESSES}"
        failed = occurrence(
            occurrence_id=OccurrenceId(f"occ_{number}"),
            process_id=process_id,
            group=group,
            site_id=f"shop.part{number}:run",
            exception=exception(message=f"failure {number}"),
            started_at=at - timedelta(hours=23),
        )
        triaged = Triaged(
            fingerprint=group,
            scheme="1",
            error_code="CODE.MATH.ZERO_DIVISION",
            location=None,
            ignored_by=None,
        )
        store.assign(failed, triaged)
        repeats = [
            Repeat(
                process_id=process_id,
                group=group,
                site_id=failed.site_id,
                at=at - timedelta(minutes=10 * stretch),
                count=1 + number % 3,
            )
            for stretch in range(STRETCHES)
        ]
        store.ingest(repeats, spool_name=group, end_offset=1)


def scan(store: Store, settings: Settings) -> tuple[float, float]:
    """Return the seconds that choosing what to heal and deciding alerts take."""
    began = perf_counter()
    since = now() - timedelta(minutes=settings.lookback_minutes)
    recent = [item for item in store.incidents(since=since) if is_healable(item)]
    todo = agenda(store, worst_first(recent, spreads_of(store, recent, since=since)), settings)
    assert len(todo.due) == INCIDENTS
    chosen = perf_counter()
    decide_alerts(store, settings, at=now())
    return chosen - began, perf_counter() - chosen


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "prunella.db", create=True)
        fill(store)
        print(f"{INCIDENTS:,} incidents, {INCIDENTS * STRETCHES:,} counts of ten minutes")
        for name in ("the first scan, everything is news", "each scan after it"):
            choosing, deciding = scan(store, Settings())
            total = choosing + deciding
            print(f"{name}: {total:.2f} s ({choosing:.2f} s to rank, {deciding:.2f} s for alerts)")
        store.close()


if __name__ == "__main__":
    main()
