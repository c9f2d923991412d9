"""How often incidents failed in each stretch of time, and how many processes and machines saw them."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from prunella.model.alerts import TALLY_S, Spread
from prunella.model.clock import from_us, to_us
from prunella.model.ids import IncidentId

_STRETCH_US = TALLY_S * 1_000_000


def add(db: sqlite3.Connection, incident_id: str, at_us: int, failures: int) -> None:
    """Count failures of an incident; called in the transaction that counts them altogether."""
    db.execute(
        "INSERT INTO tally (incident_id, stretch, failures) VALUES (?, ?, ?) ON CONFLICT "
        "(incident_id, stretch) DO UPDATE SET failures = failures + excluded.failures",
        (incident_id, at_us // _STRETCH_US, failures),
    )


def spreads(
    db: sqlite3.Connection, since: datetime, split: datetime
) -> Mapping[IncidentId, Spread]:
    since_us = to_us(since)
    seen_by = {
        incident_id: (processes, hosts)
        for incident_id, processes, hosts in db.execute(
            "SELECT alike.incident_id, count(DISTINCT alike.process_id), "
            "count(DISTINCT json_extract(process.body, '$.hostname')) "
            "FROM alike LEFT JOIN process USING (process_id) "
            "WHERE alike.incident_id IS NOT NULL AND alike.last_us >= ? GROUP BY 1",
            (since_us,),
        )
    }
    rows = db.execute(
        "SELECT incident_id, sum(failures * (stretch < ?1)), sum(failures * (stretch >= ?1)), "
        "max(failures * (stretch < ?1)), min(stretch) FROM tally WHERE stretch >= ?2 "
        "AND incident_id IN (SELECT incident_id FROM incident WHERE last_us >= ?3) GROUP BY 1",
        (to_us(split) // _STRETCH_US, since_us // _STRETCH_US, since_us),
    )
    found = {}
    for incident_id, earlier, later, most, first in rows:
        processes, hosts = seen_by.get(incident_id, (1, 1))
        found[IncidentId(incident_id)] = Spread(
            earlier=earlier,
            later=later,
            most=most,
            first_at=from_us(first * _STRETCH_US),
            processes=max(processes, 1),
            hosts=max(hosts, 1),
        )
    return found
