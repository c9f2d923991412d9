"""The store of one project, in whatever database it was given."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from prunella.adapters.sql import alerts as outbox
from prunella.adapters.sql import (
    assigning,
    exposures,
    faults,
    finding,
    incidents,
    intake,
    retention,
    rollouts,
    signing,
    tallies,
    watching,
    work,
)
from prunella.adapters.sql import calls as recorded_calls
from prunella.adapters.sql import claims as taken
from prunella.adapters.sql import jobs as asked
from prunella.adapters.sql import records as recorded
from prunella.adapters.sql.connection import Database
from prunella.adapters.sql.together import Together
from prunella.model.alerts import Alert, AlertKind, AlertState, Delivery, Mute, Spread
from prunella.model.audit import AuditEntry
from prunella.model.claims import Claim
from prunella.model.clock import now, to_us
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import IncidentId, SiteId
from prunella.model.incidents import Case, Diagnosis, Incident, IncidentStatus
from prunella.model.jobs import Job, JobKind, JobState
from prunella.model.judgements import Judgement
from prunella.model.records import Call, Counts, Occurrence, Process, Record, Site
from prunella.model.repair import Candidate, Publication, Verdict
from prunella.model.rollouts import Rollout, RolloutPoint, RolloutState
from prunella.ports import (
    CallFacts,
    FailureCount,
    IncidentPage,
    IncidentQuery,
    IncidentText,
    IncidentTotals,
    KeptCall,
    Portion,
    RolloutCounts,
    StoreHealth,
    Triaged,
)

_TABLES = (
    "process",
    "site",
    "call",
    "occurrence",
    "counts",
    "incident",
    "diagnosis",
    "candidate",
    "verdict",
    "publication",
    "exchange",
    "job",
    "solved_case",
    "rollout",
    "audit",
    "alert",
)


class SqlStore:
    """Implements `prunella.ports.Store`; see there for what each method promises.

    Safe to share between threads, and with a forked child, which gets connections of its own.
    Several processes may have the same store open: readers never wait for writers, and a writer
    waits up to ten seconds for another before it raises `StoreError`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = Together(database, intake.keep_all)

    # --- records
    def spool_offset(self, spool_name: str) -> int:
        with self._database.reading() as db:
            return recorded.spool_offset(db, spool_name)

    def ingest(
        self,
        records: Sequence[Record],
        *,
        spool_name: str,
        end_offset: int,
        start_offset: int | None = None,
        triaged: Mapping[str, Triaged] = MappingProxyType({}),
    ) -> bool:
        portion = Portion(
            records=records,
            spool_name=spool_name,
            end_offset=end_offset,
            start_offset=start_offset,
            triaged=triaged,
        )
        return self._together.run(intake.prepare(portion))

    def ingest_all(self, portions: Iterable[Portion]) -> Sequence[bool | BaseException]:
        return self._together.run_all([intake.prepare(portion) for portion in portions])

    def sites(self) -> Sequence[Site]:
        with self._database.reading() as db:
            return recorded.sites(db)

    def site_ids(self) -> Sequence[SiteId]:
        with self._database.reading() as db:
            return recorded.site_ids(db)

    def site(self, site_id: str) -> Site | None:
        with self._database.reading() as db:
            return recorded.site(db, site_id)

    def process(self, process_id: str) -> Process | None:
        with self._database.reading() as db:
            return recorded.process(db, process_id)

    def calls(self, site_id: str, *, limit: int) -> Sequence[Call]:
        with self._database.reading() as db:
            return recorded_calls.calls(db, site_id, limit)

    def kept_calls(
        self, site_id: str | None = None, *, golden_only: bool = False, limit: int
    ) -> Sequence[KeptCall]:
        with self._database.reading() as db:
            return recorded_calls.kept_calls(db, site_id, golden_only, limit)

    def call_facts(
        self, site_ids: Sequence[str], *, limit: int
    ) -> Mapping[SiteId, Sequence[CallFacts]]:
        with self._database.reading() as db:
            return recorded_calls.facts(db, site_ids, limit)

    def kept_call(self, call_id: str) -> KeptCall:
        with self._database.reading() as db:
            return recorded_calls.kept_call(db, call_id)

    def mark_golden(self, call_ids: Sequence[str], *, golden: bool) -> Sequence[KeptCall]:
        with self._database.writing() as db:
            found = [recorded_calls.kept_call(db, item).call.call_id for item in call_ids]
            for call_id in found:
                recorded_calls.mark(db, call_id, golden=golden)
            return [recorded_calls.kept_call(db, call_id) for call_id in found]

    def children(self, call_id: str) -> Sequence[Call]:
        with self._database.reading() as db:
            return recorded.children(db, call_id)

    def counts(self) -> Sequence[Counts]:
        with self._database.reading() as db:
            return recorded.counts(db)

    # --- incidents
    def untriaged(self, *, limit: int) -> Sequence[Occurrence]:
        with self._database.reading() as db:
            return recorded.untriaged(db, limit)

    def assign(self, occurrence: Occurrence, triaged: Triaged) -> Incident:
        return self.assign_all([(occurrence, triaged)])[0]

    def assign_all(self, pairs: Sequence[tuple[Occurrence, Triaged]]) -> Sequence[Incident]:
        if not pairs:
            return []
        with self._database.writing() as db:
            return assigning.assign_all(db, pairs)

    def incidents(
        self, *, status: IncidentStatus | None = None, since: datetime | None = None
    ) -> Sequence[Incident]:
        with self._database.reading() as db:
            return incidents.incidents(db, status, since)

    def texts(self, *, limit: int) -> Sequence[IncidentText]:
        with self._database.reading() as db:
            return incidents.texts(db, limit)

    def totals(self, *, since: datetime | None = None) -> IncidentTotals:
        with self._database.reading() as db:
            return incidents.totals(db, since)

    def by_site(self, site_ids: Sequence[str]) -> Mapping[SiteId, Mapping[IncidentStatus, int]]:
        with self._database.reading() as db:
            return incidents.by_site(db, site_ids)

    def find_incidents(self, query: IncidentQuery) -> IncidentPage:
        with self._database.reading() as db:
            return finding.find_incidents(db, query)

    def failures(
        self, *, since: datetime, step: timedelta, incident_ids: Collection[str] | None = None
    ) -> Mapping[IncidentId | None, Sequence[FailureCount]]:
        with self._database.reading() as db:
            return tallies.failures(db, since, step, incident_ids)

    def releases(self) -> Sequence[str]:
        with self._database.reading() as db:
            return finding.releases(db)

    def release_starts(self, *, since: datetime) -> Mapping[str, datetime]:
        with self._database.reading() as db:
            return watching.release_starts(db, since)

    def changes(self) -> str:
        with self._database.reading() as db:
            return watching.changes(db)

    def incident(self, incident_id: str) -> Incident:
        with self._database.reading() as db:
            return incidents.incident(db, incident_id)

    def set_status(
        self, incident_id: IncidentId, status: IncidentStatus, *, ignored_by: str | None = None
    ) -> None:
        with self._database.writing() as db:
            incidents.set_status(db, incident_id, status, ignored_by=ignored_by)

    def occurrences(self, incident_id: str, *, limit: int) -> Sequence[Occurrence]:
        with self._database.reading() as db:
            return incidents.occurrences(db, incident_id, limit)

    def caused(self, occurrence_ids: Sequence[str], *, limit: int) -> Sequence[Occurrence]:
        with self._database.reading() as db:
            return incidents.caused(db, occurrence_ids, limit)

    def spreads(
        self,
        *,
        since: datetime,
        split: datetime,
        incident_ids: Collection[str] | None = None,
    ) -> Mapping[IncidentId, Spread]:
        with self._database.reading() as db:
            return tallies.spreads(db, since, split, incident_ids)

    def note_fault(
        self, *, activity: str, error_type: str, error_code: str, message: str, at: datetime
    ) -> None:
        with self._database.writing() as db:
            faults.note(
                db,
                activity=activity,
                error_type=error_type,
                error_code=error_code,
                message=message,
                at=at,
            )

    def clear_faults(self, *, activity: str | None, at: datetime) -> int:
        with self._database.writing() as db:
            return faults.clear(db, activity=activity, at=at)

    # --- the healer's work
    def save_diagnosis(self, diagnosis: Diagnosis) -> None:
        with self._database.writing() as db:
            work.save_diagnosis(db, diagnosis)

    def diagnoses(self, incident_id: str) -> Sequence[Diagnosis]:
        with self._database.reading() as db:
            return work.diagnoses(db, incident_id)

    def save_candidates(self, candidates: Sequence[Candidate]) -> None:
        with self._database.writing() as db:
            work.save_candidates(db, candidates)

    def candidates(self, incident_id: str) -> Sequence[Candidate]:
        with self._database.reading() as db:
            return work.candidates(db, incident_id)

    def save_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        with self._database.writing() as db:
            work.save_verdicts(db, verdicts)

    def verdicts(self, incident_id: str) -> Sequence[Verdict]:
        with self._database.reading() as db:
            return work.verdicts(db, incident_id)

    def save_judgement(self, judgement: Judgement) -> None:
        with self._database.writing() as db:
            work.save_judgement(db, judgement)

    def judgement(self, incident_id: str, evidence_key: str) -> Judgement | None:
        with self._database.reading() as db:
            return work.judgement(db, incident_id, evidence_key)

    def save_publication(self, publication: Publication) -> None:
        with self._database.writing() as db:
            work.save_publication(db, publication)

    def publications(self, incident_id: str | None = None) -> Sequence[Publication]:
        with self._database.reading() as db:
            return work.publications(db, incident_id)

    def save_exchange(self, exchange: ModelExchange) -> None:
        with self._database.writing() as db:
            work.save_exchange(db, exchange)

    def exchanges(self, incident_id: str) -> Sequence[ModelExchange]:
        with self._database.reading() as db:
            return work.exchanges(db, incident_id)

    def exchanges_since(self, since: datetime) -> Sequence[ModelExchange]:
        with self._database.reading() as db:
            return work.exchanges_since(db, since)

    def save_case(self, case: Case) -> None:
        with self._database.writing() as db:
            work.save_case(db, case)

    def cases(self) -> Sequence[Case]:
        with self._database.reading() as db:
            return work.cases(db)

    # --- claims
    def claim(self, claim: Claim, *, cooldown: timedelta) -> Claim | None:
        with self._database.writing() as db:
            return taken.take(db, claim, cooldown=cooldown)

    def keep_claim(self, claim: Claim) -> bool:
        with self._database.writing() as db:
            return taken.keep(db, claim)

    def claims(self, incident_id: str | None = None, *, since: datetime) -> Sequence[Claim]:
        with self._database.reading() as db:
            return taken.claims(db, incident_id, since)

    # --- alerts
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

    # --- rollouts
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

    # --- jobs
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

    # --- itself
    def prune(
        self, *, max_age: timedelta, max_bytes: int, at_most_each: timedelta = timedelta(0)
    ) -> int:
        today_us = to_us(now())
        if not retention.is_due(
            self._database, after_us=today_us - _us(at_most_each), max_bytes=max_bytes
        ):
            return 0
        return retention.prune(
            self._database, before_us=today_us - _us(max_age), max_bytes=max_bytes
        )

    def health(self) -> StoreHealth:
        with self._database.reading() as db:
            rows = {
                table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in _TABLES
            }
            refused = dict(db.execute("SELECT reason, number FROM refused ORDER BY reason"))
            golden_bytes = recorded_calls.golden_bytes(db)
        return StoreHealth(
            place=self._database.place,
            schema_version=self._database.version,
            size_bytes=self._database.fill().used_bytes,
            rows=rows,
            refused=refused,
            golden_bytes=golden_bytes,
        )

    def close(self) -> None:
        self._database.close()


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
