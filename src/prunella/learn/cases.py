"""A solved incident as a case that later incidents are compared with."""

from prunella.model.clock import now
from prunella.model.ids import CaseId, new_id
from prunella.model.incidents import Case, Diagnosis, Incident
from prunella.model.repair import Candidate, Verdict

_DIFF_CHARS = 20_000


def case_of(
    incident: Incident, diagnosis: Diagnosis, candidate: Candidate, verdict: Verdict
) -> Case:
    """Return what `candidate` taught about `incident`.

    The resolution is the edit in words and what the verdict showed of it, so that a reader of the
    case sees how far it was proven.
    """
    location = incident.location
    function = incident.site_id if location is None else f"{location.module}:{location.qualname}"
    return Case(
        case_id=CaseId(new_id("case")),
        incident_id=incident.incident_id,
        error_type=incident.error_type,
        error_code=incident.error_code,
        function=function,
        message=incident.message,
        root_cause=diagnosis.root_cause,
        resolution=f"{_sentence(candidate.description)} {_sentence(verdict.summary)}".strip(),
        origin=candidate.origin,
        diff=candidate.patch.diff[:_DIFF_CHARS],
        rests_on=verdict.replays.reproduced,
        learned_at=now(),
    )


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
