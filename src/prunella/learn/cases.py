"""A solved incident as a case that later incidents are compared with."""

from prunella.model.clock import now
from prunella.model.ids import CaseId, new_id
from prunella.model.incidents import Case, CaseOutcome, Diagnosis, Incident
from prunella.model.repair import Candidate, Verdict
from prunella.model.rollouts import Rollout, RolloutState

_DIFF_CHARS = 20_000


def case_of(
    incident: Incident, diagnosis: Diagnosis, candidate: Candidate, verdict: Verdict
) -> Case:
    """Return what `candidate` taught about `incident`.

    The resolution is the edit in words and what the verdict showed of it, so that a reader of the
    case sees how far it was proven.
    """
    return Case(
        case_id=CaseId(new_id("case")),
        incident_id=incident.incident_id,
        error_type=incident.error_type,
        error_code=incident.error_code,
        function=_function(incident),
        message=incident.message,
        root_cause=diagnosis.root_cause,
        resolution=f"{_sentence(candidate.description)} {_sentence(verdict.summary)}".strip(),
        origin=candidate.origin,
        diff=candidate.patch.diff[:_DIFF_CHARS],
        rests_on=verdict.replays.reproduced,
        learned_at=now(),
    )


def case_of_fix(incident: Incident, rollout: Rollout, root_cause: str) -> Case | None:
    """Return what the rollout of a fix taught about its incident; ``None`` where it was undecided.

    The same rollout gives the same case, which a later outcome replaces.
    """
    outcome = _OUTCOMES.get(rollout.state)
    if outcome is None or rollout.started_at is None:
        return None
    what = str(rollout.document.get("description") or rollout.document["fix_type"])
    return Case(
        case_id=CaseId(f"case_{rollout.rollout_id}"),
        incident_id=incident.incident_id,
        error_type=incident.error_type,
        error_code=incident.error_code,
        function=_function(incident),
        message=incident.message,
        root_cause=root_cause,
        resolution=f"{_sentence(what)} {_sentence(rollout.reason)}",
        origin=f"fix:{rollout.fix_id}",
        diff="",
        learned_at=rollout.changed_at,
        outcome=outcome,
        fix=rollout.document,
    )


_OUTCOMES = {
    RolloutState.GRADUATED: CaseOutcome.HELPED,
    RolloutState.RETIRED: CaseOutcome.HELPED,
    RolloutState.ROLLED_BACK: CaseOutcome.TAKEN_BACK,
}


def _function(incident: Incident) -> str:
    location = incident.location
    return incident.site_id if location is None else f"{location.module}:{location.qualname}"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
