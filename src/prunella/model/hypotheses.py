"""Fixes that may heal an incident: how likely that is, what trying them on records showed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from prunella.model.ids import IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """How fixes of one type fared before, for one error code at sites of one kind."""

    error_code: str
    fix_type: str
    #: A `prunella.model.records.SiteKind`.
    site_kind: str
    #: Rollouts that graduated, and rollouts that were rolled back.
    helped: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FixHypothesis:
    """A fix that may heal an incident, with the chance that it does."""

    incident_id: IncidentId
    #: What it does, in a few words: "retry with backoff".
    title: str
    #: Why this fix with these numbers, in words.
    reasoning: str
    #: Valid by `prunella.fixes.parse`.
    document: Mapping[str, Any]
    #: Mean of the Beta posterior, between 0 and 1.
    prior: float
    #: Outcomes that `prior` has taken in beside the template's own estimate.
    helped: int = 0
    failed: int = 0
    #: ``rules`` or ``model:<provider>:<name>``.
    made_by: str = "rules"

    @property
    def fix_type(self) -> str:
        """One of the seven types."""
        return str(self.document["fix_type"])


class TrialOutcome(StrEnum):
    """What trying a fix on recorded calls came to."""

    #: It catches failures and breaks nothing.
    ACCEPTED = "accepted"
    #: It breaks calls that pass, or catches nothing.
    REJECTED = "rejected"
    #: Records can't tell, as where a call would be made that was never recorded.
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixTrial:
    """A fix on recorded calls, through the interpreter that runs in production."""

    fix_id: str
    outcome: TrialOutcome
    #: Failing calls tried, caught, and those of which records can't tell.
    failing: int
    caught: int
    unknown: int
    #: Passing calls tried, and those that would have ended otherwise or had other arguments.
    passing: int
    broken: int
    #: Further attempts and calls of other sites, for all failing calls together.
    added_calls: int
    #: Mean time added to a failing call, in seconds.
    added_s: float
    #: What stood in for the target: in words.
    basis: str
    summary: str
    #: What a person has to do before the fix can act at all; empty where nothing.
    needs: str = ""
    #: What it catches was told from calls that are alike or from a distribution, not from calls of
    #: these arguments: nothing starts by itself on that.
    indirect: bool = False


class Gate(StrEnum):
    """What the confidence in a tried fix allows."""

    #: It starts a canary by itself.
    START = "start"
    #: It waits for `prunella fixes approve`.
    APPROVAL = "approval"
    #: It is told, no more.
    SUGGEST = "suggest"
