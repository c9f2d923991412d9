"""Every plug-point, one page: what the healer's stages need and `prunella.adapters` brings.

Nobody subclasses these; an object with the right methods serves.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from prunella.experiment.merging import Readings
from prunella.model.alerts import Alert, AlertKind, AlertState, Delivery, Mute, Spread
from prunella.model.audit import AuditEntry
from prunella.model.claims import Claim
from prunella.model.directory import Credential, Invitation, Person, Project, Session
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import IncidentId
from prunella.model.incidents import Case, Diagnosis, Incident, IncidentStatus, Location
from prunella.model.jobs import Job, JobKind, JobState
from prunella.model.judgements import Judgement
from prunella.model.records import Call, Counts, Occurrence, Process, Record, Site
from prunella.model.repair import (
    Candidate,
    Publication,
    ReplayOutcome,
    ReplayRequest,
    TestReport,
    Verdict,
)
from prunella.model.rollouts import Rollout, RolloutPoint, RolloutState
from prunella.model.trials import Observation, RecordedInputs, Variant, VariantRun

Progress = Callable[[str], None]
"""Told in a few words what is being done now; for a person who waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged:
    """What triage found out about one occurrence."""

    fingerprint: str
    #: Version of the algorithm that made it.
    scheme: str
    error_code: str
    location: Location | None
    #: The pattern of the ignore file that matches, or ``None``.
    ignored_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """What ``prunella doctor`` shows of a store."""

    place: str
    schema_version: int
    size_bytes: int
    #: Table name to number of rows.
    rows: Mapping[str, int]
    #: Why records could not be kept, to how many.
    refused: Mapping[str, int] = field(default_factory=dict)
    #: Bytes of golden calls and the calls they made, which pruning never touches.
    golden_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """A recorded success with its standing in the store."""

    call: Call
    #: When it was marked as a reference; ``None`` for an ordinary call.
    golden_at: datetime | None = None


class IncidentOrder(StrEnum):
    """Which incidents come first."""

    #: The one that failed last.
    LAST_SEEN = "last_seen"
    #: The one that failed first the latest: what is new.
    FIRST_SEEN = "first_seen"
    #: The one that failed most often.
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """Which incidents are asked for; what is empty asks for nothing."""

    #: Words that all have to be found, in parts and in any case, in message, error type, error code
    #: or site.
    text: str = ""
    statuses: tuple[IncidentStatus, ...] = ()
    #: An error code, or its beginning: ``TOOL`` or ``TOOL.EXECUTION``.
    error_code: str = ""
    #: A site's id, or its module.
    site: str = ""
    #: It was seen in a process of this release.
    release: str = ""
    #: It was seen in a process of this environment.
    environment: str = ""
    #: It failed last at that moment or later.
    since: datetime | None = None
    order: IncidentOrder = IncidentOrder.LAST_SEEN
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """A part of the incidents that a query asks for."""

    items: Sequence[Incident]
    #: How many there are in all.
    total: int
    #: How many of each status there are with everything else that the query asks for.
    by_status: Mapping[IncidentStatus, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """How often something failed within one step of time."""

    #: The step's beginning.
    at: datetime
    failures: int


#: Offset that stands for a spool file that has been read to its end and removed.
SPOOL_REMOVED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutCounts:
    """What processes have counted of one rollout."""

    readings: Readings
    #: Process id to what else it counted, as in `prunella.model.records.Exposures`.
    effects: Mapping[str, Mapping[str, int]]
    #: When the counts changed last; ``None`` where there are none.
    fired_at: datetime | None


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
    ) -> bool:
        """Keep `records` and remember the offset behind them, or nothing of both.

        `triaged` has by their ids what triage has said of occurrences already: these come into their
        incidents at once, as by `assign_all`.

        With `start_offset`, only where that is what `spool_offset` answers; otherwise another
        reader was faster, nothing is kept and the answer is False. A record that is too large to
        keep is counted in `StoreHealth.refused`.
        """
        ...

    def sites(self) -> Sequence[Site]:
        """Return the latest version of every site, by id."""
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

    def spreads(self, *, since: datetime, split: datetime) -> Mapping[IncidentId, Spread]:
        """Return how the failures since then spread before and after `split`, where there were any.

        Both moments count by the stretch of `TALLY_S` that they fall into.
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


class Directory(Protocol):
    """Who may do what on a server, kept beside the projects' stores. Raises `StoreError`."""

    # --- projects
    def projects(self) -> Sequence[Project]:
        """Return the projects by name."""
        ...

    def save_project(self, project: Project) -> None:
        """Keep a project; one of the same name is replaced."""
        ...

    def remove_project(self, name: str) -> bool:
        """Forget a project, its keys and its tokens, not its records; False where there is none."""
        ...

    # --- people
    def people(self) -> Sequence[Person]:
        """Return the people by name."""
        ...

    def person(self, name: str) -> Person | None: ...

    def person_of(self, subject: str) -> Person | None:
        """Return who has that subject at a provider."""
        ...

    def save_person(self, person: Person) -> None:
        """Keep a person; one of the same name is replaced."""
        ...

    def remove_person(self, name: str) -> bool:
        """Forget a person with their sessions and invitations; False where there is none."""
        ...

    # --- sessions and invitations
    def add_session(self, session: Session) -> None: ...

    def session(self, digest: str) -> tuple[Session, Person] | None: ...

    def touch_session(self, digest: str, *, at: datetime) -> None:
        """Keep that a session was used."""
        ...

    def end_session(self, digest: str) -> None: ...

    def end_sessions(self, person: str) -> int:
        """End all sessions of a person, and return how many there were."""
        ...

    def forget_sessions(self, *, seen_before: datetime, made_before: datetime) -> int:
        """Remove the sessions that are over, and return how many."""
        ...

    def add_invitation(self, invitation: Invitation) -> None: ...

    def invitation(self, digest: str, *, at: datetime) -> Invitation | None:
        """Return an invitation that is valid."""
        ...

    def take_invitation(self, digest: str, *, at: datetime) -> Invitation | None:
        """Use an invitation up; of two that try at once one gets it."""
        ...

    # --- keys and tokens
    def add_credential(self, credential: Credential) -> None: ...

    def credential(self, digest: str) -> Credential | None: ...

    def credentials(self) -> Sequence[Credential]:
        """Return all keys and tokens, the ended ones too, the oldest first."""
        ...

    def end_credential(self, credential_id: str, *, at: datetime) -> bool:
        """End a key or token; False where there is none, or it has ended."""
        ...

    # --- what is counted
    def use(self, credential_id: str, *, day: str, requests: int, size_bytes: int) -> int:
        """Add to what a key or token used that day (``2026-11-22``); return its bytes of the day."""
        ...

    def note_failure(self, subject: str, *, at: datetime) -> None:
        """Count a login that failed, for one way of grouping them."""
        ...

    def failures(self, subject: str, *, since: datetime) -> int: ...

    def forget_failures(self, subject: str | None = None, *, before: datetime) -> None: ...

    # --- decisions
    def save_audit(self, entry: AuditEntry) -> None: ...

    def audit(self, *, limit: int = 1000) -> Sequence[AuditEntry]:
        """Return the latest decisions about the server, oldest first."""
        ...

    def close(self) -> None: ...


