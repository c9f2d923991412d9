"""From a candidate patch to its publication."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from prunella.model.ids import CallId, CandidateId, IncidentId, OccurrenceId
from prunella.model.records import Call, ExceptionInfo, Occurrence
from prunella.model.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFunction:
    """A function as the committed base has it."""

    #: Path of its file relative to the base's root, with ``/``.
    path: str
    module: str
    qualname: str
    #: Line of the first decorator, or of ``def``; counted from 1.
    first_line: int
    last_line: int
    #: Text of the function from its first decorator on, dedented by nothing.
    text: str
    #: Bytes of the whole file.
    file_source: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of source that helps to understand another: a caller, a callee, a test."""

    #: ``caller``, ``callee`` or ``test``.
    role: str
    path: str
    qualname: str
    first_line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """An edit of one function, with the imports it needs."""

    path: str
    qualname: str
    #: Bytes of the whole file before and after.
    before: bytes
    after: bytes
    #: Unified diff with ``a/`` and ``b/`` paths.
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A proposed patch, not yet validated."""

    candidate_id: CandidateId
    incident_id: IncidentId
    #: ``rule:<name>`` or ``model:<provider>:<name>``.
    origin: str
    #: What the edit does, in the imperative: "Return 0 when `items` is empty".
    description: str
    #: Why this edit, with the evidence it was derived from.
    reason: str
    patch: Patch
    #: Chance that it is right, before any validation: between 0 and 1.
    prior: float


class CheckOutcome(StrEnum):
    """What a check found."""

    #: It was shown to hold.
    PASSED = "passed"
    #: It was shown not to hold.
    FAILED = "failed"
    #: Nothing was shown either way; the detail says why.
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing a verdict looked at."""

    #: ``compiles``, ``signature``, ``policy``, ``failing_calls``, ``passing_calls``,
    #: ``callers``, ``surroundings``, ``invariants``, ``tests``, …
    name: str
    outcome: CheckOutcome
    #: The evidence, in words, with numbers.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCounts:
    """How many recorded calls stand behind a verdict."""

    #: Failing calls that failed in the same way on the unpatched base, twice.
    failing_reproduced: int = 0
    #: Of these, how many the patch makes return.
    failing_healed: int = 0
    #: Passing calls that returned their recorded result on the unpatched base, twice.
    passing_reproduced: int = 0
    #: Of these, how many return the equal result with the patch.
    passing_equal: int = 0
    #: Calls that could not serve: reason to number.
    set_aside: Mapping[str, int] = field(default_factory=dict)
    #: Ids of the calls and occurrences that reproduced: what the verdict rests on.
    reproduced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What all verdicts have."""

    candidate_id: CandidateId
    checks: tuple[Check, ...]
    replays: ReplayCounts
    #: One or two sentences that claim no more than was shown.
    summary: str
    #: Rank by evidence among the accepted: between 0 and 1.
    score: float = 0.0
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(_Judged):
    """Everything that could be checked holds, and at least one failing call was healed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(_Judged):
    """At least one check failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive(_Judged):
    """No check failed, but too little was shown to offer it."""


Verdict = Accepted | Rejected | Inconclusive


class PublicationState(StrEnum):
    """What became of a patch that was handed to people."""

    #: Its branch has a name; the code host may or may not have heard of it yet.
    ANNOUNCED = "announced"
    #: People can take it or leave it.
    OPEN = "open"
    #: A person merged it.
    MERGED = "merged"
    #: A person closed it without merging.
    CLOSED = "closed"
    #: Prunella took it back; `Publication.reason` says why.
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Where an accepted patch was handed to people."""

    candidate_id: CandidateId
    #: ``None`` where it was kept by a release that didn't note it.
    incident_id: IncidentId | None = None
    state: PublicationState = PublicationState.OPEN
    #: Why it was withdrawn, or what could not be done besides (reviewers, labels); may be empty.
    reason: str = ""
    #: ``prunella/fix-{function}-{timestamp}``; ``None`` where there is no repository.
    branch: str | None
    commit: str | None
    #: Address of the pull request; for the local host, the ``file://`` address of its text. Empty
    #: as long as it is only announced.
    url: str
    published_at: datetime


# --- replay ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """A recorded call to run again."""

    #: Id of the `Call` or `Occurrence` it comes from.
    request_id: CallId | OccurrenceId
    site_id: str
    inputs: Tree
    #: Moment to freeze the clock at.
    started_at: datetime
    #: Recorded answers of the boundary sites it called, in order: ``(site_id, inputs, result)``.
    answers: tuple[tuple[str, Tree, Tree], ...] = ()
    #: ``path:qualname`` of a function of the tree to watch while the call runs; ``""`` for none.
    watch: str = ""


class ReplayEnding(StrEnum):
    """How a replayed call ended."""

    #: It returned (or yielded to its end).
    RETURNED = "returned"
    #: It raised.
    RAISED = "raised"
    #: It ran out of its time or memory, or took its process down.
    DIED = "died"
    #: It could not be started: the function is gone, inputs can't be rebuilt, import failed.
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """What a replayed call did. Comes out of the sandbox: untrusted data."""

    request_id: CallId | OccurrenceId
    ending: ReplayEnding
    #: When it returned: the value (for generators, the list of what was yielded).
    result: Tree = None
    #: `result` is whole, so that it can be compared.
    complete: bool = True
    #: When it raised.
    exception: ExceptionInfo | None = None
    #: Inputs after the call, to compare mutation.
    inputs_after: Tree = None
    #: When it died or was not run: why, in words.
    reason: str = ""
    duration_us: int = 0
    #: How often the watched function ran, and how many exceptions passed through it.
    watched_calls: int = 0
    watched_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """One run of the project's tests."""

    __test__ = False  # not a pytest class

    #: The command as it was run.
    command: tuple[str, ...]
    #: Test id to ``passed``, ``failed``, ``error`` or ``skipped``; empty where the runner
    #: tells no more than an exit code.
    results: Mapping[str, str]
    exit_code: int
    duration_s: float
    #: The last lines it printed, bounded. Untrusted text.
    tail: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the recorded calls do on the unpatched base."""

    #: Failing calls that fail again in the same way, with the fresh exception (lines of the base).
    failing: tuple[tuple[Occurrence, ReplayOutcome], ...]
    #: Passing calls that return their recorded result again.
    passing: tuple[tuple[Call, ReplayOutcome], ...]
    #: Calls that can't serve: ``(id, reason)``.
    set_aside: tuple[tuple[str, str], ...]
    #: Calls of other sites that ran the failing function, and do again what was recorded: those
    #: that return, and those that the failure ended.
    callers: tuple[tuple[Call | Occurrence, ReplayOutcome], ...] = ()
