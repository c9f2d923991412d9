"""Rollouts of fixes and the decisions about them; a step and its reason are kept together."""

from collections.abc import Collection, Sequence

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, marks, moment, text
from prunella.model.audit import AuditEntry
from prunella.model.clock import to_us
from prunella.model.errors import AmbiguousName, UnknownName
from prunella.model.incidents import IncidentStatus
from prunella.model.rollouts import Rollout, RolloutState

_MAX_CHOICES = 10


def add(db: Connection, rollout: Rollout, because: AuditEntry) -> bool:
    added = db.execute(
        "INSERT INTO rollout "
        "(rollout_id, fix_id, version, incident_id, state, sequence, changed_us, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            rollout.rollout_id,
            text(rollout.fix_id),
            rollout.version,
            rollout.incident_id,
            rollout.state.value,
            rollout.sequence,
            moment(to_us(rollout.changed_at)),
            dump(rollout),
        ),
    ).rowcount
    if added:
        save_audit(db, because)
    return bool(added)


def step(
    db: Connection,
    rollout: Rollout,
    because: AuditEntry,
    status: IncidentStatus | None,
) -> bool:
    changed = db.execute(
        "UPDATE rollout SET state = ?, sequence = ?, changed_us = ?, body = ? "
        "WHERE rollout_id = ? AND sequence = ?",
        (
            rollout.state.value,
            rollout.sequence,
            moment(to_us(rollout.changed_at)),
            dump(rollout),
            rollout.rollout_id,
            rollout.sequence - 1,
        ),
    ).rowcount
    if changed:
        save_audit(db, because)
    if changed and status is not None:
        db.execute(
            "UPDATE incident SET status = ?1, status_us = ?2 "
            "WHERE incident_id = ?3 AND status NOT IN ('ignored', ?1)",
            (status.value, moment(to_us(rollout.changed_at)), rollout.incident_id),
        )
    return bool(changed)


def rollouts(
    db: Connection, states: Collection[RolloutState] | None, incident_id: str | None
) -> list[Rollout]:
    wanted = [state.value for state in (RolloutState if states is None else states)]
    rows = db.execute(
        f"SELECT body FROM rollout WHERE state IN ({marks(wanted)}) "  # noqa: S608 - question marks
        "AND (? IS NULL OR incident_id = ?) ORDER BY changed_us DESC, seq DESC",
        (*wanted, incident_id, incident_id),
    )
    return [load(Rollout, body) for (body,) in rows]


def rollout(db: Connection, name: str) -> Rollout:
    """Find a rollout by its id, by its fix (the latest version of it), or by a beginning of either."""
    wanted = text(name.strip())
    rows = db.execute(
        "SELECT fix_id, rollout_id, body FROM rollout WHERE fix_id = ?1 OR rollout_id = ?1 "
        "ORDER BY version DESC, seq DESC LIMIT 1",
        (wanted,),
    ).fetchall()
    if not rows and wanted:
        rows = db.execute(
            "SELECT fix_id, rollout_id, body FROM rollout "
            "WHERE substr(fix_id, 1, length(?1)) = ?1 OR substr(rollout_id, 1, length(?1)) = ?1 "
            "ORDER BY version DESC, seq DESC",
            (wanted,),
        ).fetchall()
    fixes = sorted({fix_id for fix_id, _, _ in rows})
    if not fixes:
        raise UnknownName(f"There is no fix {name!r}; `prunella fixes` lists those there are.")
    if len(fixes) > 1:
        raise AmbiguousName(name, fixes[:_MAX_CHOICES])
    return load(Rollout, rows[0][2])


def save_audit(db: Connection, entry: AuditEntry) -> None:
    db.execute(
        "INSERT INTO audit (audit_id, subject, at_us, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (entry.audit_id, text(entry.subject), moment(to_us(entry.at)), dump(entry)),
    )


def audit(db: Connection, subject: str | None, limit: int) -> Sequence[AuditEntry]:
    rows = db.execute(
        "SELECT body FROM (SELECT seq, body FROM audit WHERE ?1 IS NULL OR subject = ?1 "
        "ORDER BY seq DESC LIMIT ?2) AS latest ORDER BY seq",
        (None if subject is None else text(subject), limit),
    )
    return [load(AuditEntry, body) for (body,) in rows]
