"""Incidents, what is known about them, and the cases that solved ones become."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from prunella.model.ids import CaseId, DiagnosisId, IncidentId, SiteId


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    #: It fails, and nothing has been done about it.
    OPEN = "open"
    #: A fix keeps users from it; the source still has the fault.
    MITIGATED = "mitigated"
    #: The patched code runs and the failure stays away.
    CURED = "cured"
    #: It was cured and failed again.
    REGRESSED = "regressed"
    #: The ignore file or a person says that nobody wants to hear of it.
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """The innermost frame of the project in a traceback: where a patch is looked for first."""

    #: Relative to the project's root, with ``/``.
    file: str
    module: str
    qualname: str
    first_line: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The occurrences that share a fingerprint."""

    incident_id: IncidentId
    fingerprint: str
    #: Version of the algorithm that made `fingerprint`.
    scheme: str
    site_id: SiteId
    #: ``module:qualname`` of the exception class.
    error_type: str
    error_code: str
    #: Message of the latest occurrence. Untrusted text.
    message: str
    #: ``None`` where no frame of the traceback belongs to the project.
    location: Location | None
    status: IncidentStatus
    #: Failures counted, repeats included.
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    #: Why it is ignored: the pattern, or who said so.
    ignored_by: str | None = None
    #: When it came to its present status; ``None`` where nobody asked.
    status_at: datetime | None = None


#: Site of the incidents that are the healer's own errors: never healed.
HEALER_SITE = SiteId("prunella:healer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One fact for or against a hypothesis, by reference to where it can be looked up."""

    #: What the fact is, in words a person reads.
    statement: str
    #: Where it comes from: an occurrence, call or case id, or ``file:line``.
    reference: str
    #: It speaks for the hypothesis (or against it).
    supports: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A possible cause and remedy."""

    cause: str
    remedy: str
    #: Between 0 and 1.
    prior: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why an incident happens: ranked hypotheses, or an abstention that says what is missing."""

    diagnosis_id: DiagnosisId
    incident_id: IncidentId
    #: The exception's class name, e.g. ``ZeroDivisionError``.
    error_type: str
    error_code: str
    #: One or two sentences; of the first hypothesis, or what is known when it abstains.
    root_cause: str
    #: Best first; empty when it abstains.
    hypotheses: tuple[Hypothesis, ...]
    #: Between 0 and 1.
    confidence: float
    #: Why there is no hypothesis and what would decide; ``None`` when there is one.
    abstention: str | None = None
    #: What the function should do with the failing input; empty where nobody said.
    expected_behaviour: str = ""
    #: ``rules`` or ``model:<provider>:<name>``.
    made_by: str = "rules"
    made_at: datetime


class CaseOutcome(StrEnum):
    """What people did with the patch of a case, or what live traffic showed of its fix."""

    #: It was handed to them; nothing is known yet.
    OFFERED = "offered"
    #: They merged it.
    MERGED = "merged"
    #: They closed it without merging: no example to follow.
    REFUSED = "refused"
    #: The fix was shown to help.
    HELPED = "helped"
    #: The fix was taken back: no example to follow.
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was learned from an incident that was solved."""

    case_id: CaseId
    incident_id: IncidentId
    error_type: str
    error_code: str
    #: Where it failed: ``module:qualname``.
    function: str
    message: str
    root_cause: str
    #: What resolved it, in words.
    resolution: str
    #: ``rule:<name>``, ``model:<provider>:<name>``, or ``fix:<fix id>``.
    origin: str
    diff: str
    #: Ids of the recorded calls and occurrences that its proof rests on.
    rests_on: tuple[str, ...] = ()
    learned_at: datetime
    #: What became of it.
    outcome: CaseOutcome = CaseOutcome.OFFERED
    #: The fix document, where a fix and not a patch was tried; `diff` is empty then.
    fix: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarCase:
    """A past case and how near it is."""

    case: Case
    #: Between 0 and 1; 1 is the same pattern.
    similarity: float
    #: What it has in common, in words.
    because: str