class Feed(Protocol):
    """How running programs hear of what they are to apply."""

    def publish(self, store: RolloutStore) -> bool:
        """Tell them what `store` says now; return whether that is news. Raises `StoreError`."""
        ...


class Retriever(Protocol):
    """Finds the documents nearest to a query."""

    def rank(
        self, query: str, documents: Sequence[str], *, limit: int
    ) -> Sequence[tuple[int, float]]:
        """Return ``(index of document, similarity between 0 and 1)``, nearest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a language model."""

    #: What is asked for: ``diagnosis``, ``patch`` or ``fixes``.
    purpose: str
    system: str
    prompt: str
    #: JSON Schema that the answer has to fit; ``None`` asks for text.
    schema: Mapping[str, Any] | None = None
    max_output_tokens: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What it answered. Untrusted data."""

    text: str
    #: The answer as JSON where the request had a schema.
    data: Mapping[str, Any] | None
    input_tokens: int
    output_tokens: int
    latency_s: float


class LanguageModel(Protocol):
    """A language model behind some endpoint."""

    @property
    def name(self) -> str:
        """``provider:model``"""
        ...

    def ask(self, request: ModelRequest) -> ModelAnswer:
        """Return the answer; raises `ModelError` with the reason where there is none."""
        ...


class KeptModel(LanguageModel, Protocol):
    """A language model that works for one incident, whose every exchange is kept."""

    def unusable(self, why: str) -> None:
        """Keep with the latest answer why it can't be used: ``reason: message``."""
        ...


#: Files that differ from a tree on disk: path relative to its root → content.
Overlay = Mapping[str, bytes]


class Replayer(Protocol):
    """Runs recorded calls again, isolated."""

    @property
    def level(self) -> str:
        """The isolation in force: ``bubblewrap``, ``namespaces`` or ``none``."""
        ...

    def replay(
        self,
        tree: Path,
        process: Process,
        requests: Sequence[ReplayRequest],
        variants: Sequence[Overlay],
    ) -> Sequence[Sequence[ReplayOutcome]]:
        """Run every request on every variant of the checked-out `tree`.

        Answers one row a variant, in order, each with one outcome a request, in order. ``{}`` is
        the tree as it stands. Raises `SandboxUnavailable`.
        """
        ...


