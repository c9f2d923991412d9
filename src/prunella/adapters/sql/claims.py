"""Claims on incidents: taken in one transaction, so that of two healers one gets it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, moment, text
from prunella.model.claims import Claim
from prunella.model.clock import to_us


def take(db: Connection, claim: Claim, *, cooldown: timedelta) -> Claim | None:
    in_the_way = _in_the_way(db, claim, cooldown)
    if in_the_way is not None:
        return in_the_way
    db.execute(
        "INSERT INTO claim "
        "(claim_id, incident_id, function, started_us, lease_us, ended_us, body) "
        "VALUES (?, ?, ?, ?, ?, NULL, ?)",
        (
            claim.claim_id,
            claim.incident_id,
            text(claim.function),
            moment(to_us(claim.started_at)),
            moment(to_us(claim.lease_until)),
            dump(claim),
        ),
    )
    return None


def _in_the_way(db: Connection, claim: Claim, cooldown: timedelta) -> Claim | None:
    """Return the claim that is under way, or ended within the cooldown, the one under way first."""
    at_us = moment(to_us(claim.started_at))
    row = db.execute(
        "SELECT body FROM claim WHERE (incident_id = :incident OR function = :function) AND "
        "CASE WHEN ended_us IS NULL THEN lease_us > :at ELSE ended_us > :cool END "
        "ORDER BY ended_us IS NOT NULL, seq DESC LIMIT 1",
        {
            "incident": claim.incident_id,
            "function": text(claim.function),
            "at": at_us,
            "cool": at_us - cooldown // timedelta(microseconds=1),
        },
    ).fetchone()
    return None if row is None else load(Claim, row[0])


def keep(db: Connection, claim: Claim) -> bool:
    """Keep a claim's new lease or its end; False where another healer has taken it over."""
    return bool(
        db.execute(
            "UPDATE claim SET lease_us = ?, ended_us = ?, body = ? "
            "WHERE claim_id = ? AND ended_us IS NULL",
            (
                moment(to_us(claim.lease_until)),
                None if claim.ended_at is None else moment(to_us(claim.ended_at)),
                dump(claim),
                claim.claim_id,
            ),
        ).rowcount
    )


def claims(db: Connection, incident_id: str | None, since: datetime) -> Sequence[Claim]:
    rows = db.execute(
        "SELECT body FROM claim WHERE (?1 IS NULL OR incident_id = ?1) AND started_us >= ?2 "
        "ORDER BY seq",
        (None if incident_id is None else text(incident_id), moment(to_us(since))),
    )
    return [load(Claim, body) for (body,) in rows]
