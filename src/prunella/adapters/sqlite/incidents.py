"""Incidents: putting occurrences into them, finding them, and their standing."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prunella.adapters.sqlite import tallies
from prunella.adapters.sqlite.records import failed_us, insert_occurrence
from prunella.adapters.sqlite.rows import dump, load, text
from prunella.model.clock import from_us, now, to_us
from prunella.model.errors import AmbiguousName, StoreError, UnknownName
from prunella.model.ids import IncidentId, SiteId, new_id
from prunella.model.incidents import Incident, IncidentStatus, Location
from prunella.model.records import Ending, Occurrence
from prunella.ports import Triaged

_COLUMNS = (
    "incident_id, fingerprint, scheme, site_id, error_type, error_code, message, location, "
    "status, count, first_us, last_us, ignored_by, status_us"
)
_MAX_MESSAGE_CHARS = 4096
_MAX_CHOICES = 10


def assign(db: sqlite3.Connection, occurrence: Occurrence, triaged: Triaged) -> Incident:
    occurrence_id = text(occurrence.occurrence_id)
    known = db.execute(
        "SELECT incident_id FROM occurrence WHERE occurrence_id = ?", (occurrence_id,)
    ).fetchone()
    if known is None:  # pruned since it was read: it counts all the same
        insert_occurrence(db, occurrence, dump(occurrence))
    elif known[0] is not None:  # another healer was faster
        return _by_id(db, known[0])
    incident_id = _find_or_open(db, occurrence, triaged)
    _count(db, incident_id, occurrence, triaged)
    db.execute(
        "UPDATE occurrence SET incident_id = ? WHERE occurrence_id = ?",
        (incident_id, occurrence_id),
    )
    if triaged.ignored_by is not None and occurrence.ending is Ending.ERROR:
        failure = replace(occurrence, ending=Ending.FAILURE)
        db.execute(
            "UPDATE occurrence SET ending = ?, body = ? WHERE occurrence_id = ?",
            (failure.ending.value, dump(failure), occurrence_id),
        )
    return _by_id(db, incident_id)


def _find_or_open(db: sqlite3.Connection, occurrence: Occurrence, triaged: Triaged) -> str:
    key = (text(triaged.scheme), text(triaged.fingerprint))
    row = db.execute(
        "SELECT incident_id FROM incident WHERE scheme = ? AND fingerprint = ?", key
    ).fetchone()
    if row is not None:
        return str(row[0])
    incident_id = new_id("inc")
    failed_at_us = failed_us(occurrence)
    db.execute(
        "INSERT INTO incident (incident_id, scheme, fingerprint, site_id, error_type, error_code, "
        "message, status, status_us, count, first_us, last_us) "
        "VALUES (?, ?, ?, ?, ?, ?, '', 'open', ?, 0, ?, ?)",
        (
            incident_id,
            *key,
            text(occurrence.site_id),
            text(occurrence.exception.type),
            text(triaged.error_code),
            *(failed_at_us,) * 3,
        ),
    )
    return incident_id


def _count(
    db: sqlite3.Connection, incident_id: str, occurrence: Occurrence, triaged: Triaged
) -> None:
    failed_at_us = failed_us(occurrence)
    key = (text(occurrence.process_id), text(occurrence.group))
    waiting, last_us = db.execute(
        "SELECT waiting, last_us FROM alike WHERE process_id = ? AND alike_group = ?", key
    ).fetchone() or (0, failed_at_us)
    db.execute(
        "INSERT INTO alike (process_id, alike_group, incident_id, last_us) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (process_id, alike_group) DO UPDATE SET incident_id = excluded.incident_id, "
        "waiting = 0, last_us = max(last_us, excluded.last_us)",
        (*key, incident_id, failed_at_us),
    )
    status, status_us, by_rule, described_us = db.execute(
        "SELECT status, status_us, ignored_by_rule, described_us FROM incident "
        "WHERE incident_id = ?",
        (incident_id,),
    ).fetchone()
    if failed_at_us >= described_us:
        _describe(db, incident_id, occurrence, triaged)
    db.execute(
        "UPDATE incident SET count = count + 1 + ?, first_us = min(first_us, ?), "
        "last_us = max(last_us, ?) WHERE incident_id = ?",
        (waiting, failed_at_us, max(failed_at_us, last_us), incident_id),
    )
    tallies.add(db, incident_id, failed_at_us, 1)
    if waiting:
        tallies.add(db, incident_id, last_us, waiting)
    _restate(db, incident_id, triaged, IncidentStatus(status), bool(by_rule))
    if status == IncidentStatus.CURED and failed_at_us > status_us and not triaged.ignored_by:
        set_status(db, incident_id, IncidentStatus.REGRESSED, ignored_by=None)


def _describe(
    db: sqlite3.Connection, incident_id: str, occurrence: Occurrence, triaged: Triaged
) -> None:
    """Let the latest occurrence speak for the incident: lines move, values change."""
    db.execute(
        "UPDATE incident SET message = ?, error_code = ?, location = ?, described_us = ? "
        "WHERE incident_id = ?",
        (
            text(occurrence.exception.message, _MAX_MESSAGE_CHARS),
            text(triaged.error_code),
            None if triaged.location is None else dump(triaged.location),
            failed_us(occurrence),
            incident_id,
        ),
    )


def _restate(
    db: sqlite3.Connection,
    incident_id: str,
    triaged: Triaged,
    status: IncidentStatus,
    by_rule: bool,
) -> None:
    """Follow the ignore file; what a person ignored stays so."""
    if triaged.ignored_by is not None:
        if status is not IncidentStatus.IGNORED or by_rule:
            set_status(db, incident_id, IncidentStatus.IGNORED, ignored_by=triaged.ignored_by)
            db.execute(
                "UPDATE incident SET ignored_by_rule = 1 WHERE incident_id = ?", (incident_id,)
            )
    elif status is IncidentStatus.IGNORED and by_rule:
        set_status(db, incident_id, IncidentStatus.OPEN, ignored_by=None)


def set_status(
    db: sqlite3.Connection, incident_id: str, status: IncidentStatus, *, ignored_by: str | None
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
    db: sqlite3.Connection, status: IncidentStatus | None, since: datetime | None
) -> list[Incident]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM incident "  # noqa: S608 - a constant
        "WHERE (? IS NULL OR status = ?) AND last_us >= ? ORDER BY last_us DESC, seq DESC",
        (
            *((None, None) if status is None else (status.value, status.value)),
            -1 if since is None else to_us(since),
        ),
    )
    return [_incident(row) for row in rows]


def incident(db: sqlite3.Connection, beginning: str) -> Incident:
    """Find an incident by its id or an unambiguous beginning, with or without ``inc_``."""
    wanted = text(beginning.strip())
    if wanted and not wanted.startswith("inc_"):
        wanted = f"inc_{wanted}"
    found = [
        row[0]
        for row in db.execute(
            "SELECT incident_id FROM incident WHERE substr(incident_id, 1, length(?1)) = ?1 "
            "ORDER BY incident_id LIMIT ?2",
            (wanted, _MAX_CHOICES),
        )
    ]
    if wanted in found:
        return _by_id(db, wanted)
    if not found or len(wanted) <= len("inc_"):
        raise _unknown(beginning)
    if len(found) > 1:
        raise AmbiguousName(beginning, found)
    return _by_id(db, found[0])


def occurrences(db: sqlite3.Connection, incident_id: str, limit: int) -> Sequence[Occurrence]:
    rows = db.execute(
        "SELECT body FROM occurrence WHERE incident_id = ? "
        "ORDER BY failed_us DESC, seq DESC LIMIT ?",
        (text(incident_id), limit),
    )
    return [load(Occurrence, body) for (body,) in rows]


def caused(
    db: sqlite3.Connection, occurrence_ids: Sequence[str], limit: int
) -> Sequence[Occurrence]:
    # Those are never in an incident, so that the index of what waits for triage finds them.
    rows = db.execute(
        "SELECT body FROM occurrence WHERE incident_id IS NULL AND json_extract(body, "
        "'$.caused_by') IN (SELECT value FROM json_each(?)) "
        "ORDER BY failed_us DESC, seq DESC LIMIT ?",
        (json.dumps([text(item) for item in occurrence_ids]), limit),
    )
    return [load(Occurrence, body) for (body,) in rows]


def _by_id(db: sqlite3.Connection, incident_id: str) -> Incident:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM incident WHERE incident_id = ?",  # noqa: S608 - a constant
        (incident_id,),
    ).fetchone()
    if row is None:
        raise _unknown(incident_id)
    return _incident(row)


def _unknown(incident_id: str) -> UnknownName:
    return UnknownName(
        f"There is no incident {incident_id!r}; `prunella incidents` lists those there are."
    )


def _incident(row: tuple[Any, ...]) -> Incident:
    """Build an incident from `_COLUMNS`, whose types the STRICT table vouches for."""
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
