"""Putting occurrences into incidents: many in one transaction, with as many statements as for one.

What is known of the incidents, groups and occurrences of a batch is read first; the occurrences are
taken into account one after the other, in memory; then each row that changed is written once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from prunella.adapters.sql import tallies
from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.incidents import COLUMNS, to_incident
from prunella.adapters.sql.lookups import chunks, rows_with, rows_with_pairs
from prunella.adapters.sql.records import (
    OccurrenceRow,
    failed_us,
    insert_occurrences,
    occurrence_row,
)
from prunella.adapters.sql.rows import dump, marks, search_text, text
from prunella.model.clock import now, to_us
from prunella.model.ids import new_id
from prunella.model.incidents import Incident, IncidentStatus, Location
from prunella.model.records import Ending, Occurrence
from prunella.ports import Triaged

_MAX_MESSAGE_CHARS = 4096


@dataclass(slots=True)
class _Standing:
    """A row of the table of incidents."""

    incident_id: str
    scheme: str
    fingerprint: str
    site_id: str
    error_type: str
    error_code: str
    message: str
    #: As it is kept, or as triage found it since.
    location: str | Location | None
    status: str
    status_us: int
    ignored_by: str | None
    ignored_by_rule: int
    count: int
    first_us: int
    last_us: int
    described_us: int
    is_new: bool = False
    is_changed: bool = False


_FIXED = ("incident_id", "scheme", "fingerprint", "site_id", "error_type")
_MOVING = (
    "error_code",
    "message",
    "location",
    "status",
    "status_us",
    "ignored_by",
    "ignored_by_rule",
    "count",
    "first_us",
    "last_us",
    "described_us",
)


@dataclass(slots=True)
class _Group:
    """What one process holds to be alike."""

    incident_id: str | None
    waiting: int
    last_us: int
    is_changed: bool = False


class _Batch:
    """Occurrences on their way into incidents."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._standings: dict[tuple[str, str], _Standing] = {}
        self._groups: dict[tuple[str, str], _Group] = {}
        self._failures: Counter[tuple[str, int]] = Counter()
        #: Occurrence id to the incident it is in.
        self._homes: dict[str, str | None] = {}
        self._new: list[OccurrenceRow] = []
        self._placed: list[tuple[str, str]] = []
        self._restated: list[tuple[str, str, str]] = []

    def read(self, pairs: Sequence[tuple[Occurrence, Triaged]]) -> None:
        """Read what is known of everything that `pairs` touch."""
        names = [text(occurrence.occurrence_id) for occurrence, _ in pairs]
        self._homes = dict(
            rows_with(
                self._db,
                "SELECT occurrence_id, incident_id FROM occurrence WHERE occurrence_id",
                names,
            )
        )
        for row in rows_with_pairs(
            self._db,
            ", ".join((*_FIXED, *_MOVING)),
            "incident",
            ("scheme", "fingerprint"),
            [(text(triaged.scheme), text(triaged.fingerprint)) for _, triaged in pairs],
        ):
            known = dict(zip((*_FIXED, *_MOVING), row, strict=True))
            self._standings[known["scheme"], known["fingerprint"]] = _Standing(**known)
        for process_id, group, *rest in rows_with_pairs(
            self._db,
            "process_id, alike_group, incident_id, waiting, last_us",
            "alike",
            ("process_id", "alike_group"),
            [(text(one.process_id), text(one.group)) for one, _ in pairs],
        ):
            self._groups[process_id, group] = _Group(*rest)

    def place(self, occurrence: Occurrence, triaged: Triaged, body: str | None) -> str:
        """Put one occurrence into the incident of its fingerprint; return the incident's id.

        `body` is what is to be kept of it where it isn't kept yet; made here if it isn't known.
        """
        name = text(occurrence.occurrence_id)
        home = self._homes.get(name)
        if home is not None:  # another healer was faster
            return home
        standing = self._standing(occurrence, triaged)
        self._count(standing, occurrence, triaged)
        is_failure = triaged.ignored_by is not None and occurrence.ending is Ending.ERROR
        if is_failure:
            occurrence = replace(occurrence, ending=Ending.FAILURE)
        if name not in self._homes:  # new, or pruned since it was read: it counts all the same
            if is_failure or body is None:
                body = dump(occurrence)
            self._new.append(occurrence_row(occurrence, body, standing.incident_id))
        else:
            self._placed.append((standing.incident_id, name))
            if is_failure:
                self._restated.append((occurrence.ending.value, dump(occurrence), name))
        self._homes[name] = standing.incident_id
        return standing.incident_id

    def write(self) -> None:
        """Write every row that changed."""
        db = self._db
        changed = [one for one in self._standings.values() if one.is_changed]
        columns = (*_FIXED, *_MOVING, "search")
        db.executemany(
            f"INSERT INTO incident ({', '.join(columns)}) VALUES ({marks(columns)})",  # noqa: S608
            [(*_values(one, _FIXED), *_moving(one)) for one in changed if one.is_new],
        )
        sets = ", ".join(f"{name} = ?" for name in (*_MOVING, "search"))
        db.executemany(
            f"UPDATE incident SET {sets} WHERE incident_id = ?",  # noqa: S608 - constants
            [(*_moving(one), one.incident_id) for one in changed if not one.is_new],
        )
        db.executemany(
            "INSERT INTO alike (process_id, alike_group, incident_id, waiting, last_us) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (process_id, alike_group) DO UPDATE SET "
            "incident_id = excluded.incident_id, waiting = excluded.waiting, "
            "last_us = excluded.last_us",
            [
                (*key, group.incident_id, group.waiting, group.last_us)
                for key, group in self._groups.items()
                if group.is_changed
            ],
        )
        insert_occurrences(db, self._new)
        db.executemany(
            "UPDATE occurrence SET incident_id = ? WHERE occurrence_id = ?", self._placed
        )
        db.executemany(
            "UPDATE occurrence SET ending = ?, body = ? WHERE occurrence_id = ?", self._restated
        )
        tallies.add(db, self._failures)

    def _standing(self, occurrence: Occurrence, triaged: Triaged) -> _Standing:
        key = (text(triaged.scheme), text(triaged.fingerprint))
        known = self._standings.get(key)
        if known is None:
            failed_at_us = failed_us(occurrence)
            known = self._standings[key] = _Standing(
                incident_id=new_id("inc"),
                scheme=key[0],
                fingerprint=key[1],
                site_id=text(occurrence.site_id),
                error_type=text(occurrence.exception.type),
                error_code=text(triaged.error_code),
                message="",
                location=None,
                status=IncidentStatus.OPEN.value,
                status_us=failed_at_us,
                ignored_by=None,
                ignored_by_rule=0,
                count=0,
                first_us=failed_at_us,
                last_us=failed_at_us,
                described_us=-1,
                is_new=True,
            )
        return known

    def _count(self, standing: _Standing, occurrence: Occurrence, triaged: Triaged) -> None:
        failed_at_us = failed_us(occurrence)
        key = (text(occurrence.process_id), text(occurrence.group))
        group = self._groups.setdefault(key, _Group(None, 0, failed_at_us))
        waiting, last_us = group.waiting, group.last_us
        group.incident_id, group.waiting = standing.incident_id, 0
        group.last_us, group.is_changed = max(last_us, failed_at_us), True
        standing.is_changed = True
        was, since_us = standing.status, standing.status_us
        if failed_at_us >= standing.described_us:
            # The latest occurrence speaks for the incident: lines move, values change.
            standing.message = text(occurrence.exception.message, _MAX_MESSAGE_CHARS)
            standing.error_code = text(triaged.error_code)
            standing.location = triaged.location
            standing.described_us = failed_at_us
        standing.count += 1 + waiting
        standing.first_us = min(standing.first_us, failed_at_us)
        standing.last_us = max(standing.last_us, failed_at_us, last_us)
        self._failures[standing.incident_id, failed_at_us // tallies.STRETCH_US] += 1
        if waiting:
            self._failures[standing.incident_id, last_us // tallies.STRETCH_US] += waiting
        _follow_rules(standing, triaged)
        if was == IncidentStatus.CURED and failed_at_us > since_us and not triaged.ignored_by:
            _restate(standing, IncidentStatus.REGRESSED)


def assign_all(db: Connection, pairs: Sequence[tuple[Occurrence, Triaged]]) -> list[Incident]:
    """Put each occurrence into the incident of its fingerprint; return these incidents, in order."""
    ids = place_all(db, [(occurrence, triaged, None) for occurrence, triaged in pairs])
    found = {}
    for chunk in chunks(ids):
        for row in db.execute(
            f"SELECT {COLUMNS} FROM incident WHERE incident_id IN ({marks(chunk)})",  # noqa: S608
            chunk,
        ):
            found[row[0]] = to_incident(row)
    return [found[incident_id] for incident_id in ids]


def place_all(
    db: Connection, items: Sequence[tuple[Occurrence, Triaged, str | None]]
) -> Sequence[str]:
    """Put each occurrence into the incident of its fingerprint; return these incidents' ids.

    With each stands what is to be kept of it where it isn't kept yet, or None for all of it.
    """
    batch = _Batch(db)
    batch.read([(occurrence, triaged) for occurrence, triaged, _ in items])
    ids = [batch.place(*item) for item in items]
    batch.write()
    return ids


def _follow_rules(standing: _Standing, triaged: Triaged) -> None:
    """Follow the ignore file; what a person ignored stays so."""
    is_ignored = standing.status == IncidentStatus.IGNORED
    if triaged.ignored_by is not None:
        if not is_ignored or standing.ignored_by_rule:
            _restate(standing, IncidentStatus.IGNORED)
            standing.ignored_by, standing.ignored_by_rule = text(triaged.ignored_by), 1
    elif is_ignored and standing.ignored_by_rule:
        _restate(standing, IncidentStatus.OPEN)


def _restate(standing: _Standing, status: IncidentStatus) -> None:
    standing.status, standing.status_us = status.value, to_us(now())
    standing.ignored_by, standing.ignored_by_rule = None, 0


def _values(standing: _Standing, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(standing, name) for name in names)


def _moving(standing: _Standing) -> tuple[Any, ...]:
    """Return the values of `_MOVING`, and the text that the incident is searched by."""
    searched = search_text(
        standing.error_code, standing.error_type, standing.site_id, standing.message
    )
    if isinstance(standing.location, Location):
        standing.location = dump(standing.location)
    return (*_values(standing, _MOVING), searched)
