"""Incidents: finding them, and their standing."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import load, marks, text
from prunella.model.clock import from_us, now, to_us
from prunella.model.errors import AmbiguousName, StoreError, UnknownName
from prunella.model.ids import IncidentId, SiteId
from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus, Location
from prunella.model.records import Occurrence
from prunella.ports import IncidentText, IncidentTotals

COLUMNS = (
    "incident_id, fingerprint, scheme, site_id, error_type, error_code, message, location, "
    "status, count, first_us, last_us, ignored_by, status_us"
)
_MAX_CHOICES = 10


def set_status(
    db: Connection, incident_id: str, status: IncidentStatus, *, ignored_by: str | None
) -> None:
    changed = db.execute(
        "UPDATE incident SET status = ?, status_us = ?, ignored_by = ?, ignored_by_rule = 0 "
        "WHERE incident_id = ?",
        (
            status.value,
            to_us(now()),
            None if ignored_by is None else text(ignored_by),
            incident_id,
        ),
    ).rowcount
    if not changed:
        raise _unknown(incident_id)


def incidents(
    db: Connection, status: IncidentStatus | None, since: datetime | None
) -> list[Incident]:
    rows = db.execute(
        f"SELECT {COLUMNS} FROM incident "  # noqa: S608 - a constant
        "WHERE (? IS NULL OR status = ?) AND last_us >= ? ORDER BY last_us DESC, seq DESC",
        (
            *((None, None) if status is None else (status.value, status.value)),
            -1 if since is None else to_us(since),
        ),
    )
    return [to_incident(row) for row in rows]


def texts(db: Connection, limit: int) -> list[IncidentText]:
    rows = db.execute(
        "SELECT incident_id, error_code, error_type, site_id, message FROM incident "
        "ORDER BY last_us DESC, seq DESC LIMIT ?",
        (limit,),
    )
    return [
        IncidentText(
            incident_id=incident_id,
            error_code=error_code,
            error_type=error_type,
            site_id=site_id,
            message=message,
        )
        for incident_id, error_code, error_type, site_id, message in rows
    ]


def totals(db: Connection, since: datetime | None) -> IncidentTotals:
    values = (-1 if since is None else to_us(since), HEALER_SITE)
    rows = db.execute(
        "SELECT status, count(*), sum(count) FROM incident WHERE last_us >= ? AND site_id <> ? "
        "GROUP BY status",
        values,
    ).fetchall()
    cured = db.execute(
        "SELECT first_us, status_us FROM incident "
        "WHERE status = 'cured' AND last_us >= ? AND site_id <> ?",
        values,
    )
    return IncidentTotals(
        incidents={IncidentStatus(status): number for status, number, _ in rows},
        failures={IncidentStatus(status): int(failures) for status, _, failures in rows},
        cured=[(from_us(first_us), from_us(status_us)) for first_us, status_us in cured],
    )


def by_site(db: Connection, site_ids: Sequence[str]) -> dict[SiteId, Mapping[IncidentStatus, int]]:
    found: dict[SiteId, dict[IncidentStatus, int]] = {}
    if not site_ids:
        return {}
    rows = db.execute(
        "SELECT site_id, status, count(*) FROM incident "  # noqa: S608 - question marks
        f"WHERE site_id IN ({marks(site_ids)}) GROUP BY site_id, status",
        tuple(text(name) for name in site_ids),
    )
    for site_id, status, number in rows:
        found.setdefault(SiteId(site_id), {})[IncidentStatus(status)] = number
    return dict(found)


def incident(db: Connection, beginning: str) -> Incident:
    """Find an incident by its id or an unambiguous beginning, with or without ``inc_``."""
    wanted = text(beginning.strip())
    if wanted and not wanted.startswith("inc_"):
        wanted = f"inc_{wanted}"
    found = [
        row[0]
        for row in db.execute(
            "SELECT incident_id FROM incident WHERE incident_id >= ?1 "
            "AND incident_id < ?1 || '~' AND substr(incident_id, 1, length(?1)) = ?1 "
            "ORDER BY incident_id LIMIT ?2",
            (wanted, _MAX_CHOICES),
        )
    ]
    if wanted in found:
        return by_id(db, wanted)
    if not found or len(wanted) <= len("inc_"):
        raise _unknown(beginning)
    if len(found) > 1:
        raise AmbiguousName(beginning, found)
    return by_id(db, found[0])


def occurrences(db: Connection, incident_id: str, limit: int) -> Sequence[Occurrence]:
    rows = db.execute(
        "SELECT body FROM occurrence WHERE incident_id = ? "
        "ORDER BY failed_us DESC, seq DESC LIMIT ?",
        (text(incident_id), limit),
    )
    return [load(Occurrence, body) for (body,) in rows]


def caused(db: Connection, occurrence_ids: Sequence[str], limit: int) -> Sequence[Occurrence]:
    if not occurrence_ids:
        return []
    rows = db.execute(
        f"SELECT body FROM occurrence WHERE caused_by IN ({marks(occurrence_ids)}) "  # noqa: S608
        "ORDER BY failed_us DESC, seq DESC LIMIT ?",
        (*(text(item) for item in occurrence_ids), limit),
    )
    return [load(Occurrence, body) for (body,) in rows]


def by_id(db: Connection, incident_id: str) -> Incident:
    row = db.execute(
        f"SELECT {COLUMNS} FROM incident WHERE incident_id = ?",  # noqa: S608 - a constant
        (incident_id,),
    ).fetchone()
    if row is None:
        raise _unknown(incident_id)
    return to_incident(row)


def _unknown(incident_id: str) -> UnknownName:
    return UnknownName(
        f"There is no incident {incident_id!r}; `prunella incidents` lists those there are."
    )


def to_incident(row: tuple[Any, ...]) -> Incident:
    """Build an incident from `COLUMNS`, whose types the STRICT table vouches for."""
    incident_id, fingerprint, scheme, site_id, error_type, error_code, message = row[:7]
    location, status, count, first_us, last_us, ignored_by, status_us = row[7:]
    return Incident(
        incident_id=IncidentId(incident_id),
        fingerprint=fingerprint,
        scheme=scheme,
        site_id=SiteId(site_id),
        error_type=error_type,
        error_code=error_code,
        message=message,
        location=None if location is None else _location(location),
        status=IncidentStatus(status),
        count=count,
        first_seen_at=from_us(first_us),
        last_seen_at=from_us(last_us),
        ignored_by=ignored_by,
        status_at=from_us(status_us),
    )


def _location(body: str) -> Location:
    """Read what `assign` wrote; `load` would check each field, which shows in long lists."""
    try:
        return Location(**json.loads(body))
    except (ValueError, TypeError) as error:
        raise StoreError(f"A location in the store can't be read ({error})") from error
