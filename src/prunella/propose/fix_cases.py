"""Fixes that worked for similar incidents: what is tried first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prunella.fixes import parse
from prunella.model.hypotheses import FixHypothesis
from prunella.model.incidents import Incident, SimilarCase
from prunella.propose.fix_priors import STRENGTH

#: Types whose config says nothing of the function that it was made for.
_PORTABLE = frozenset({"retry", "fallback"})
#: Cases that are followed, at most.
_MOST = 2


def with_cases(
    own: Sequence[FixHypothesis], worked: Sequence[SimilarCase], incident: Incident
) -> tuple[FixHypothesis, ...]:
    """Return `own` with what worked for similar incidents, these first.

    Where the records gave a fix of the type that worked, its numbers stay and its chance rises;
    otherwise the fix is taken over as it was, if its config would fit any function.
    """
    found = list(own)
    first: list[FixHypothesis] = []
    for number, similar in enumerate(worked[:_MOST]):
        document = similar.case.fix or {}
        fix_type = str(document.get("fix_type", ""))
        if any(item.fix_type == fix_type for item in first):
            continue
        same = next((item for item in found if item.fix_type == fix_type), None)
        if same is not None:
            found.remove(same)
        elif fix_type in _PORTABLE and not _is_for_people(document["config"]):
            same = _taken_over(similar, incident, number)
        if same is not None:
            first.append(_raised(same, similar, incident.error_code))
    first.sort(key=lambda item: -item.prior)
    return (*first, *found)


def _raised(hypothesis: FixHypothesis, similar: SimilarCase, error_code: str) -> FixHypothesis:
    case = similar.case
    reason = (
        f"Worked for a similar incident: {case.incident_id} in {case.function} ({similar.because}). "
        f"{case.resolution}"
    )
    is_counted = hypothesis.helped > 0 and case.error_code == error_code
    # One outcome more, worth as much as the incidents are alike; not where it is counted already.
    more = 0.0 if is_counted else similar.similarity
    weight = STRENGTH + hypothesis.helped + hypothesis.failed
    return replace(
        hypothesis,
        prior=(weight * hypothesis.prior + more) / (weight + more),
        reasoning=f"{reason} {hypothesis.reasoning}".strip(),
    )


def _taken_over(similar: SimilarCase, incident: Incident, number: int) -> FixHypothesis:
    document = similar.case.fix or {}
    fix = parse(
        {
            "fix_id": f"fix-{incident.incident_id.rpartition('_')[2]}-case-{number}",
            "fix_type": document["fix_type"],
            "target": {"sites": [incident.site_id], "error_codes": [incident.error_code]},
            "incident_id": incident.incident_id,
            "description": str(document.get("description", ""))[:200],
            "config": document["config"],
        }
    )
    return FixHypothesis(
        incident_id=incident.incident_id,
        title=fix.description or fix.fix_type,
        reasoning="",
        document=fix.document(),
        prior=0.5,
        made_by=f"case:{similar.case.case_id}",
    )


def _is_for_people(config: Any) -> bool:
    """Tell whether it makes up results, or repeats what nobody declared repeatable."""
    links = config.get("chain", ())
    return bool(config.get("approved_non_idempotent")) or any("constant" in link for link in links)
