"""Long work that people asked for: taken by one worker at a time, and taken again after a dead one.

An attempt's number fences it off: what a worker keeps of an attempt that isn't the latest changes
nothing. Whether somebody wants a job to end stands in a column of its own, so that a worker that
keeps its progress doesn't overwrite it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, marks, moment, text
from prunella.model.clock import to_us
from prunella.model.errors import UnknownName
from prunella.model.jobs import Job, JobKind, JobState


def add(db: Connection, job: Job) -> Job:
    db.execute(
        "INSERT INTO job (job_id, kind, subject, state, attempt, is_cancelled, made_us, lease_us, "
        "body) VALUES (?, ?, ?, ?, ?, 0, ?, 0, ?) ON CONFLICT DO NOTHING",
        (
            job.job_id,
            job.kind.value,
            text(job.subject),
            job.state.value,
            job.attempt,
            moment(to_us(job.made_at)),
            dump(job),
        ),
    )
    row = db.execute(
        "SELECT body, is_cancelled FROM job "
        "WHERE kind = ? AND subject = ? AND state IN ('waiting', 'running')",
        (job.kind.value, text(job.subject)),
    ).fetchone()
    return _read(*row)


def take(db: Connection, *, worker: str, at: datetime, lease: timedelta, most: int) -> Job | None:
    at_us = moment(to_us(at))
    while True:
        row = db.execute(
            "SELECT body, is_cancelled FROM job WHERE state = 'waiting' "
            "OR (state = 'running' AND lease_us < ?) ORDER BY seq LIMIT 1",
            (at_us,),
        ).fetchone()
        if row is None:
            return None
        found = _read(*row)
        if found.is_cancelled:
            taken = replace(found, state=JobState.CANCELLED, ended_at=at)
        elif found.attempt >= most:
            taken = replace(
                found,
                state=JobState.FAILED,
                ended_at=at,
                result=f"{found.attempt} workers took it and none finished it; the last was "
                f"{found.worker}, at: {found.progress or 'its beginning'}",
            )
        else:
            taken = replace(
                found,
                state=JobState.RUNNING,
                worker=worker,
                attempt=found.attempt + 1,
                started_at=found.started_at or at,
                lease_until=at + lease,
            )
        if _keep(db, taken, attempt=found.attempt, state=found.state) and not taken.state.is_over:
            return taken


def keep(db: Connection, job: Job) -> Job | None:
    if not _keep(db, job, attempt=job.attempt, state=JobState.RUNNING):
        return None
    return find(db, job.job_id)


def cancel(db: Connection, job_id: str, at: datetime) -> Job:
    found = find(db, job_id)
    if found.state is JobState.WAITING:
        ended = replace(found, state=JobState.CANCELLED, is_cancelled=True, ended_at=at)
        _keep(db, ended, attempt=found.attempt, state=JobState.WAITING)
    db.execute(
        "UPDATE job SET is_cancelled = 1 WHERE job_id = ? AND state = 'running'", (found.job_id,)
    )
    return find(db, job_id)


def find(db: Connection, job_id: str) -> Job:
    row = db.execute(
        "SELECT body, is_cancelled FROM job WHERE job_id = ?", (text(job_id),)
    ).fetchone()
    if row is None:
        raise UnknownName(
            f"There is no job {job_id!r}; jobs that ended are kept as long as records."
        )
    return _read(*row)


def jobs(
    db: Connection,
    subject: str | None,
    states: Collection[JobState] | None,
    kinds: Collection[JobKind] | None,
    limit: int,
) -> Sequence[Job]:
    wanted = [state.value for state in (JobState if states is None else states)]
    of_kinds = [kind.value for kind in (JobKind if kinds is None else kinds)]
    rows = db.execute(
        f"SELECT body, is_cancelled FROM job WHERE state IN ({marks(wanted)}) "  # noqa: S608 - marks
        f"AND kind IN ({marks(of_kinds)}) AND (? IS NULL OR subject = ?) "
        "ORDER BY seq DESC LIMIT ?",
        (*wanted, *of_kinds, subject, subject, limit),
    )
    return [_read(*row) for row in rows]


def _keep(db: Connection, job: Job, *, attempt: int, state: JobState) -> bool:
    """Keep a job where it still is in that attempt and state."""
    lease = job.lease_until
    return bool(
        db.execute(
            "UPDATE job SET state = ?, attempt = ?, lease_us = ?, body = ? "
            "WHERE job_id = ? AND attempt = ? AND state = ?",
            (
                job.state.value,
                job.attempt,
                0 if lease is None else moment(to_us(lease)),
                dump(job),
                job.job_id,
                attempt,
                state.value,
            ),
        ).rowcount
    )


def _read(body: str, is_cancelled: int) -> Job:
    job = load(Job, body)
    return replace(job, is_cancelled=True) if is_cancelled else job
