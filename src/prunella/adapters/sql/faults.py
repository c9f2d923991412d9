"""The healer's own errors, as incidents of a site of their own: counted, without occurrences."""

from datetime import datetime

from prunella.adapters.sql import tallies
from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import moment, search_text, text
from prunella.model.clock import to_us
from prunella.model.ids import new_id
from prunella.model.incidents import HEALER_SITE, IncidentStatus

#: More sorts of errors than this are counted with the last one that was new.
MAX_SORTS = 50
_SCHEME = "healer-1"


def note(
    db: Connection,
    *,
    activity: str,
    error_type: str,
    error_code: str,
    message: str,
    at: datetime,
) -> None:
    at_us = moment(to_us(at))
    fingerprint = text(f"{activity} {error_type}")
    known = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE fingerprint = ?) FROM incident WHERE scheme = ?",
        (fingerprint, _SCHEME),
    ).fetchone()
    if known[0] >= MAX_SORTS and not known[1]:
        fingerprint = "other"
    db.execute(
        "INSERT INTO incident (incident_id, scheme, fingerprint, site_id, error_type, error_code, "
        "message, search, status, status_us, count, first_us, last_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, 1, ?, ?) "
        "ON CONFLICT (scheme, fingerprint) DO UPDATE SET count = incident.count + 1, "
        "message = excluded.message, search = excluded.search, last_us = "
        "CASE WHEN incident.last_us > excluded.last_us THEN incident.last_us "
        "ELSE excluded.last_us END, status_us = "
        "CASE incident.status WHEN 'cured' THEN excluded.status_us ELSE incident.status_us END, "
        "status = CASE incident.status WHEN 'cured' THEN 'open' ELSE incident.status END",
        (
            new_id("inc"),
            _SCHEME,
            fingerprint,
            HEALER_SITE,
            text(error_type),
            text(error_code),
            text(f"{activity}: {message}", 2_000),
            search_text(error_code, error_type, HEALER_SITE, f"{activity}: {message}"),
            *(at_us,) * 3,
        ),
    )
    (incident_id,) = db.execute(
        "SELECT incident_id FROM incident WHERE scheme = ? AND fingerprint = ?",
        (_SCHEME, fingerprint),
    ).fetchone()
    tallies.add(db, {(incident_id, at_us // tallies.STRETCH_US): 1})


def clear(db: Connection, *, activity: str | None, at: datetime) -> int:
    """Close what is open of an activity, or of all; return how many there were."""
    return db.execute(
        "UPDATE incident SET status = ?1, status_us = ?2 WHERE scheme = ?3 AND status = ?4 "
        "AND (?5 IS NULL OR substr(fingerprint, 1, length(?5) + 1) = ?5 || ' ')",
        (
            IncidentStatus.CURED.value,
            moment(to_us(at)),
            _SCHEME,
            IncidentStatus.OPEN.value,
            activity,
        ),
    ).rowcount
