"""What programs reported: writing and reading processes, sites, calls, occurrences and counts."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

from prunella.adapters.sqlite import exposures, tallies
from prunella.adapters.sqlite.rows import dump, load, moment, text
from prunella.model.clock import now, to_us
from prunella.model.errors import ImpossibleCounts, RecordError
from prunella.model.records import (
    Call,
    Counts,
    Exposures,
    Occurrence,
    Process,
    Record,
    Repeat,
    Site,
)

#: No larger body is kept, in bytes. Capture stays far below; this bounds what a broken or hostile
#: writer can do.
MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_SOURCE_CHARS = 256 * 1024
_MAX_MESSAGE_CHARS = 16 * 1024
_MAX_COUNT = 2**40
_LONGEST_CALL_US = 10 * 366 * 86_400 * 1_000_000


class _RefusedError(Exception):
    """A record can't be kept; the argument says why, in words without values."""


def spool_offset(db: sqlite3.Connection, spool_name: str) -> int:
    row = db.execute("SELECT end_offset FROM spool WHERE name = ?", (text(spool_name),)).fetchone()
    return row[0] if row else 0


def ingest(
    db: sqlite3.Connection,
    records: Sequence[Record],
    *,
    spool_name: str,
    start_offset: int | None,
    end_offset: int,
) -> bool:
    """Keep `records`, unless another reader of the spool has been at `start_offset` already."""
    if start_offset is not None and spool_offset(db, spool_name) != start_offset:
        return False
    for record in records:
        try:
            _keep(record, db)
        except (_RefusedError, RecursionError, OverflowError, ValueError, TypeError) as error:
            # One bad record must not hold up those behind it for ever.
            reason = str(error) if isinstance(error, _RefusedError) else type(error).__name__
            refuse(db, f"{type(record).__name__.lower()}: {reason}")
    db.execute(
        "INSERT INTO spool VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
        "SET end_offset = excluded.end_offset, touched_us = excluded.touched_us",
        (text(spool_name), end_offset, to_us(now())),
    )
    return True


def refuse(db: sqlite3.Connection, reason: str) -> None:
    """Count something that could not be kept."""
    db.execute(
        "INSERT INTO refused VALUES (?, 1) ON CONFLICT (reason) DO UPDATE SET number = number + 1",
        (text(reason),),
    )


@singledispatch
def _keep(record: Record, db: sqlite3.Connection) -> None:
    raise _RefusedError("unknown kind")


@_keep.register
def _(record: Process, db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT OR REPLACE INTO process VALUES (?, ?, ?)",
        (text(record.process_id), moment(to_us(record.started_at)), _bounded(record)),
    )


@_keep.register
def _(record: Site, db: sqlite3.Connection) -> None:
    if record.source is not None and len(record.source) > _MAX_SOURCE_CHARS:
        record = replace(record, source=None)
    db.execute(
        "INSERT OR REPLACE INTO site (site_id, source_hash, body) VALUES (?, ?, ?)",
        (text(record.site_id), text(record.source_hash), _bounded(record)),
    )


@_keep.register
def _(record: Call, db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT OR IGNORE INTO call "
        "(call_id, site_id, source_hash, process_id, parent_id, started_us, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            text(record.call_id),
            text(record.site_id),
            text(record.source_hash),
            text(record.process_id),
            None if record.parent_id is None else text(record.parent_id),
            moment(to_us(record.started_at)),
            _bounded(record),
        ),
    )


@_keep.register
def _(record: Occurrence, db: sqlite3.Connection) -> None:
    try:
        body = _bounded(record)
    except _RefusedError:
        record = _without_values(record)
        body = _bounded(record)
    insert_occurrence(db, record, body)


@_keep.register
def _(record: Repeat, db: sqlite3.Connection) -> None:
    if not 0 < record.count <= _MAX_COUNT:
        raise _RefusedError("count out of range")
    key = (text(record.process_id), text(record.group))
    at_us = moment(to_us(record.at))
    row = db.execute(
        "SELECT incident_id FROM alike WHERE process_id = ? AND alike_group = ?", key
    ).fetchone()
    if row is not None and row[0] is not None:
        _count_repeats(db, row[0], record.count, at_us)
    db.execute(
        "INSERT INTO alike (process_id, alike_group, waiting, last_us) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (process_id, alike_group) DO UPDATE "
        "SET last_us = max(last_us, excluded.last_us), "
        "waiting = waiting + excluded.waiting * (incident_id IS NULL)",
        (*key, record.count, at_us),
    )