class TestRunner(Protocol):
    """Runs a project's own tests, isolated."""

    def run(
        self, tree: Path, process: Process, overlay: Overlay, *, only: str = ""
    ) -> TestReport | None:
        """Return the report, or ``None`` where the project has no tests that it can find.

        `only` is the path of a single test module, relative to the tree, that may be in the overlay.
        """
        ...


class TestProbe(Protocol):
    """Looks closely at single tests, isolated: what they run, and how variants of a function fare.

    `selection` is what pytest collects (paths and node ids relative to the tree), `tests` are node
    ids of the collected tests that are meant; none means all of them.
    """

    def observe(
        self, tree: Path, process: Process, selection: Sequence[str], *, watched: bool = True
    ) -> Observation:
        """Run the tests on `tree` one after the other; note the lines that each runs if `watched`.

        An empty selection is what pytest collects by itself.
        """
        ...

    def attempt(
        self,
        tree: Path,
        process: Process,
        selection: Sequence[str],
        variants: Sequence[Variant],
        *,
        tests: Sequence[str] = (),
        test_s: float,
        budget_s: float,
        enough: int,
    ) -> Sequence[VariantRun]:
        """Run `tests` with each variant until one fails; the answer is in the order of `variants`.

        The tests run in the order of `tests`; one that computes longer than `test_s` fails. The
        likeliest variant stands first. After `budget_s`, or when `enough` variants have passed, or
        those that are left are far less likely than one that passed, no other begins.
        """
        ...

    def inputs(
        self,
        tree: Path,
        process: Process,
        selection: Sequence[str],
        function: Variant,
        *,
        tests: Sequence[str] = (),
    ) -> RecordedInputs:
        """Return inputs that the tests call `function` (its text doesn't matter) with."""
        ...


class Repository(Protocol):
    """The committed base that patches are made on."""

    @property
    def root(self) -> Path:
        """The folder that paths are relative to."""
        ...

    @property
    def commit(self) -> str | None:
        """Id of the base commit; ``None`` for a plain folder without git."""
        ...

    def files(self) -> Sequence[str]:
        """Return the paths of the base's files, with ``/``."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file of the base, or ``None`` where it has none of that path."""
        ...

    def check_out(self, into: Path) -> None:
        """Write the base into the empty folder `into`."""
        ...

    def commit_branch(self, branch: str, files: Overlay, message: str) -> str:
        """Make `branch` with one commit on the base that sets `files`; return the commit's id.

        Touches neither work tree nor index. Raises `RepositoryError`.
        """
        ...

    def has_branch(self, branch: str) -> bool:
        """Say whether a branch of that name is there now."""
        ...

    def is_edited(self, path: str) -> bool:
        """Say whether the file on disk isn't the base's, so that a patch leaves edits out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """An accepted patch as it is handed to people."""

    candidate: Candidate
    branch: str
    title: str
    #: Markdown; its first line is `marker`.
    body: str
    message: str
    #: Everything the branch changes.
    files: Overlay
    #: Names the incident: of all open pull requests of one marker there is one.
    marker: str
    labels: tuple[str, ...] = ()
    #: Shown to people as not ready to be merged without a close look.
    draft: bool = False
    #: Commit that `files` were made on, as `CodeHost.base` told it; ``None`` for a plain folder.
    base: str | None = None


class CodeHost(Protocol):
    """Where pull requests are opened.

    Every step can be repeated: after a crash anywhere, asking again finishes what was begun. Raises
    `CodeHostError`, or `RepositoryError` where the host is the local repository.
    """

    @property
    def name(self) -> str:
        """What people call it: ``GitHub``, ``the local repository``."""
        ...

    @property
    def is_remote(self) -> bool:
        """Its base isn't the local commit, and publishing brings up to date what is there."""
        ...

    def base(self) -> str | None:
        """Return the commit that a pull request would be made on now; ``None`` without history."""
        ...

    def read(self, path: str, base: str | None) -> bytes | None:
        """Return a file of that commit, or ``None`` where it has none of that path."""
        ...

    def publish(self, request: PullRequest) -> Publication:
        """Bring branch and pull request about, or bring those of the same marker up to date."""
        ...

    def look(self, publication: Publication) -> Publication | None:
        """Return the publication as it stands; ``None`` with neither branch nor pull request."""
        ...

    def withdraw(self, publication: Publication, reason: str) -> None:
        """Close the pull request with `reason`, and remove the branch unless people went on there."""
        ...


class Notifier(Protocol):
    """One place that people are told at."""

    @property
    def name(self) -> str:
        """What kind of place it is and which, without its secrets: ``slack 3f2a1c09``."""
        ...

    def send(self, alert: Alert) -> None:
        """Deliver an alert within seconds; raises `NotDelivered` where it did not arrive."""
        ...
