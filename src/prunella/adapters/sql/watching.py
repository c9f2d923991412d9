"""What people who look on ask for: whether anything changed, and how counts came to be what they are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, moment, text
from prunella.model.clock import from_us, to_us
from prunella.model.rollouts import RolloutPoint

#: Each says something of one table that differs after it was written; all are cheap.
_CHANGES = (
    "SELECT count(*), sum(count), max(last_us), max(status_us), max(described_us) FROM incident",
    "SELECT status, count(*) FROM incident GROUP BY status ORDER BY status",
    "SELECT count(*), sum(sequence), max(changed_us) FROM rollout",
    "SELECT count(*), sum(sequence), max(touched_us) FROM reading",
    "SELECT max(seq) FROM audit",
    "SELECT max(seq) FROM diagnosis",
    "SELECT max(seq) FROM candidate",
    "SELECT max(seq) FROM verdict",
    "SELECT max(seq), count(*) FROM publication",
    "SELECT max(seq) FROM solved_case",
    "SELECT max(seq) FROM alert",
    "SELECT count(*), max(until_us) FROM mute",
    "SELECT count(*), max(golden_us) FROM call WHERE golden_us IS NOT NULL",
    "SELECT state, count(*), max(seq) FROM job GROUP BY state ORDER BY state",
    "SELECT body FROM job WHERE state IN ('waiting', 'running') ORDER BY seq",
)


def changes(db: Connection) -> str:
    """Return a text that differs where what people look at does."""
    digest = blake2b(digest_size=12)
    for query in _CHANGES:
        digest.update(repr(db.execute(query).fetchall()).encode("utf-8", "replace"))
    return digest.hexdigest()


def release_starts(db: Connection, since: datetime) -> Mapping[str, datetime]:
    """Return when the first process of each release began, of those that began since then."""
    rows = db.execute(
        "SELECT release, min(started_us) FROM process WHERE release IS NOT NULL GROUP BY release "
        "HAVING min(started_us) >= ? ORDER BY min(started_us), release",
        (to_us(since),),
    )
    return {release: from_us(moment(started_us)) for release, started_us in rows}


def keep_point(db: Connection, point: RolloutPoint) -> None:
    db.execute(
        "INSERT INTO rollout_point (rollout_id, units, at_us, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (text(point.rollout_id), point.units, moment(to_us(point.at)), dump(point)),
    )


def points(db: Connection, rollout_id: str, limit: int) -> Sequence[RolloutPoint]:
    """Return the latest points of a rollout, oldest first."""
    rows = db.execute(
        "SELECT body FROM rollout_point WHERE rollout_id = ? ORDER BY units DESC LIMIT ?",
        (text(rollout_id), limit),
    )
    return [load(RolloutPoint, body) for (body,) in rows][::-1]