@_keep.register
def _(record: Counts, db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT (process_id) DO UPDATE "
        "SET sequence = excluded.sequence, touched_us = excluded.touched_us, body = excluded.body "
        "WHERE excluded.sequence > sequence",
        (text(record.process_id), record.sequence, to_us(now()), _bounded(record)),
    )


@_keep.register
def _(record: Exposures, db: sqlite3.Connection) -> None:
    try:
        exposures.keep(db, record)
    except (RecordError, ImpossibleCounts) as error:
        raise _RefusedError("counts that no traffic gives") from error


def failed_us(occurrence: Occurrence) -> int:
    """Return the moment at which the call failed, in microseconds since the epoch."""
    lasted_us = min(max(occurrence.duration_us, 0), _LONGEST_CALL_US)
    return moment(to_us(occurrence.started_at) + lasted_us)


def insert_occurrence(db: sqlite3.Connection, record: Occurrence, body: str) -> None:
    db.execute(
        "INSERT OR IGNORE INTO occurrence (occurrence_id, site_id, source_hash, process_id, "
        "call_id, ending, failed_us, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            text(record.occurrence_id),
            text(record.site_id),
            text(record.source_hash),
            text(record.process_id),
            text(record.call_id),
            record.ending.value,
            failed_us(record),
            body,
        ),
    )


def _count_repeats(db: sqlite3.Connection, incident_id: str, count: int, at_us: int) -> None:
    db.execute(
        "UPDATE incident SET count = count + ?, last_us = max(last_us, ?), "
        "status = CASE WHEN status = 'cured' AND ? > status_us THEN 'regressed' ELSE status END, "
        "status_us = CASE WHEN status = 'cured' AND ? > status_us THEN ? ELSE status_us END "
        "WHERE incident_id = ?",
        (count, *(at_us,) * 4, incident_id),
    )
    tallies.add(db, incident_id, at_us, count)


def _bounded(record: Record) -> str:
    body = dump(record)
    if len(body) > MAX_BODY_BYTES:
        raise _RefusedError("too large")
    return body


def _without_values(record: Occurrence) -> Occurrence:
    """Return the occurrence without recorded values: where it failed is worth more than nothing."""
    exception = record.exception
    return replace(
        record,
        inputs=None,
        yielded=None,
        complete=False,
        exception=replace(
            exception,
            message=exception.message[:_MAX_MESSAGE_CHARS],
            frames=tuple(replace(frame, local_values=None) for frame in exception.frames),
            cause=None,
            relation=None,
        ),
    )


# --- reading -----------------------------------------------------------------------------------


def sites(db: sqlite3.Connection) -> list[Site]:
    rows = db.execute(
        "SELECT body FROM site WHERE seq IN (SELECT max(seq) FROM site GROUP BY site_id) "
        "ORDER BY site_id"
    )
    return [load(Site, body) for (body,) in rows]


def process(db: sqlite3.Connection, process_id: str) -> Process | None:
    row = db.execute(
        "SELECT body FROM process WHERE process_id = ?", (text(process_id),)
    ).fetchone()
    return load(Process, row[0]) if row else None


def children(db: sqlite3.Connection, call_id: str) -> list[Call]:
    rows = db.execute(
        "SELECT body FROM call WHERE parent_id = ? ORDER BY started_us, seq", (text(call_id),)
    )
    return [load(Call, body) for (body,) in rows]


def counts(db: sqlite3.Connection) -> list[Counts]:
    rows = db.execute("SELECT body FROM counts ORDER BY process_id")
    return [load(Counts, body) for (body,) in rows]


def untriaged(db: sqlite3.Connection, limit: int) -> list[Occurrence]:
    rows = db.execute(
        "SELECT body FROM occurrence WHERE incident_id IS NULL "
        "AND json_extract(body, '$.caused_by') IS NULL ORDER BY failed_us, seq LIMIT ?",
        (limit,),
    )
    return [load(Occurrence, body) for (body,) in rows]
