"""What programs reported, into tables: whole batches, so that the write lock is held for moments.

`prepare` turns records into rows, which needs no database and takes most of the time; `keep_all` writes
those of many posts in one transaction, with the offsets behind them, by as many statements as for one.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any, TypeVar

from prunella.adapters.sql import exposures, heard, tallies
from prunella.adapters.sql.assigning import place_all
from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.lookups import rows_with, rows_with_pairs
from prunella.adapters.sql.records import insert_occurrences, occurrence_row
from prunella.adapters.sql.rows import dump, moment, text
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
from prunella.ports import Portion, Triaged

#: No larger body is kept, in bytes. Capture stays far below; this bounds what a broken or hostile
#: writer can do.
MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_SOURCE_CHARS = 256 * 1024
_MAX_MESSAGE_CHARS = 16 * 1024
_MAX_COUNT = 2**40
_MAX_NUMBER = 2**62

_IMPOSSIBLE = "exposures: counts that no traffic gives"

_SPOOL = (
    "INSERT INTO spool (name, end_offset, touched_us) VALUES (?, ?, ?) ON CONFLICT (name) "
    "DO UPDATE SET end_offset = excluded.end_offset, touched_us = excluded.touched_us"
)

_Row = tuple[Any, ...]
K = TypeVar("K", bound=Hashable)


class _RefusedError(Exception):
    """A record can't be kept; the argument says why, in words without values."""


@dataclass(slots=True)
class _Repeated:
    """Repeats of one group of one process."""

    count: int = 0
    last_us: int = 0
    #: Number of a stretch of time to how many fell into it.
    stretches: dict[int, int] = field(default_factory=dict)

    def add(self, count: int, last_us: int, stretches: Mapping[int, int]) -> None:
        self.count = min(self.count + count, _MAX_COUNT)
        self.last_us = max(self.last_us, last_us)
        for stretch, number in stretches.items():
            self.stretches[stretch] = self.stretches.get(stretch, 0) + number


