"""What programs reported: processes, sites, calls, occurrences and counts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import load, marks, moment, text
from prunella.model.clock import to_us
from prunella.model.errors import StoreError
from prunella.model.ids import SiteId
from prunella.model.records import Call, Counts, Occurrence, Process, Site

#: A duration is taken to be at most this.
_LONGEST_CALL_US = 10 * 366 * 86_400 * 1_000_000

OccurrenceRow = tuple[Any, ...]


def failed_us(occurrence: Occurrence) -> int:
    """Return the moment at which the call failed, in microseconds since the epoch."""
    lasted_us = min(max(occurrence.duration_us, 0), _LONGEST_CALL_US)
    return moment(to_us(occurrence.started_at) + lasted_us)


def occurrence_row(record: Occurrence, body: str, incident_id: str | None = None) -> OccurrenceRow:
    """Return the row of an occurrence that `insert_occurrences` takes."""
    return (
        text(record.occurrence_id),
        incident_id,
        text(record.site_id),
        text(record.source_hash),
        text(record.process_id),
        text(record.call_id),
        None if record.caused_by is None else text(record.caused_by),
        record.ending.value,
        failed_us(record),
        body,
    )


def insert_occurrences(db: Connection, rows: Sequence[OccurrenceRow]) -> None:
    """Keep occurrences that aren't kept yet."""
    db.executemany(
        "INSERT INTO occurrence (occurrence_id, incident_id, site_id, source_hash, process_id, "
        "call_id, caused_by, ending, failed_us, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        rows,
    )


def spool_offset(db: Connection, spool_name: str) -> int:
    row = db.execute("SELECT end_offset FROM spool WHERE name = ?", (text(spool_name),)).fetchone()
    return row[0] if row else 0


def sites(db: Connection, site_ids: Sequence[str] | None) -> list[Site]:
    names = None if site_ids is None else tuple(text(name) for name in site_ids)
    if names == ():
        return []
    among = "" if names is None else f"WHERE site_id IN ({marks(names)}) "
    rows = db.execute(
        "SELECT body FROM site WHERE seq IN "  # noqa: S608 - question marks
        f"(SELECT max(seq) FROM site {among}GROUP BY site_id) ORDER BY site_id",
        names or (),
    )
    return [load(Site, body) for (body,) in rows]


def site_ids(db: Connection) -> list[SiteId]:
    rows = db.execute("SELECT DISTINCT site_id FROM site ORDER BY site_id")
    return [SiteId(site_id) for (site_id,) in rows]


def site(db: Connection, site_id: str) -> Site | None:
    row = db.execute(
        "SELECT body FROM site WHERE site_id = ? ORDER BY seq DESC LIMIT 1", (text(site_id),)
    ).fetchone()
    return load(Site, row[0]) if row else None


def process(db: Connection, process_id: str) -> Process | None:
    row = db.execute(
        "SELECT body FROM process WHERE process_id = ?", (text(process_id),)
    ).fetchone()
    return load(Process, row[0]) if row else None


def children(db: Connection, call_id: str) -> list[Call]:
    rows = db.execute(
        "SELECT body FROM call WHERE parent_id = ? ORDER BY started_us, seq", (text(call_id),)
    )
    return [load(Call, body) for (body,) in rows]


def counts(db: Connection) -> list[Counts]:
    rows = db.execute("SELECT body FROM counts ORDER BY process_id")
    return [load(Counts, body) for (body,) in rows]


def site_counts(db: Connection) -> dict[SiteId, Mapping[str, int]]:
    """Add up as JSON: reading counters in full takes longer than adding them."""
    found: dict[SiteId, dict[str, int]] = {}
    try:
        for (body,) in db.execute("SELECT body FROM counts"):
            for name, numbers in json.loads(body)["sites"].items():
                sums = found.setdefault(name, numbers)
                if sums is not numbers:
                    for counter, number in numbers.items():
                        sums[counter] = sums.get(counter, 0) + number
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StoreError(f"Counters in the store can't be read ({error})") from error
    return dict(found)


def untriaged(db: Connection, limit: int) -> list[Occurrence]:
    rows = db.execute(
        "SELECT body FROM occurrence WHERE incident_id IS NULL AND caused_by IS NULL "
        "ORDER BY failed_us, seq LIMIT ?",
        (limit,),
    )
    return [load(Occurrence, body) for (body,) in rows]
