"""One incident from diagnosis to a published patch."""

from collections.abc import Sequence
from pathlib import Path

from prunella.diagnose import diagnose, diagnose_with_model
from prunella.learn import case_of
from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.incidents import Diagnosis, Incident
from prunella.model.repair import Accepted, Candidate, Inconclusive, Publication, Rejected
from prunella.pipeline.gather import Recorded, checked_out, gather, recorded
from prunella.pipeline.parts import Parts
from prunella.pipeline.results import Healing, HealingOutcome, Proposal
from prunella.ports import LanguageModel
from prunella.propose import propose_by_model, propose_by_rules
from prunella.publish import compose
from prunella.validate import judge, proven_regression_test

#: Rounds in which a model may answer the validator's findings.
MODEL_ROUNDS = 2
#: Judged candidates that are shown and kept, best first; the rest are near misses of the same kind.
KEPT_PROPOSALS = 10


def heal(parts: Parts, incident: Incident, *, publish: bool, keep: bool = True) -> Healing:
    """Diagnose `incident`, propose patches, prove them, and publish the best if `publish`.

    With `keep` false nothing is written to the store. Raises what the stages can't answer:
    `SandboxUnavailable`, `RepositoryError`, `StoreError`, `NothingToHeal`.
    """
    facts = recorded(parts, incident)
    with checked_out(parts) as tree:
        dossier = gather(parts, incident, facts, tree)
        diagnosis, proposals = _repair(parts, facts, dossier, tree)
        if keep:
            _save(parts, diagnosis, proposals)
        publication = None
        if publish and proposals and proposals[0].accepted:
            publication = _publish(parts, facts, dossier, diagnosis, proposals, tree)
    return _healing(dossier, diagnosis, proposals, publication)


def _repair(
    parts: Parts, facts: Recorded, dossier: Dossier, tree: Path
) -> tuple[Diagnosis, list[Proposal]]:
    """Return the diagnosis and the judged candidates, the best first."""
    parts.progress("diagnosing")
    diagnosis = diagnose(dossier)
    model = parts.open_model() if parts.open_model else None
    if model is not None:
        parts.progress(f"asking {model.name} for a diagnosis")
        diagnosis = diagnose_with_model(dossier, model, diagnosis)
    if dossier.function is None or not dossier.baseline.failing:
        return diagnosis, []
    candidates = propose_by_rules(dossier)
    proposals = _judged(parts, facts, dossier, tree, candidates)
    if model is not None:
        proposals += _ask_model(parts, facts, dossier, tree, diagnosis, model)
    return diagnosis, sorted(proposals, key=_merit, reverse=True)[:KEPT_PROPOSALS]


def _ask_model(
    parts: Parts,
    facts: Recorded,
    dossier: Dossier,
    tree: Path,
    diagnosis: Diagnosis,
    model: LanguageModel,
) -> list[Proposal]:
    proposals: list[Proposal] = []
    for _round in range(MODEL_ROUNDS):
        parts.progress(f"asking {model.name} for a patch")
        found = propose_by_model(
            dossier, diagnosis, model, feedback=[item.verdict for item in proposals]
        )
        proposals += _judged(parts, facts, dossier, tree, found)
        if not found or any(item.accepted for item in proposals):
            break
    return proposals


def _judged(
    parts: Parts, facts: Recorded, dossier: Dossier, tree: Path, candidates: Sequence[Candidate]
) -> list[Proposal]:
    if not candidates:
        return []
    parts.progress(f"validating {len(candidates)} candidate patches")
    verdicts = judge(
        candidates,
        dossier.baseline,
        parts.replayer,
        parts.test_runner,
        tree,
        facts.process,
        answers=facts.answers,
        progress=parts.progress,
    )
    return [
        Proposal(candidate=candidate, verdict=verdict)
        for candidate, verdict in zip(candidates, verdicts, strict=True)
    ]


