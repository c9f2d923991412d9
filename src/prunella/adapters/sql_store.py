"""The store of one project, in whatever database it was given."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from prunella.adapters.sql import (
    assigning,
    faults,
    finding,
    heard,
    incidents,
    intake,
    retention,
    tallies,
    watching,
    work,
)
from prunella.adapters.sql import calls as recorded_calls
from prunella.adapters.sql import claims as taken
from prunella.adapters.sql import records as recorded
from prunella.adapters.sql.connection import Database
from prunella.adapters.sql.together import Together
from prunella.adapters.sql_store_parts import SqlAlerts, SqlJobs, SqlRollouts
from prunella.model.alerts import Spread
from prunella.model.claims import Claim
from prunella.model.clock import now, to_us
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import IncidentId, SiteId
from prunella.model.incidents import Case, Diagnosis, Incident, IncidentStatus
from prunella.model.judgements import Judgement
from prunella.model.records import Call, Counts, Occurrence, Process, Record, Site
from prunella.model.repair import Candidate, Publication, Verdict
from prunella.ports import (
    CallFacts,
    FailureCount,
    IncidentPage,
    IncidentQuery,
    IncidentText,
    IncidentTotals,
    KeptCall,
    Portion,
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


class SqlStore(SqlRollouts, SqlAlerts, SqlJobs):
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
        events: Sequence[str] = (),
    ) -> bool:
        portion = Portion(
            records=records,
            spool_name=spool_name,
            end_offset=end_offset,
            start_offset=start_offset,
            triaged=triaged,
            events=events,
        )
        return self._together.run(intake.prepare(portion))

    def heard(self, events: Sequence[str]) -> Collection[str]:
        with self._database.reading() as db:
            return heard.known(db, events)

    def ingest_all(self, portions: Iterable[Portion]) -> Sequence[bool | BaseException]:
        return self._together.run_all([intake.prepare(portion) for portion in portions])

    def sites(self, site_ids: Sequence[str] | None = None) -> Sequence[Site]:
        with self._database.reading() as db:
            return recorded.sites(db, site_ids)

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

    def site_counts(self) -> Mapping[SiteId, Mapping[str, int]]:
        with self._database.reading() as db:
            return recorded.site_counts(db)

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
