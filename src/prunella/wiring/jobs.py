"""Long work: asked for by people, done by workers, watched and cancelled while it goes on.

Any number of workers share the jobs of a store. One that dies is noticed by its lease, and another
takes its job up again from the beginning, because every step of the healer may be repeated.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from prunella.model.clock import now
from prunella.model.errors import PrunellaError, StoreError
from prunella.model.ids import JobId, new_id
from prunella.model.jobs import Job, JobKind, JobState
from prunella.pipeline.names import find_site
from prunella.wiring.healer import Healer
from prunella.wiring.job_kinds import Outcome, do

_log = logging.getLogger("prunella.jobs")

#: A worker that hasn't been heard of for so long is dead. Longer than a claim's lease, so that the
#: incident it was healing is free when another takes the job up.
LEASE = timedelta(seconds=120)
#: Workers that may leave a job behind before it fails: it may be the job that kills them.
MOST_ATTEMPTS = 5
#: How often a worker says that it lives, and learns that somebody wants the job to end, in seconds.
_BEAT_S = 1.0
#: What is being done now is kept so often at the most, in seconds.
_TELL_S = 0.25
#: How often the stores are looked at for jobs, in seconds.
_LOOK_S = 0.5
_MOST_CHARS = 2_000
#: How long a worker that ends waits for its jobs to be laid down, in seconds.
PATIENCE_S = 10.0

Work = Callable[[Healer, Job], Outcome]
"""Does what a job asks for with a healer that tells its progress; raises what stops it."""


class Jobs:
    """The jobs of one project."""

    def __init__(self, healer: Healer) -> None:
        self._healer = healer

    def ask(self, kind: JobKind, subject: str, *, actor: str, force: bool = False) -> Job:
        """Ask for long work; where the same waits or goes on already, return that.

        `subject` is an incident's id or a beginning of it; for `JobKind.REPLAY` a function. With
        `force` healing doesn't mind that it was tried within the cooldown. Raises `UnknownName`,
        `AmbiguousName`.
        """
        store = self._healer.store
        if kind is JobKind.REPLAY:
            about: str = find_site(store, subject).site_id
        else:
            about = store.incident(subject).incident_id
        return store.add_job(
            Job(
                job_id=JobId(new_id("job")),
                kind=kind,
                subject=about,
                actor=actor,
                state=JobState.WAITING,
                made_at=now(),
                is_forced=force,
            )
        )

    def get(self, job_id: str) -> Job:
        """Return a job as it stands; raises `UnknownName`."""
        return self._healer.store.job(job_id)

    def list(
        self,
        *,
        subject: str | None = None,
        states: Collection[JobState] | None = None,
        kinds: Collection[JobKind] | None = None,
        limit: int = 100,
    ) -> Sequence[Job]:
        """Return jobs, the youngest first."""
        return self._healer.store.jobs(subject=subject, states=states, kinds=kinds, limit=limit)

    def cancel(self, job_id: str) -> Job:
        """End a job: at once where it waits, else at its next step. Raises `UnknownName`."""
        return self._healer.store.cancel_job(job_id, at=now())


class JobRunner:
    """Does the jobs of several projects, in threads of this program.

    `healers` gives the healers of the projects; it is asked again and again, and raises `StoreError`
    where it can't say. `worker` names this one to people.
    """

    def __init__(
        self,
        healers: Callable[[], Iterable[Healer]],
        *,
        worker: str,
        threads: int = 2,
        lease: timedelta = LEASE,
        work: Work = do,
    ) -> None:
        self._healers, self._worker, self._lease, self._do = healers, worker, lease, work
        self._threads = threads
        self._stopping, self._lock = Event(), Lock()
        # Daemons, so that a step that takes long doesn't hold up the end of the program.
        self._running: list[Thread] = []
        self._thread = Thread(target=self._look, name="prunella-jobs", daemon=True)

    def start(self) -> None:
        """Begin to take jobs, in threads."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more jobs, and lay down at their next step those at work: others take them up.

        What doesn't come to a step within `PATIENCE_S` is left as it is, until its lease is over.
        """
        self._stopping.set()
        give_up_at = monotonic() + PATIENCE_S
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)
        for thread in self._running:
            thread.join(max(give_up_at - monotonic(), 0.0))

    def once(self) -> int:
        """Do what waits now, one job after the other, and return how many that were."""
        done = 0
        while not self._stopping.is_set() and (found := self._next()) is not None:
            self._work(*found)
            done += 1
        return done

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            try:
                while self._has_room() and (found := self._next()) is not None:
                    self._hand_over(*found)
            except PrunellaError as error:  # the next look may succeed
                _log.warning("jobs can't be looked for: %s", error)

    def _has_room(self) -> bool:
        with self._lock:
            self._running = [each for each in self._running if each.is_alive()]
            return len(self._running) < self._threads and not self._stopping.is_set()

    def _hand_over(self, healer: Healer, job: Job) -> None:
        thread = Thread(
            target=self._work, args=(healer, job), name=f"prunella-{job.job_id}", daemon=True
        )
        with self._lock:
            self._running.append(thread)
        thread.start()

    def _next(self) -> tuple[Healer, Job] | None:
        """Take a job of any project; looked for first, because taking locks the store."""
        for healer in self._healers():
            at = now()
            states = {JobState.WAITING, JobState.RUNNING}
            if any(_is_due(job, at) for job in healer.store.jobs(states=states, limit=1000)):
                job = healer.store.take_job(
                    worker=self._worker, at=at, lease=self._lease, most=MOST_ATTEMPTS
                )
                if job is not None:
                    return healer, job
        return None

    def _work(self, healer: Healer, job: Job) -> None:
        attempt = _Attempt(healer, job, work=self._do, lease=self._lease, stopping=self._stopping)
        try:
            attempt.run()
        except StoreError as error:  # the lease ends, and the job is taken up again
            _log.warning("job %s can't be kept: %s", job.job_id, error)


def _is_due(job: Job, at: datetime) -> bool:
    if job.state is JobState.WAITING:
        return True
    return job.lease_until is None or job.lease_until < at


class _Ended(BaseException):
    """Leaves a job at a step of its way; no `Exception`, so that nothing on the way keeps it."""


class _Attempt:
    """One job in the hands of one worker."""

    def __init__(
        self, healer: Healer, job: Job, *, work: Work, lease: timedelta, stopping: Event
    ) -> None:
        self._healer, self._job, self._work = healer, job, work
        self._lease, self._stopping = lease, stopping
        #: The attempt is to end, or has.
        self._over = Event()
        self._lock = Lock()
        self._told_at = float("-inf")

    def run(self) -> None:
        beat = Thread(target=self._beat, name="prunella-job-beat", daemon=True)
        beat.start()
        try:
            result, details = self._work(self._healer.telling(self.tell), self._job)
        except _Ended:
            self._lay_down()
        except PrunellaError as error:
            self._end(JobState.FAILED, str(error), {"error": type(error).__name__})
        except Exception as error:  # noqa: BLE001 - kept as the job's outcome and as an incident
            self._healer.note_fault(f"job {self._job.kind.value}", error)
            self._end(
                JobState.FAILED,
                f"a fault in Prunella itself: {type(error).__name__}: {error}; please report it",
                {"error": "InternalFault"},
            )
        else:
            self._end(JobState.DONE, result, details)
        finally:
            self._over.set()
            beat.join()

    def tell(self, doing: str) -> None:
        """Keep what is being done now; leaves the job where somebody wants that."""
        if self._over.is_set() or self._stopping.is_set():
            raise _Ended
        if monotonic() - self._told_at >= _TELL_S:
            self._told_at = monotonic()
            with suppress(StoreError):  # the work goes on; the beat tries again
                self._keep(progress=doing[:200])
        if self._over.is_set():
            raise _Ended

    def _beat(self) -> None:
        while not self._over.wait(_BEAT_S):
            try:
                self._keep()
            except StoreError:
                continue  # the lease outlives a few missed beats

    def _keep(self, **changes: Any) -> None:
        """Keep the job with a new lease, and see whether it is to end."""
        with self._lock:
            self._job = replace(self._job, lease_until=now() + self._lease, **changes)
            kept = self._healer.store.keep_job(self._job)
            if kept is None or kept.is_cancelled:
                self._over.set()

    def _lay_down(self) -> None:
        """Leave the job: for good where somebody wants that, else to the next worker."""
        kept = self._healer.store.job(self._job.job_id)
        if kept.is_cancelled:
            self._end(JobState.CANCELLED, f"cancelled at: {self._job.progress}", {})
        else:
            with self._lock:
                self._healer.store.keep_job(
                    replace(self._job, state=JobState.WAITING, lease_until=None)
                )

    def _end(self, state: JobState, result: str, details: Mapping[str, Any]) -> None:
        with self._lock:
            self._job = replace(
                self._job,
                state=state,
                ended_at=now(),
                lease_until=None,
                progress="",
                result=result[:_MOST_CHARS],
                details=details,
            )
            self._over.set()
            self._healer.store.keep_job(self._job)
