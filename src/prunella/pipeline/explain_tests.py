"""What failing tests say about a fault, in the words of incidents and diagnoses."""

from collections.abc import Sequence

from prunella.diagnose.spectrum import Suspect
from prunella.model.clock import now
from prunella.model.ids import DiagnosisId, new_id
from prunella.model.incidents import Diagnosis, Evidence, Hypothesis, Incident, Location
from prunella.model.repair import Publication
from prunella.model.trials import ObservedTest
from prunella.pipeline.results import HealingOutcome, Proposal


def located(found: Sequence[Suspect]) -> Location | None:
    """Return the most suspicious line; ``None`` where no line is."""
    if not found:
        return None
    function = found[0].function
    line = max(found[0].lines, key=lambda item: found[0].lines[item])
    return Location(
        file=function.path,
        module=function.module,
        qualname=function.qualname,
        first_line=function.first_line,
        line=line,
    )


def diagnosed(
    incident: Incident, found: Sequence[Suspect], failing: Sequence[ObservedTest]
) -> Diagnosis:
    """Return the suspects as a diagnosis, or an abstention where no line is suspicious."""
    tests = f"{len(failing)} failing tests" if len(failing) > 1 else failing[0].test_id
    hypotheses = tuple(
        Hypothesis(
            cause=f"a fault in {item.function.qualname}",
            remedy=f"edit {item.function.qualname}",
            prior=round(item.suspicion, 2),
            evidence=(
                Evidence(
                    statement=f"{tests} and {len(item.passing)} passing ones run it",
                    reference=f"{item.function.path}:{min(item.lines)}",
                ),
            ),
        )
        for item in found[:3]
    )
    missing = None if found else "no line of the project outside of tests runs in the failing tests"
    return Diagnosis(
        diagnosis_id=DiagnosisId(new_id("dia")),
        incident_id=incident.incident_id,
        error_type=incident.error_type.partition(":")[2],
        error_code=incident.error_code,
        root_cause=hypotheses[0].cause if hypotheses else f"unknown: {missing}",
        hypotheses=hypotheses,
        confidence=hypotheses[0].prior if hypotheses else 0.0,
        abstention=missing,
        made_by="rules",
        made_at=now(),
    )


def explained(
    proposals: Sequence[Proposal],
    publication: Publication | None,
    tried: int,
    *,
    withdrawn: str = "",
) -> tuple[HealingOutcome, str]:
    """Return the outcome, and what was healed or why nothing was; `proposals` are best first.

    `withdrawn` is why the best wasn't published though it was proven.
    """
    if not proposals:
        return HealingOutcome.ABSTAINED, (
            f"{tried} variants were tried, and with none of them the failing tests pass"
        )
    best = proposals[0]
    words = f"{best.candidate.description}. {best.verdict.summary}"
    if not best.accepted:
        return HealingOutcome.UNPROVEN, f"No patch could be proven. Nearest: {words}"
    if withdrawn:
        return HealingOutcome.WITHDRAWN, f"{words} It was not published: {withdrawn}."
    if publication is None:
        return HealingOutcome.PROVEN, words
    return HealingOutcome.PUBLISHED, f"{words} It stands on {publication.branch}."
