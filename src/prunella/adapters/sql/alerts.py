"""What people are told: an outbox. Decided in one transaction, claimed by one sender at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, marks, moment, text
from prunella.model.alerts import Alert, AlertKind, AlertState, Delivery, DeliveryState, Mute
from prunella.model.clock import from_us, to_us
from prunella.model.ids import AlertId

_HOUR = timedelta(hours=1)


#: Kinds that are told once in a while, and not by an identity of their own alone.
_NOW_AND_THEN = (AlertKind.SPIKE, AlertKind.MORE)


def add(
    db: Connection, alerts: Sequence[Alert], *, quiet: timedelta, per_hour: int
) -> list[AlertState | None]:
    if not alerts:
        return []
    at_us = moment(to_us(alerts[0].decided_at))
    left = per_hour - _in_the_last_hour(db, at_us) if per_hour else len(alerts)
    states: list[AlertState | None] = []
    for alert in alerts:
        if _is_known(db, alert, quiet):
            states.append(None)
            continue
        kept = alert
        if alert.state is AlertState.DECIDED:
            if left <= 0:
                kept = replace(alert, state=AlertState.FOLDED)
            left -= 1
        _insert(db, kept)
        states.append(kept.state)
    return states


def _is_known(db: Connection, alert: Alert, quiet: timedelta) -> bool:
    since_us = to_us(alert.decided_at) - _us(quiet)
    if db.execute("SELECT 1 FROM alert WHERE alert_id = ?", (alert.alert_id,)).fetchone():
        return True
    if alert.kind not in _NOW_AND_THEN:
        return False
    lately = db.execute(
        "SELECT 1 FROM alert WHERE subject = ? AND kind = ? AND at_us > ?",
        (text(alert.subject), alert.kind.value, since_us),
    )
    return lately.fetchone() is not None


def _insert(db: Connection, alert: Alert) -> None:
    db.execute(
        "INSERT INTO alert (alert_id, kind, state, subject, at_us, body) VALUES (?, ?, ?, ?, ?, ?)",
        (
            alert.alert_id,
            alert.kind.value,
            alert.state.value,
            text(alert.subject),
            moment(to_us(alert.decided_at)),
            dump(alert),
        ),
    )


def _in_the_last_hour(db: Connection, at_us: int) -> int:
    row = db.execute(
        "SELECT count(*) FROM alert WHERE at_us > ? AND state = ? AND kind NOT IN (?, ?, ?)",
        (
            at_us - _us(_HOUR),
            AlertState.DECIDED.value,
            AlertKind.CURED.value,
            AlertKind.MORE.value,
            AlertKind.TEST.value,
        ),
    ).fetchone()
    return int(row[0])


def alerts(db: Connection, since: datetime, limit: int) -> Sequence[Alert]:
    rows = db.execute(
        "SELECT body FROM (SELECT seq, body FROM alert WHERE at_us >= ? ORDER BY seq DESC LIMIT ?) "
        "AS latest ORDER BY seq",
        (moment(to_us(since)), limit),
    )
    return [load(Alert, body) for (body,) in rows]


def told(
    db: Connection, kinds: Sequence[AlertKind], state: AlertState | None
) -> set[tuple[str, str]]:
    states = tuple(AlertState) if state is None else (state,)
    return set(
        db.execute(
            f"SELECT kind, subject FROM alert WHERE kind IN ({marks(kinds)}) "  # noqa: S608 - marks
            f"AND state IN ({marks(states)})",
            [item.value for item in (*kinds, *states)],
        )
    )


def take(
    db: Connection, target: str, *, at: datetime, since: datetime, lease: timedelta
) -> tuple[Alert, Delivery] | None:
    """Give the oldest alert that is due at `target` to this sender alone, until the lease ends."""
    row = db.execute(
        "SELECT alert.body, coalesce(delivery.attempts, 0) FROM alert LEFT JOIN delivery "
        "ON delivery.alert_id = alert.alert_id AND delivery.target = ?1 "
        "WHERE alert.at_us >= ?2 AND alert.state = ?3 AND "
        "(delivery.alert_id IS NULL OR (delivery.state = ?4 AND delivery.due_us <= ?5)) "
        "ORDER BY alert.seq LIMIT 1",
        (
            text(target),
            moment(to_us(since)),
            AlertState.DECIDED.value,
            DeliveryState.WAITING.value,
            moment(to_us(at)),
        ),
    ).fetchone()
    if row is None:
        return None
    alert = load(Alert, row[0])
    delivery = Delivery(
        alert_id=alert.alert_id,
        target=target,
        state=DeliveryState.WAITING,
        attempts=row[1] + 1,
        due_at=at + lease,
        reason="being sent",
    )
    keep(db, delivery)
    return alert, delivery


def keep(db: Connection, delivery: Delivery) -> None:
    db.execute(
        "INSERT INTO delivery (alert_id, target, state, attempts, due_us, reason) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (alert_id, target) DO UPDATE "
        "SET state = excluded.state, attempts = excluded.attempts, due_us = excluded.due_us, "
        "reason = excluded.reason",
        (
            delivery.alert_id,
            text(delivery.target),
            delivery.state.value,
            delivery.attempts,
            moment(to_us(delivery.due_at)),
            text(delivery.reason),
        ),
    )


def deliveries(db: Connection, since: datetime) -> Sequence[Delivery]:
    rows = db.execute(
        "SELECT alert_id, target, delivery.state, attempts, due_us, reason FROM delivery "
        "JOIN alert USING (alert_id) WHERE at_us >= ? ORDER BY alert.seq, target",
        (moment(to_us(since)),),
    )
    return [
        Delivery(
            alert_id=AlertId(alert_id),
            target=target,
            state=DeliveryState(state),
            attempts=attempts,
            due_at=from_us(due_us),
            reason=reason,
        )
        for alert_id, target, state, attempts, due_us, reason in rows
    ]


def mute(db: Connection, one: Mute) -> None:
    db.execute(
        "INSERT INTO mute (what, until_us, body) VALUES (?, ?, ?) ON CONFLICT (what) DO UPDATE "
        "SET until_us = excluded.until_us, body = excluded.body",
        (text(one.what), moment(to_us(one.until)), dump(one)),
    )


def unmute(db: Connection, what: str) -> bool:
    return bool(db.execute("DELETE FROM mute WHERE what = ?", (text(what),)).rowcount)


def mutes(db: Connection, at: datetime) -> Sequence[Mute]:
    rows = db.execute(
        "SELECT body FROM mute WHERE until_us > ? ORDER BY what", (moment(to_us(at)),)
    )
    return [load(Mute, body) for (body,) in rows]


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
