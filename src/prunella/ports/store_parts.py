"""What is kept of rollouts, alerts and jobs; a store does all of it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from prunella.model.alerts import Alert, AlertKind, AlertState, Delivery, Mute
from prunella.model.audit import AuditEntry
from prunella.model.incidents import IncidentStatus
from prunella.model.jobs import Job, JobKind, JobState
from prunella.model.rollouts import Rollout, RolloutPoint, RolloutState
from prunella.ports.kept import RolloutCounts


class RolloutStore(Protocol):
    """Where the rollouts of fixes and the decisions of people and healer are kept.

    Each method is one transaction. Raises `StoreError` where the store can't answer, `UnknownName` or
    `AmbiguousName` where a name (or a beginning of one) doesn't name exactly one thing.
    """

    def add_rollout(self, rollout: Rollout, because: AuditEntry) -> bool:
        """Keep a new rollout and its reason; False where this version of the fix is there already."""
        ...

    def step_rollout(
        self, rollout: Rollout, because: AuditEntry, *, status: IncidentStatus | None = None
    ) -> bool:
        """Keep the rollout's next step and its reason, or nothing of both.

        With `status` its incident gets that in the same transaction, unless it is ignored.

        False where the kept rollout isn't at the sequence before: somebody else was faster, and the
        caller has to look again.
        """
        ...

    def rollouts(
        self,
        *,
        states: Collection[RolloutState] | None = None,
        incident_id: str | None = None,
    ) -> Sequence[Rollout]:
        """Return rollouts, the one that changed last first."""
        ...

    def rollout(self, name: str) -> Rollout:
        """Return the rollout of an id, or of a fix's id (its latest version), or of a beginning."""
        ...

    def counted(self, rollout_id: str) -> RolloutCounts:
        """Return what all processes have counted of a rollout."""
        ...

    def keep_point(self, point: RolloutPoint) -> None:
        """Keep what was counted at a moment; one of as many units is there once."""
        ...

    def points(self, rollout_id: str, *, limit: int) -> Sequence[RolloutPoint]:
        """Return the latest points of a rollout, oldest first."""
        ...

    def save_audit(self, entry: AuditEntry) -> None:
        """Keep a decision; one of an id that is kept already is left as it is."""
        ...

    def audit(self, *, subject: str | None = None, limit: int = 1000) -> Sequence[AuditEntry]:
        """Return the latest decisions, oldest first; with `subject`, those about it."""
        ...

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes to sign with, made where there are none of that `name`.

        They are the same for everybody who has the store, whoever asked first.
        """
        ...


class AlertStore(Protocol):
    """Where what people are told is kept, from its decision to its arrival. Raises `StoreError`."""

    def add_alerts(
        self, alerts: Sequence[Alert], *, quiet: timedelta, per_hour: int
    ) -> Sequence[AlertState | None]:
        """Keep alerts; return the state that each is kept in, or None where it isn't.

        It isn't where its id is there already, or a spike or `AlertKind.MORE` of the same subject is
        younger than `quiet`. It is kept as folded where the last hour had `per_hour` others (0 sets
        no limit).
        """
        ...

    def alerts(self, *, since: datetime, limit: int = 1000) -> Sequence[Alert]:
        """Return the latest alerts decided since then, oldest first."""
        ...

    def told(
        self, kinds: Sequence[AlertKind], *, state: AlertState | None = None
    ) -> Collection[tuple[str, str]]:
        """Return ``(kind, subject)`` of every alert of these kinds, in `state` or in any."""
        ...

    def take_alert(
        self, target: str, *, at: datetime, since: datetime, lease: timedelta
    ) -> tuple[Alert, Delivery] | None:
        """Give the oldest alert since then that is due at `target` to one sender, for `lease` alone."""
        ...

    def keep_delivery(self, delivery: Delivery) -> None: ...

    def deliveries(self, *, since: datetime) -> Sequence[Delivery]:
        """Return how far the alerts decided since then got, to each place."""
        ...

    def mute(self, mute: Mute) -> None:
        """Keep a mute; one of the same thing is replaced."""
        ...

    def unmute(self, what: str) -> bool:
        """Forget a mute; False where there is none of that thing."""
        ...

    def mutes(self, *, at: datetime) -> Sequence[Mute]:
        """Return the mutes in force."""
        ...


class JobStore(Protocol):
    """Where long work is kept that people asked for. Raises `StoreError`."""

    def add_job(self, job: Job) -> Job:
        """Keep a new job; where one of the same kind and subject waits or runs, return that."""
        ...

    def take_job(self, *, worker: str, at: datetime, lease: timedelta, most: int) -> Job | None:
        """Give the oldest job that waits, or whose worker's lease is over, to one worker.

        A job that `most` workers have left behind fails instead, and one of theirs that somebody
        wants to end is cancelled.
        """
        ...

    def keep_job(self, job: Job) -> Job | None:
        """Keep how far a job is; return it as kept, which says whether somebody wants it to end.

        ``None`` where it has ended, or another worker has taken it: nothing is kept then.
        """
        ...

    def cancel_job(self, job_id: str, *, at: datetime) -> Job:
        """End a job that waits, or ask the worker of one that runs to end it.

        One that has ended stays as it is. Raises `UnknownName`.
        """
        ...

    def job(self, job_id: str) -> Job:
        """Return the job of an id; raises `UnknownName`."""
        ...

    def jobs(
        self,
        *,
        subject: str | None = None,
        states: Collection[JobState] | None = None,
        kinds: Collection[JobKind] | None = None,
        limit: int = 100,
    ) -> Sequence[Job]:
        """Return jobs, the youngest first."""
        ...
