"""Where records and the healer's work are kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from prunella.model.alerts import Spread
from prunella.model.claims import Claim
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import IncidentId, SiteId
from prunella.model.incidents import Case, Diagnosis, Incident, IncidentStatus
from prunella.model.judgements import Judgement
from prunella.model.records import Call, Counts, Occurrence, Process, Record, Site
from prunella.model.repair import (
    Candidate,
    Publication,
    Verdict,
)
from prunella.ports.kept import (
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
from prunella.ports.store_parts import AlertStore, JobStore, RolloutStore


class Store(RolloutStore, AlertStore, JobStore, Protocol):
    """Where records and the healer's work are kept. Each method is one transaction.

    Raises `StoreError` where the store can't answer, `UnknownName` or `AmbiguousName` where an id
    (or a prefix of one) doesn't name exactly one thing.
    """

    # --- records
    def spool_offset(self, spool_name: str) -> int:
        """Return how many bytes of that spool file have been ingested.

        0 for a new file, `SPOOL_REMOVED` for one that was remembered as removed.
        """
        ...

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
        """Keep `records` and remember the offset behind them, or nothing of both.

        `triaged` has by their ids what triage has said of occurrences already: these come into their
        incidents at once, as by `assign_all`.

        With `start_offset`, only where that is what `spool_offset` answers; otherwise another
        reader was faster, nothing is kept and the answer is False; as it is where one of `events` is
        `heard`. A record that is too large to
        keep is counted in `StoreHealth.refused`.
        """
        ...

    def heard(self, events: Sequence[str]) -> Collection[str]:
        """Return those of the ids whose reports were kept within the last hour, or even the last two."""
        ...

    def ingest_all(self, portions: Iterable[Portion]) -> Sequence[bool | BaseException]:
        """Do as `ingest` with each portion, all in one transaction where that is possible.

        Returns for each what `ingest` would return or raise: one that can't be kept takes none of the
        others with it. Portions of one file are kept in their order.
        """
        ...

    def sites(self, site_ids: Sequence[str] | None = None) -> Sequence[Site]:
        """Return the latest version of every site, or of these, by id."""
        ...

    def site_ids(self) -> Sequence[SiteId]:
        """Return the id of every site, in order."""
        ...

    def site(self, site_id: str) -> Site | None:
        """Return the latest version of a site."""
        ...

    def process(self, process_id: str) -> Process | None: ...

    def calls(self, site_id: str, *, limit: int) -> Sequence[Call]:
        """Return recorded successes of a site: golden ones first, then the others, newest first."""
        ...

    def kept_calls(
        self, site_id: str | None = None, *, golden_only: bool = False, limit: int
    ) -> Sequence[KeptCall]:
        """Return the latest recorded successes, of one site or of all, newest first."""
        ...

    def call_facts(
        self, site_ids: Sequence[str], *, limit: int
    ) -> Mapping[SiteId, Sequence[CallFacts]]:
        """Return what is known of the latest recorded successes of each site, `limit` at most."""
        ...

    def kept_call(self, call_id: str) -> KeptCall:
        """Return the success of an id or of an unambiguous beginning of one."""
        ...

    def mark_golden(self, call_ids: Sequence[str], *, golden: bool) -> Sequence[KeptCall]:
        """Mark successes as references, or take the mark back: all of them or, if one isn't known, none.

        Takes ids as `kept_call` does. A golden call is never pruned, nor are the calls it made.
        """
        ...

    def children(self, call_id: str) -> Sequence[Call]:
        """Return the recorded successes made by one call, oldest first."""
        ...

    def counts(self) -> Sequence[Counts]:
        """Return the latest counters of every process."""
        ...

    def site_counts(self) -> Mapping[SiteId, Mapping[str, int]]:
        """Return what all processes counted of each site: the name of a counter to its sum."""
        ...

    # --- incidents
    def untriaged(self, *, limit: int) -> Sequence[Occurrence]:
        """Return occurrences that belong to no incident yet, oldest first."""
        ...

    def assign(self, occurrence: Occurrence, triaged: Triaged) -> Incident:
        """Put the occurrence into the incident of its fingerprint, which is made if it is new.

        An ignored occurrence gets the ending `Ending.FAILURE`. A cured incident becomes regressed.
        """
        ...

    def assign_all(self, pairs: Sequence[tuple[Occurrence, Triaged]]) -> Sequence[Incident]:
        """Do what `assign` does for each pair, in order and in one transaction.

        Returns the incident of each as it stands after all of them.
        """
        ...

    def incidents(
        self, *, status: IncidentStatus | None = None, since: datetime | None = None
    ) -> Sequence[Incident]:
        """Return incidents, the one seen last first; `since` bounds their last sight."""
        ...

    def texts(self, *, limit: int) -> Sequence[IncidentText]:
        """Return the words of the incidents that failed last, the latest first."""
        ...

    def totals(self, *, since: datetime | None = None) -> IncidentTotals:
        """Return sums over the incidents that failed last at that moment or later."""
        ...

    def by_site(self, site_ids: Sequence[str]) -> Mapping[SiteId, Mapping[IncidentStatus, int]]:
        """Return how many incidents of each status sites have; those that have none are left out."""
        ...

    def find_incidents(self, query: IncidentQuery) -> IncidentPage:
        """Return one page of the incidents that are asked for, and how many there are."""
        ...

    def failures(
        self, *, since: datetime, step: timedelta, incident_ids: Collection[str] | None = None
    ) -> Mapping[IncidentId | None, Sequence[FailureCount]]:
        """Return how often incidents failed in each step of time since then, oldest first.

        Of all incidents together, under None; with `incident_ids` of each of these. Steps without a
        failure are left out. `step` counts in whole stretches of `TALLY_S`, one at least.
        """
        ...

    def releases(self) -> Sequence[str]:
        """Return the releases that processes reported, the one that started last first."""
        ...

    def release_starts(self, *, since: datetime) -> Mapping[str, datetime]:
        """Return when the first process of each release began, of those that began since then."""
        ...

    def changes(self) -> str:
        """Return a text that differs where what people look at does; cheap enough for each second."""
        ...

    def incident(self, incident_id: str) -> Incident:
        """Return the incident of an id or of an unambiguous beginning of one."""
        ...

    def set_status(
        self, incident_id: IncidentId, status: IncidentStatus, *, ignored_by: str | None = None
    ) -> None: ...

    def occurrences(self, incident_id: str, *, limit: int) -> Sequence[Occurrence]:
        """Return occurrences of an incident with full context, newest first."""
        ...

    def caused(self, occurrence_ids: Sequence[str], *, limit: int) -> Sequence[Occurrence]:
        """Return the failures that those occurrences caused in calling sites, newest first."""
        ...

    def spreads(
        self,
        *,
        since: datetime,
        split: datetime,
        incident_ids: Collection[str] | None = None,
    ) -> Mapping[IncidentId, Spread]:
        """Return how the failures since then spread before and after `split`, where there were any.

        Of all incidents, or at least of `incident_ids`. Both moments count by the stretch of `TALLY_S` that
        they fall into.
        """
        ...

    def note_fault(
        self, *, activity: str, error_type: str, error_code: str, message: str, at: datetime
    ) -> None:
        """Count an error of the healer itself, as an open incident of the site `HEALER_SITE`.

        Errors of one class in one activity are one incident, and there are at most 51.
        """
        ...

    def clear_faults(self, *, activity: str | None, at: datetime) -> int:
        """Close the healer's own errors in `activity`, or all; return how many were open."""
        ...

    # --- the healer's work, kept in the order of saving
    def save_diagnosis(self, diagnosis: Diagnosis) -> None: ...

    def diagnoses(self, incident_id: str) -> Sequence[Diagnosis]: ...

    def save_candidates(self, candidates: Sequence[Candidate]) -> None: ...

    def candidates(self, incident_id: str) -> Sequence[Candidate]: ...

    def save_verdicts(self, verdicts: Sequence[Verdict]) -> None: ...

    def verdicts(self, incident_id: str) -> Sequence[Verdict]: ...

    def save_judgement(self, judgement: Judgement) -> None:
        """Keep what was found out for some evidence; for the same evidence the last one stays."""
        ...

    def judgement(self, incident_id: str, evidence_key: str) -> Judgement | None: ...

    def save_exchange(self, exchange: ModelExchange) -> None:
        """Keep an exchange; one of the same id is replaced in its place."""
        ...

    def exchanges(self, incident_id: str) -> Sequence[ModelExchange]: ...

    def exchanges_since(self, since: datetime) -> Sequence[ModelExchange]:
        """Return what was said with models on behalf of any incident, from `since` on."""
        ...

    def save_publication(self, publication: Publication) -> None:
        """Keep a publication; one of the same candidate is replaced."""
        ...

    def publications(self, incident_id: str | None = None) -> Sequence[Publication]:
        """Return the publications of one incident, or of all."""
        ...

    def save_case(self, case: Case) -> None:
        """Keep a case; one of the same incident and origin is replaced."""
        ...

    def cases(self) -> Sequence[Case]: ...

    # --- claims
    def claim(self, claim: Claim, *, cooldown: timedelta) -> Claim | None:
        """Keep a new claim, or return the one in its way and keep nothing.

        In the way is a claim on the same incident or function that is under way (its lease lasts),
        or that ended less than `cooldown` before this one begins.
        """
        ...

    def keep_claim(self, claim: Claim) -> bool:
        """Keep the new lease or the end of a claim; False where it has ended already."""
        ...

    def claims(self, incident_id: str | None = None, *, since: datetime) -> Sequence[Claim]:
        """Return claims that began since then, oldest first."""
        ...

    # --- itself
    def prune(
        self, *, max_age: timedelta, max_bytes: int, at_most_each: timedelta = timedelta(0)
    ) -> int:
        """Forget records older than `max_age` and, the least useful first, what doesn't fit.

        What open incidents, verdicts and cases stand on outlives `max_age`; golden calls outlive
        both limits. Does nothing where the last time is not
        `at_most_each` ago and everything fits. Returns how many rows were removed.
        """
        ...

    def health(self) -> StoreHealth: ...

    def close(self) -> None: ...
