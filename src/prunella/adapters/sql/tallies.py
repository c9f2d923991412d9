"""How often incidents failed in each stretch of time, and how many processes and machines saw them."""

from collections.abc import Mapping
from datetime import datetime

from prunella.adapters.sql.connection import Connection
from prunella.model.alerts import TALLY_S, Spread
from prunella.model.clock import from_us, to_us
from prunella.model.ids import IncidentId

STRETCH_US = TALLY_S * 1_000_000

Failures = Mapping[tuple[str, int], int]
"""Incident id and number of the stretch to how often it failed then."""


def add(db: Connection, failures: Failures) -> None:
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


def spreads(db: Connection, since: datetime, split: datetime) -> Mapping[IncidentId, Spread]:
    since_us = to_us(since)
    seen_by = {
        incident_id: (processes, hosts)
        for incident_id, processes, hosts in db.execute(
            "SELECT alike.incident_id, count(DISTINCT alike.process_id), "
            "count(DISTINCT process.host) "
            "FROM alike LEFT JOIN process USING (process_id) "
            "WHERE alike.incident_id IS NOT NULL AND alike.last_us >= ? GROUP BY 1",
            (since_us,),
        )
    }
    rows = db.execute(
        "SELECT incident_id, sum(CASE WHEN stretch < ?1 THEN failures ELSE 0 END), "
        "sum(CASE WHEN stretch < ?1 THEN 0 ELSE failures END), "
        "max(CASE WHEN stretch < ?1 THEN failures ELSE 0 END), min(stretch) "
        "FROM tally WHERE stretch >= ?2 "
        "AND incident_id IN (SELECT incident_id FROM incident WHERE last_us >= ?3) GROUP BY 1",
        (to_us(split) // STRETCH_US, since_us // STRETCH_US, since_us),
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
