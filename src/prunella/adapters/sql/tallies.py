"""How often incidents failed in each stretch of time, and how many processes and machines saw them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import marks, text
from prunella.model.alerts import TALLY_S, Spread
from prunella.model.clock import from_us, to_us
from prunella.model.ids import IncidentId
from prunella.ports import FailureCount

STRETCH_US = TALLY_S * 1_000_000
#: So many incidents are looked up one by one; for more, all are read.
_MOST_NAMED = 500

_Failures = Mapping[tuple[str, int], int]
"""Incident id and number of the stretch to how often it failed then."""


def add(db: Connection, failures: _Failures) -> None:
    """Count failures of incidents; called in the transaction that counts them altogether."""
    db.executemany(
        "INSERT INTO tally (incident_id, stretch, failures) VALUES (?, ?, ?) ON CONFLICT "
        "(incident_id, stretch) DO UPDATE SET failures = tally.failures + excluded.failures",
        [(incident_id, stretch, number) for (incident_id, stretch), number in failures.items()],
    )
    sums: dict[int, int] = {}
    for (_, stretch), number in failures.items():
        sums[stretch] = sums.get(stretch, 0) + number
    db.executemany(
        "INSERT INTO failure_sum (stretch, failures) VALUES (?, ?) ON CONFLICT (stretch) "
        "DO UPDATE SET failures = failure_sum.failures + excluded.failures",
        list(sums.items()),
    )


def failures(
    db: Connection, since: datetime, step: timedelta, incident_ids: Collection[str] | None
) -> Mapping[IncidentId | None, Sequence[FailureCount]]:
    """Return failures by steps of time, each step from a whole multiple of its length on."""
    stretches = max(step // timedelta(seconds=TALLY_S), 1)
    values: tuple[Any, ...] = (stretches, to_us(since) // STRETCH_US)
    if incident_ids is None:
        rows = db.execute(
            "SELECT NULL, stretch / ?1 AS step, sum(failures) FROM failure_sum "
            "WHERE stretch >= ?2 GROUP BY stretch / ?1 ORDER BY step",
            values,
        )
    elif not incident_ids:
        return {}
    else:
        rows = db.execute(
            "SELECT incident_id, stretch / ? AS step, sum(failures) FROM tally WHERE stretch >= ? "  # noqa: S608
            f"AND incident_id IN ({marks(incident_ids)}) GROUP BY incident_id, step ORDER BY step",
            (*values, *(text(name) for name in incident_ids)),
        )
    found: dict[IncidentId | None, list[FailureCount]] = {}
    for incident_id, number, failed in rows:
        at = from_us(number * stretches * STRETCH_US)
        found.setdefault(incident_id, []).append(FailureCount(at=at, failures=int(failed)))
    return found


def spreads(
    db: Connection, since: datetime, split: datetime, incident_ids: Collection[str] | None
) -> Mapping[IncidentId, Spread]:
    since_us, split_at = to_us(since), to_us(split) // STRETCH_US
    condition, names = _of(db, since_us, incident_ids)
    seen_by = {
        incident_id: (processes, hosts)
        for incident_id, processes, hosts in db.execute(
            "SELECT alike.incident_id, count(DISTINCT alike.process_id), "  # noqa: S608 - marks
            "count(DISTINCT process.host) "
            "FROM alike LEFT JOIN process USING (process_id) "
            f"WHERE alike.last_us >= ? AND alike.incident_id {condition} GROUP BY 1",
            (since_us, *names),
        )
    }
    rows = db.execute(
        "SELECT incident_id, sum(CASE WHEN stretch < ? THEN failures ELSE 0 END), "  # noqa: S608
        "sum(CASE WHEN stretch < ? THEN 0 ELSE failures END), "
        "max(CASE WHEN stretch < ? THEN failures ELSE 0 END), min(stretch) "
        f"FROM tally WHERE stretch >= ? AND incident_id {condition} GROUP BY 1",
        (split_at, split_at, split_at, since_us // STRETCH_US, *names),
    )
    found = {}
    for incident_id, earlier, later, most, first in rows:
        processes, hosts = seen_by.get(incident_id, (1, 1))
        found[IncidentId(incident_id)] = Spread(
            earlier=int(earlier),
            later=int(later),
            most=most,
            first_at=from_us(first * STRETCH_US),
            processes=max(processes, 1),
            hosts=max(hosts, 1),
        )
    return found


def _of(
    db: Connection, since_us: int, incident_ids: Collection[str] | None
) -> tuple[str, tuple[Any, ...]]:
    """Return what holds for the ids of incidents that failed since then, of these or of all."""
    if incident_ids is None or len(incident_ids) > _MOST_NAMED:
        return "IN (SELECT incident_id FROM incident WHERE last_us >= ?)", (since_us,)
    found = (
        db.execute(
            "SELECT incident_id FROM incident WHERE last_us >= ? "  # noqa: S608 - question marks
            f"AND incident_id IN ({marks(incident_ids)})",
            (since_us, *(text(name) for name in incident_ids)),
        ).fetchall()
        if incident_ids
        else []
    )
    names = tuple(name for (name,) in found)
    return f"IN ({marks(names)})" if names else "IN (NULL)", names
