"""How an attempt to heal ended, in words that claim no more than was shown."""

from collections.abc import Sequence

from prunella.model.dossier import Dossier
from prunella.model.incidents import Diagnosis
from prunella.model.repair import Publication, PublicationState
from prunella.pipeline.results import HealingOutcome, Proposal

_BECAME = {
    PublicationState.MERGED: "People have merged it already; it waits to be deployed.",
    PublicationState.CLOSED: "People have closed its pull request, so that it isn't opened again.",
}


def explain(
    dossier: Dossier,
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    publication: Publication | None,
    *,
    withdrawn: str = "",
) -> tuple[HealingOutcome, str]:
    """Return the outcome, and what was healed or why nothing was; `proposals` are best first.

    `withdrawn` is why the best wasn't published though it was proven.
    """
    if not proposals:
        return HealingOutcome.ABSTAINED, _why_no_proposal(dossier, diagnosis)
    best = proposals[0]
    words = f"{_sentence(best.candidate.description)} {_sentence(best.verdict.summary)}"
    if not best.accepted:
        tried = "One patch was" if len(proposals) == 1 else f"{len(proposals)} patches were"
        return HealingOutcome.UNPROVEN, f"{tried} tried, none could be proven. Nearest: {words}"
    if withdrawn:
        return HealingOutcome.WITHDRAWN, f"{words} It was not published: {_sentence(withdrawn)}"
    if publication is None:
        return HealingOutcome.PROVEN, words
    if publication.branch is None:
        return HealingOutcome.PUBLISHED, f"{words} There is no git repository: see the patch file."
    became = _BECAME.get(publication.state, f"It stands on {publication.branch}.")
    return HealingOutcome.PUBLISHED, f"{words} {became}"


def _why_no_proposal(dossier: Dossier, diagnosis: Diagnosis) -> str:
    if dossier.function is None:
        return f"The function that failed can't be edited: {_sentence(dossier.function_missing)}"
    if not dossier.baseline.failing:
        failing = {item.occurrence_id for item in dossier.failing}
        reasons = {why for item, why in dossier.baseline.set_aside if item in failing}
        return (
            "No recorded failure happens again on the committed base, so that no patch could be "
            f"proven: {_sentence('; '.join(sorted(reasons)) or 'its inputs were not recorded')}"
        )
    return diagnosis.abstention or "No built-in rule has a repair for this failure."


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."
