"""Parts of the store of one project: rollouts, alerts and jobs; see `prunella.ports.store_parts`."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from prunella.adapters.sql import alerts as outbox
from prunella.adapters.sql import exposures, rollouts, signing, watching
from prunella.adapters.sql import jobs as asked
from prunella.adapters.sql.connection import Database
from prunella.model.alerts import Alert, AlertKind, AlertState, Delivery, Mute
from prunella.model.audit import AuditEntry
from prunella.model.incidents import IncidentStatus
from prunella.model.jobs import Job, JobKind, JobState
from prunella.model.rollouts import Rollout, RolloutPoint, RolloutState
from prunella.ports import RolloutCounts


class SqlRollouts:
    """Implements `prunella.ports.store_parts.RolloutStore`."""

    _database: Database

    def add_rollout(self, rollout: Rollout, because: AuditEntry) -> bool:
        with self._database.writing() as db:
            return rollouts.add(db, rollout, because)

    def step_rollout(
        self, rollout: Rollout, because: AuditEntry, *, status: IncidentStatus | None = None
    ) -> bool:
        with self._database.writing() as db:
            return rollouts.step(db, rollout, because, status)

    def counted(self, rollout_id: str) -> RolloutCounts:
        with self._database.reading() as db:
            return exposures.counted(db, rollout_id)

    def secret(self, name: str) -> bytes:
        with self._database.writing() as db:
            return signing.secret(db, name)

    def keep_point(self, point: RolloutPoint) -> None:
        with self._database.writing() as db:
            watching.keep_point(db, point)

    def points(self, rollout_id: str, *, limit: int) -> Sequence[RolloutPoint]:
        with self._database.reading() as db:
            return watching.points(db, rollout_id, limit)

    def rollouts(
        self,
        *,
        states: Collection[RolloutState] | None = None,
        incident_id: str | None = None,
    ) -> Sequence[Rollout]:
        with self._database.reading() as db:
            return rollouts.rollouts(db, states, incident_id)

    def rollout(self, name: str) -> Rollout:
        with self._database.reading() as db:
            return rollouts.rollout(db, name)

    def save_audit(self, entry: AuditEntry) -> None:
        with self._database.writing() as db:
            rollouts.save_audit(db, entry)

    def audit(self, *, subject: str | None = None, limit: int = 1000) -> Sequence[AuditEntry]:
        with self._database.reading() as db:
            return rollouts.audit(db, subject, limit)


class SqlAlerts:
    """Implements `prunella.ports.store_parts.AlertStore`."""

    _database: Database

    def add_alerts(
        self, alerts: Sequence[Alert], *, quiet: timedelta, per_hour: int
    ) -> Sequence[AlertState | None]:
        with self._database.writing() as db:
            return outbox.add(db, alerts, quiet=quiet, per_hour=per_hour)

    def alerts(self, *, since: datetime, limit: int = 1000) -> Sequence[Alert]:
        with self._database.reading() as db:
            return outbox.alerts(db, since, limit)

    def told(
        self, kinds: Sequence[AlertKind], *, state: AlertState | None = None
    ) -> Collection[tuple[str, str]]:
        with self._database.reading() as db:
            return outbox.told(db, kinds, state)

    def take_alert(
        self, target: str, *, at: datetime, since: datetime, lease: timedelta
    ) -> tuple[Alert, Delivery] | None:
        with self._database.writing() as db:
            return outbox.take(db, target, at=at, since=since, lease=lease)

    def keep_delivery(self, delivery: Delivery) -> None:
        with self._database.writing() as db:
            outbox.keep(db, delivery)

    def deliveries(self, *, since: datetime) -> Sequence[Delivery]:
        with self._database.reading() as db:
            return outbox.deliveries(db, since)

    def mute(self, mute: Mute) -> None:
        with self._database.writing() as db:
            outbox.mute(db, mute)

    def unmute(self, what: str) -> bool:
        with self._database.writing() as db:
            return outbox.unmute(db, what)

    def mutes(self, *, at: datetime) -> Sequence[Mute]:
        with self._database.reading() as db:
            return outbox.mutes(db, at)


class SqlJobs:
    """Implements `prunella.ports.store_parts.JobStore`."""

    _database: Database

    def add_job(self, job: Job) -> Job:
        with self._database.writing() as db:
            return asked.add(db, job)

    def take_job(self, *, worker: str, at: datetime, lease: timedelta, most: int) -> Job | None:
        with self._database.writing() as db:
            return asked.take(db, worker=worker, at=at, lease=lease, most=most)

    def keep_job(self, job: Job) -> Job | None:
        with self._database.writing() as db:
            return asked.keep(db, job)

    def cancel_job(self, job_id: str, *, at: datetime) -> Job:
        with self._database.writing() as db:
            return asked.cancel(db, job_id, at)

    def job(self, job_id: str) -> Job:
        with self._database.reading() as db:
            return asked.find(db, job_id)

    def jobs(
        self,
        *,
        subject: str | None = None,
        states: Collection[JobState] | None = None,
        kinds: Collection[JobKind] | None = None,
        limit: int = 100,
    ) -> Sequence[Job]:
        with self._database.reading() as db:
            return asked.jobs(db, subject, states, kinds, limit)