@dataclass(slots=True)
class Batch:
    """Rows that wait to be written."""

    #: What triage said of occurrences, by their ids.
    findings: Mapping[str, Triaged] = field(default_factory=dict)
    #: JSON of occurrences as it came, by their ids: what needn't be written anew.
    texts: Mapping[str, str] = field(default_factory=dict)
    processes: list[_Row] = field(default_factory=list)
    #: In the order of the last report of each version.
    sites: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: list[_Row] = field(default_factory=list)
    occurrences: list[_Row] = field(default_factory=list)
    counts: list[_Row] = field(default_factory=list)
    exposures: list[Exposures] = field(default_factory=list)
    repeats: dict[tuple[str, str], _Repeated] = field(default_factory=dict)
    #: Occurrences that come into their incidents at once, each with its body.
    triaged: list[tuple[Occurrence, Triaged, str | None]] = field(default_factory=list)
    #: Why records can't be kept, to how many.
    refused: Counter[str] = field(default_factory=Counter)

    def refuse(self, record: Record, error: Exception) -> None:
        reason = str(error) if isinstance(error, _RefusedError) else type(error).__name__
        self.refused[text(f"{type(record).__name__.lower()}: {reason}")] += 1

    def add(self, other: "Batch") -> None:
        """Take over the rows of a batch, which stays as it is."""
        self.processes += other.processes
        for key, body in other.sites.items():
            self.sites.pop(key, None)
            self.sites[key] = body
        self.calls += other.calls
        self.occurrences += other.occurrences
        self.counts += other.counts
        self.exposures += other.exposures
        for group, repeated in other.repeats.items():
            _add_to(self.repeats, group, repeated)
        self.triaged += other.triaged
        self.refused.update(other.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of one portion of a spool file."""

    batch: Batch
    spool_name: str
    start_offset: int | None
    end_offset: int
    events: Sequence[str] = ()


def prepare(portion: Portion) -> Part:
    """Return the rows of a portion. One bad record doesn't hold up those behind it for ever."""
    batch = Batch(findings=portion.triaged, texts=portion.texts)
    for record in portion.records:
        try:
            _add(record, batch)
        except (_RefusedError, RecursionError, OverflowError, ValueError, TypeError) as error:
            batch.refuse(record, error)
    return Part(
        batch=batch,
        spool_name=text(portion.spool_name),
        start_offset=portion.start_offset,
        end_offset=portion.end_offset,
        events=portion.events,
    )


def keep_all(db: Connection, parts: Sequence[Part]) -> list[bool]:
    """Keep each part, unless another reader of its spool has been at its `start_offset` already.

    Nor is one kept that stands for an event that was kept before. Returns of each whether it was kept.
    """
    placed = [part.spool_name for part in parts if part.start_offset is not None]
    offsets = dict(rows_with(db, "SELECT name, end_offset FROM spool WHERE name", placed))
    events = [event for part in parts for event in part.events]
    known, new = heard.known(db, events), list[str]()
    batch, ends, kept = Batch(), dict[str, int](), list[bool]()
    for part in parts:
        name, start = part.spool_name, part.start_offset
        fits = start is None or offsets.get(name, 0) == start
        fits = fits and known.isdisjoint(part.events)
        kept.append(fits)
        if fits:
            offsets[name] = ends[name] = part.end_offset
            batch.add(part.batch)
            known.update(part.events)
            new += part.events
    if ends:
        _keep(db, batch)
        heard.remember(db, new)
        touched_us = to_us(now())
        *others, last = [(name, end_offset, touched_us) for name, end_offset in ends.items()]
        db.executemany(_SPOOL, others)
        # By itself: PostgreSQL doesn't cut off who stands still after several statements in a row.
        db.execute(_SPOOL, last)
    return kept


def _keep(db: Connection, batch: Batch) -> None:
    db.executemany(
        "INSERT INTO process (process_id, started_us, host, release, environment, body) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (process_id) DO UPDATE SET "
        "started_us = excluded.started_us, host = excluded.host, release = excluded.release, "
        "environment = excluded.environment, body = excluded.body",
        batch.processes,
    )
    # A version that is reported again becomes the latest.
    db.executemany("DELETE FROM site WHERE site_id = ? AND source_hash = ?", list(batch.sites))
    db.executemany(
        "INSERT INTO site (site_id, source_hash, body) VALUES (?, ?, ?)",
        [(*key, body) for key, body in batch.sites.items()],
    )
    db.executemany(
        "INSERT INTO call (call_id, site_id, source_hash, process_id, parent_id, started_us, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        batch.calls,
    )
    insert_occurrences(db, batch.occurrences)
    if batch.triaged:
        place_all(db, batch.triaged)
    _count_repeats(db, batch.repeats)
    db.executemany(
        "INSERT INTO counts (process_id, sequence, touched_us, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (process_id) DO UPDATE SET sequence = excluded.sequence, "
        "touched_us = excluded.touched_us, body = excluded.body "
        "WHERE excluded.sequence > counts.sequence",
        batch.counts,
    )
    for record in batch.exposures:
        try:
            exposures.keep(db, record)
        except (RecordError, ImpossibleCounts):
            batch.refused[_IMPOSSIBLE] += 1
    db.executemany(
        "INSERT INTO refused (reason, number) VALUES (?, ?) ON CONFLICT (reason) "
        "DO UPDATE SET number = refused.number + excluded.number",
        list(batch.refused.items()),
    )


# --- one record --------------------------------------------------------------------------------


@singledispatch
def _add(record: Record, batch: Batch) -> None:
    raise _RefusedError("unknown kind")


@_add.register
def _(record: Process, batch: Batch) -> None:
    batch.processes.append(
        (
            text(record.process_id),
            moment(to_us(record.started_at)),
            text(record.hostname),
            None if record.release is None else text(record.release),
            None if record.environment is None else text(record.environment),
            _bounded(record),
        )
    )


@_add.register
def _(record: Site, batch: Batch) -> None:
    if record.source is not None and len(record.source) > _MAX_SOURCE_CHARS:
        record = replace(record, source=None)
    key, body = (text(record.site_id), text(record.source_hash)), _bounded(record)
    batch.sites.pop(key, None)
    batch.sites[key] = body


@_add.register
def _(record: Call, batch: Batch) -> None:
    batch.calls.append(
        (
            text(record.call_id),
            text(record.site_id),
            text(record.source_hash),
            text(record.process_id),
            None if record.parent_id is None else text(record.parent_id),
            moment(to_us(record.started_at)),
            _bounded(record),
        )
    )


@_add.register
def _(record: Occurrence, batch: Batch) -> None:
    body = batch.texts.get(record.occurrence_id, "")
    if not body or len(body) > MAX_BODY_BYTES:
        try:
            body = _bounded(record)
        except _RefusedError:
            record = _without_values(record)
            body = _bounded(record)
    found = batch.findings.get(record.occurrence_id)
    if found is None:
        batch.occurrences.append(occurrence_row(record, body))
    else:
        batch.triaged.append((record, found, body))


@_add.register
def _(record: Repeat, batch: Batch) -> None:
    if not 0 < record.count <= _MAX_COUNT:
        raise _RefusedError("count out of range")
    at_us = moment(to_us(record.at))
    key = (text(record.process_id), text(record.group))
    repeated = batch.repeats.get(key)
    if repeated is None:
        repeated = batch.repeats[key] = _Repeated()
    repeated.add(record.count, at_us, {at_us // tallies.STRETCH_US: record.count})


@_add.register
def _(record: Counts, batch: Batch) -> None:
    if not 0 <= record.sequence <= _MAX_NUMBER:
        raise _RefusedError("sequence out of range")
    row = (text(record.process_id), record.sequence, to_us(now()), _bounded(record))
    batch.counts.append(row)


@_add.register
def _(record: Exposures, batch: Batch) -> None:
    batch.exposures.append(record)


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


# --- repeats -----------------------------------------------------------------------------------


def _add_to(all_of_them: dict[K, _Repeated], key: K, repeated: _Repeated) -> None:
    found = all_of_them.get(key)
    if found is None:
        found = all_of_them[key] = _Repeated()
    found.add(repeated.count, repeated.last_us, repeated.stretches)


def _count_repeats(db: Connection, repeats: dict[tuple[str, str], _Repeated]) -> None:
    """Count failures that came without a record of their own: in their incident, or to wait for it."""
    homes = {
        (process_id, group): incident_id
        for process_id, group, incident_id in rows_with_pairs(
            db,
            "process_id, alike_group, incident_id",
            "alike",
            ("process_id", "alike_group"),
            repeats,
        )
    }
    incidents: dict[str, _Repeated] = {}
    rows: list[_Row] = []
    for key, repeated in repeats.items():
        incident_id = homes.get(key)
        if incident_id is not None:
            _add_to(incidents, incident_id, repeated)
        rows.append((*key, repeated.count if incident_id is None else 0, repeated.last_us))
    _count_in_incidents(db, incidents)
    db.executemany(
        "INSERT INTO alike (process_id, alike_group, waiting, last_us) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (process_id, alike_group) DO UPDATE SET last_us = "
        "CASE WHEN alike.last_us > excluded.last_us THEN alike.last_us "
        "ELSE excluded.last_us END, waiting = alike.waiting + excluded.waiting",
        rows,
    )
    failures = {
        (incident_id, stretch): number
        for incident_id, repeated in incidents.items()
        for stretch, number in repeated.stretches.items()
    }
    tallies.add(db, failures)


def _count_in_incidents(db: Connection, incidents: Mapping[str, _Repeated]) -> None:
    db.executemany(
        "UPDATE incident SET count = count + ?, "
        "last_us = CASE WHEN last_us > ? THEN last_us ELSE ? END, "
        "status = CASE WHEN status = 'cured' AND ? > status_us THEN 'regressed' ELSE status END, "
        "status_us = CASE WHEN status = 'cured' AND ? > status_us THEN ? ELSE status_us END "
        "WHERE incident_id = ?",
        [(each.count, *[each.last_us] * 5, name) for name, each in incidents.items()],
    )
