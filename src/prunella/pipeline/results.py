"""What the pipeline answers: typed results for commands and for code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from prunella.codec.plain import to_plain, to_tagged
from prunella.model.exchanges import ModelExchange
from prunella.model.incidents import Diagnosis, Incident, SimilarCase
from prunella.model.records import Occurrence, Site
from prunella.model.repair import (
    Accepted,
    Candidate,
    Publication,
    ReplayOutcome,
    Verdict,
)
from prunella.ports import ModelRequest


class HealingOutcome(StrEnum):
    """How an attempt to heal an incident ended."""

    #: An accepted patch stands on a branch, or as a patch file where there is no repository.
    PUBLISHED = "published"
    #: A patch was accepted and not published, because nobody asked for that.
    PROVEN = "proven"
    #: A patch was accepted, but doesn't fit what the code host has now.
    WITHDRAWN = "withdrawn"
    #: Patches were proposed, and none could be proven.
    UNPROVEN = "unproven"
    #: No patch was proposed; the diagnosis says what is known and what is missing.
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A candidate with its verdict."""

    candidate: Candidate
    verdict: Verdict

    @property
    def accepted(self) -> bool:
        return isinstance(self.verdict, Accepted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing(Mapping[str, Any]):
    """One attempt to heal one incident; it also reads like a mapping.

    Keys: ``incident_id``, ``error_type``, ``error_code``, ``root_cause``, ``confidence``,
    ``suggested_fix`` (unified diff, ``""`` without a candidate), ``fix_description``,
    ``outcome``, ``explanation``, ``note``, ``branch`` and ``pr_url`` (``None`` unless published).
    """

    incident: Incident
    diagnosis: Diagnosis
    #: Best first: accepted ones, then the rest.
    proposals: tuple[Proposal, ...]
    publication: Publication | None
    outcome: HealingOutcome
    #: What was healed, or why it was not.
    explanation: str
    #: What whoever takes the patch has to know besides; empty where nothing.
    note: str = ""
    #: In a dry run with a language model: what it would be sent.
    questions: tuple[ModelRequest, ...] = ()

    @property
    def best(self) -> Proposal | None:
        """The first proposal, accepted or not."""
        return self.proposals[0] if self.proposals else None

    def _as_mapping(self) -> dict[str, Any]:
        best = self.best
        return {
            "incident_id": self.incident.incident_id,
            "error_type": self.diagnosis.error_type,
            "error_code": self.diagnosis.error_code,
            "root_cause": self.diagnosis.root_cause,
            "confidence": self.diagnosis.confidence,
            "suggested_fix": best.candidate.patch.diff if best else "",
            "fix_description": best.candidate.description if best else "",
            "outcome": str(self.outcome),
            "explanation": self.explanation,
            "note": self.note,
            "branch": self.publication.branch if self.publication else None,
            "pr_url": self.publication.url if self.publication else None,
        }

    def __getitem__(self, key: str) -> Any:
        return self._as_mapping()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._as_mapping())

    def __len__(self) -> int:
        return len(self._as_mapping())

    def to_plain(self) -> dict[str, Any]:
        """Return everything as JSON types: the mapping, with diagnosis and proposals in full."""
        return {
            **self._as_mapping(),
            "diagnosis": to_plain(self.diagnosis),
            "proposals": [
                {**plain_candidate(item.candidate), "verdict": to_tagged(item.verdict)}
                for item in self.proposals
            ],
            "publication": to_plain(self.publication) if self.publication else None,
            "questions": to_plain(self.questions),
        }


def plain_candidate(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as JSON types, with its diff in place of the whole file before and after."""
    plain = {item.name: to_plain(getattr(candidate, item.name)) for item in fields(candidate)}
    patch = candidate.patch
    plain["patch"] = {"path": patch.path, "qualname": patch.qualname, "diff": patch.diff}
    return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReport:
    """What bringing the store up to date did."""

    records: int
    #: Lines of spool files that could not be read: torn by a crash, or corrupt.
    unreadable: int
    triaged: int
    #: Names of spool files that were not read, with the reason.
    left_alone: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything that is kept about one incident."""

    incident: Incident
    site: Site | None
    occurrences: tuple[Occurrence, ...]
    similar: tuple[SimilarCase, ...]
    diagnoses: tuple[Diagnosis, ...]
    #: In the order they were made; a candidate that was never judged has no verdict.
    candidates: tuple[tuple[Candidate, Verdict | None], ...]
    publications: tuple[Publication, ...]
    #: What was said with language models.
    exchanges: tuple[ModelExchange, ...]
    #: Of the program in which it failed last, where that was after it was cured. Untrusted text.
    regressed_release: str | None = None


def plain_story(story: Story) -> dict[str, Any]:
    """Return everything that is kept about an incident as JSON types."""
    return {
        "incident": to_plain(story.incident),
        "site": to_plain(story.site),
        "occurrences": to_plain(story.occurrences),
        "similar": to_plain(story.similar),
        "diagnoses": to_plain(story.diagnoses),
        "candidates": [
            {**plain_candidate(item), "verdict": to_tagged(verdict) if verdict else None}
            for item, verdict in story.candidates
        ],
        "publications": to_plain(story.publications),
        "exchanges": to_plain(story.exchanges),
        "regressed_release": story.regressed_release,
    }


class Difference(StrEnum):
    """How a replayed call compares with what was recorded."""

    #: It did what was recorded: the equal result, or the same failure.
    SAME = "same"
    #: It returned something else.
    CHANGED = "changed"
    #: It failed when it was recorded, and returns now.
    HEALED = "healed"
    #: It returned when it was recorded, and fails now.
    BROKEN = "broken"
    #: It could not be run or compared.
    NOT_REPLAYED = "not_replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRow:
    """One recorded call, run again."""

    #: Id of the `Call` or `Occurrence`.
    request_id: str
    difference: Difference
    #: Where and how it differs, or why it was not replayed.
    detail: str
    outcome: ReplayOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What replaying a function's recorded calls showed."""

    site_id: str
    #: ``working tree``, or what the calls were replayed against.
    against: str
    #: Isolation in force.
    sandbox: str
    rows: tuple[ReplayRow, ...]


class FindingLevel(StrEnum):
    """How bad a finding of ``prunella doctor`` is."""

    #: It works.
    OK = "ok"
    #: It works less well than it could.
    WARNING = "warning"
    #: It doesn't work.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that ``prunella doctor`` looked at."""

    #: ``configuration``, ``store``, ``spool``, ``capture``, ``sandbox``, ``git``, ``tests``, ``model``.
    area: str
    level: FindingLevel
    #: What is the case.
    statement: str
    #: What to do about it; empty when nothing is.
    advice: str = ""