def _merit(proposal: Proposal) -> tuple[int, float, float]:
    """Order of proposals: accepted before undecided before rejected, then by evidence."""
    verdict = proposal.verdict
    rank = {Accepted: 2, Inconclusive: 1, Rejected: 0}[type(verdict)]
    return rank, verdict.score, proposal.candidate.prior


def _save(parts: Parts, diagnosis: Diagnosis, proposals: Sequence[Proposal]) -> None:
    parts.store.save_diagnosis(diagnosis)
    parts.store.save_candidates([item.candidate for item in proposals])
    parts.store.save_verdicts([item.verdict for item in proposals])


def _publish(
    parts: Parts,
    facts: Recorded,
    dossier: Dossier,
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    tree: Path,
) -> Publication:
    """Publish the first proposal; one that stands on a branch already isn't published twice."""
    best = proposals[0]
    earlier = _published_before(parts, best.candidate)
    if earlier is not None:
        return earlier
    assert isinstance(best.verdict, Accepted)  # noqa: S101 - the caller checked it
    parts.progress("proving a regression test")
    test = proven_regression_test(
        best.candidate,
        dossier.site,
        dossier.baseline,
        parts.replayer,
        parts.test_runner,
        tree,
        facts.process,
        taken=frozenset(parts.repository.files()),
    )
    request = compose(
        incident=dossier.incident,
        diagnosis=diagnosis,
        candidate=best.candidate,
        verdict=best.verdict,
        alternatives=[(item.candidate, item.verdict) for item in proposals[1:] if item.accepted],
        regression_test=test,
        at=now(),
    )
    parts.progress(f"publishing {request.branch}")
    publication = parts.host.publish(request)
    parts.store.save_publication(publication)
    parts.store.save_case(case_of(dossier.incident, diagnosis, best.candidate, best.verdict))
    return publication


def _published_before(parts: Parts, candidate: Candidate) -> Publication | None:
    """Return the publication of the same edit for this incident, if its branch is still there."""
    known = {item.candidate_id: item for item in parts.store.candidates(candidate.incident_id)}
    for publication in reversed(parts.store.publications(candidate.incident_id)):
        earlier = known.get(publication.candidate_id)
        if earlier is None or earlier.patch.after != candidate.patch.after:
            continue
        if publication.branch is None or parts.repository.has_branch(publication.branch):
            return publication
    return None


def _healing(
    dossier: Dossier,
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    publication: Publication | None,
) -> Healing:
    outcome, explanation = _explain(dossier, diagnosis, proposals, publication)
    return Healing(
        incident=dossier.incident,
        diagnosis=diagnosis,
        proposals=tuple(proposals),
        publication=publication,
        outcome=outcome,
        explanation=explanation,
    )


def _explain(
    dossier: Dossier,
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    publication: Publication | None,
) -> tuple[HealingOutcome, str]:
    best = proposals[0] if proposals else None
    if best is None:
        return HealingOutcome.ABSTAINED, _why_no_candidate(dossier, diagnosis)
    if not best.accepted:
        return (
            HealingOutcome.UNPROVEN,
            f"{len(proposals)} patches were tried and none could be proven; the nearest: "
            f"{best.candidate.description} {best.verdict.summary}",
        )
    if publication is None:
        return HealingOutcome.PROVEN, f"{best.candidate.description} {best.verdict.summary}"
    place = publication.branch or "no branch (no git repository): see the patch file"
    return (
        HealingOutcome.PUBLISHED,
        f"{best.candidate.description} {best.verdict.summary} It stands on {place}.",
    )


def _why_no_candidate(dossier: Dossier, diagnosis: Diagnosis) -> str:
    if dossier.function is None:
        return f"The function that failed can't be edited: {dossier.function_missing}."
    if not dossier.baseline.failing:
        reasons = sorted({reason for _, reason in dossier.baseline.set_aside})
        return (
            "No recorded failure happens again on the committed base, so that no patch could be "
            f"proven: {'; '.join(reasons) or 'no failing call was recorded'}."
        )
    return diagnosis.abstention or "No rule has a repair for this failure."
