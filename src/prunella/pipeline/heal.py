"""One incident from diagnosis to a published patch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from prunella.diagnose import diagnose, diagnose_with_model, diagnosis_request
from prunella.model.dossier import Dossier
from prunella.model.errors import SourceUnavailable
from prunella.model.incidents import Diagnosis, Incident
from prunella.model.repair import Accepted, Candidate, Inconclusive, Publication, Rejected
from prunella.pipeline.explain import explain
from prunella.pipeline.gather import Recorded, checked_out, gather, recorded, with_callers
from prunella.pipeline.handover import Handover
from prunella.pipeline.judgements import evidence_key, recall, remember
from prunella.pipeline.parts import Parts
from prunella.pipeline.present_base import Withdrawn
from prunella.pipeline.results import Healing, Proposal
from prunella.pipeline.second_edit import second_edits
from prunella.ports import KeptModel, ModelRequest
from prunella.propose import proposal_request, propose_by_model, propose_by_rules
from prunella.validate import Trial, judge, reconsider

#: Patches a model is asked for in each round: where two agree, that is evidence.
MODEL_SAMPLES = 2
#: Judged candidates that are shown and kept, best first; the rest are near misses of the same kind.
KEPT_PROPOSALS = 10


def heal(
    parts: Parts, incident: Incident, *, publish: bool, keep: bool = True, afresh: bool = False
) -> Healing:
    """Diagnose `incident`, propose patches, prove them, and publish the best if `publish`.

    With `keep` false it is a dry run: nothing is written to the store, and no model is asked; what
    would be sent to it stands in `Healing.questions`. What a model has answered for the same evidence
    is taken up and not asked again, unless `afresh`. Raises what the stages can't answer:
    `SandboxUnavailable`, `RepositoryError`, `StoreError`, `NothingToHeal`, `ModelError`.
    """
    with _attempt(parts, incident, may_ask=keep) as attempt:
        dossier, model = attempt.dossier, attempt.model
        key = evidence_key(dossier, parts.settings)
        known = recall(parts.store, dossier, key) if model is not None and not afresh else None
        diagnosis = known[0] if known else attempt.diagnosis()
        proposals = known[1] if known else attempt.proposals(diagnosis)
        if keep and not known:
            parts.store.save_diagnosis(diagnosis)
            parts.store.save_candidates([item.candidate for item in proposals])
            parts.store.save_verdicts([item.verdict for item in proposals])
            if model is not None and not attempt.complaints:
                remember(parts.store, dossier, key, diagnosis, proposals)
        published = attempt.publish(diagnosis, proposals) if publish else None
        notes = (_unisolated(parts), _edited_since(parts, dossier), *attempt.complaints)
        note = "; ".join(filter(None, notes))
    publication = published if isinstance(published, Publication) else None
    outcome, explanation = explain(
        dossier,
        diagnosis,
        proposals,
        publication,
        withdrawn=published.reason if isinstance(published, Withdrawn) else "",
    )
    return Healing(
        incident=incident,
        diagnosis=diagnosis,
        proposals=tuple(proposals),
        publication=publication,
        outcome=outcome,
        explanation=explanation,
        note=note,
        questions=() if keep or not parts.open_model else _questions(dossier, diagnosis),
    )


def find_cause(parts: Parts, incident: Incident) -> Diagnosis:
    """Diagnose `incident` and keep that, without proposing anything. Raises as `heal` does."""
    with _attempt(parts, incident, may_ask=True) as attempt:
        diagnosis = attempt.diagnosis()
    parts.store.save_diagnosis(diagnosis)
    return diagnosis


@contextmanager
def _attempt(parts: Parts, incident: Incident, *, may_ask: bool) -> Iterator["_Attempt"]:
    facts = recorded(parts, incident)
    with checked_out(parts) as tree:
        facts = with_callers(parts, incident, facts, tree)
        dossier = gather(parts, incident, facts, tree)
        model = parts.open_model(incident.incident_id) if parts.open_model and may_ask else None
        yield _Attempt(parts=parts, facts=facts, dossier=dossier, tree=tree, model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One incident being healed: what its steps work with."""

    parts: Parts
    facts: Recorded
    dossier: Dossier
    tree: Path
    model: KeptModel | None
    #: What the model didn't answer, or couldn't be used, in sentences.
    complaints: list[str] = field(default_factory=list)

    def diagnosis(self) -> Diagnosis:
        """Return why it fails, by the rules and, where there is one, by the model."""
        self.parts.progress("diagnosing")
        found = diagnose(self.dossier)
        if self.model is None:
            return found
        self.parts.progress(f"asking {self.model.name} for a diagnosis")
        return diagnose_with_model(
            self.dossier,
            self.model,
            found,
            refused=self.complain,
            unusable=self.model.unusable,
        )

    def proposals(self, diagnosis: Diagnosis) -> list[Proposal]:
        """Return the judged candidates of rules and model in one ranking, the best first."""
        if self.dossier.function is None or not self.dossier.baseline.failing:
            return []
        trials: list[Trial] = []
        proposals = self._judged(propose_by_rules(self.dossier), trials)
        if not any(item.accepted for item in proposals):
            proposals += self._judged(second_edits(self.dossier, trials), trials)
        if self.model is not None:
            proposals += self._by_model(diagnosis, self.model, trials)
            verdicts = reconsider(trials)  # rules and model may agree
            proposals = [
                replace(item, verdict=verdict)
                for item, verdict in zip(proposals, verdicts, strict=True)
            ]
        return sorted(proposals, key=_merit, reverse=True)[:KEPT_PROPOSALS]

    def publish(
        self, diagnosis: Diagnosis, proposals: Sequence[Proposal]
    ) -> Publication | Withdrawn | None:
        """Publish the best proposal if it was accepted, but no edit of an incident twice."""
        if not proposals or not isinstance(verdict := proposals[0].verdict, Accepted):
            return None
        candidate, others = proposals[0].candidate, proposals[1:]
        handover = Handover(
            parts=self.parts, facts=self.facts, dossier=self.dossier, tree=self.tree
        )
        return handover.publish(
            diagnosis,
            candidate,
            verdict,
            [
                (item.candidate, item.verdict)
                for item in others[: self.parts.settings.max_candidates - 1]
                if item.accepted
            ],
        )

    def complain(self, sentence: str) -> None:
        self.parts.progress(sentence)
        if sentence not in self.complaints:
            self.complaints.append(sentence)

    def _by_model(
        self, diagnosis: Diagnosis, model: KeptModel, trials: list[Trial]
    ) -> list[Proposal]:
        proposals: list[Proposal] = []
        for _round in range(self.parts.settings.model_rounds):
            self.parts.progress(f"asking {model.name} for patches")
            found = propose_by_model(
                self.dossier,
                diagnosis,
                model,
                samples=MODEL_SAMPLES,
                feedback=[item.verdict for item in proposals],
                attempts=[item.candidate for item in proposals],
                refused=self.complain,
                unusable=model.unusable,
            )
            proposals += self._judged(found, trials)
            if not found or any(item.accepted for item in proposals):
                break
        return proposals

    def _judged(self, candidates: Sequence[Candidate], trials: list[Trial]) -> list[Proposal]:
        if not candidates:
            return []
        self.parts.progress(f"validating {len(candidates)} candidate patches")
        verdicts = judge(
            candidates,
            self.dossier.baseline,
            self.parts.replayer,
            self.parts.test_runner,
            self.tree,
            self.facts.process,
            answers=self.facts.answers,
            progress=self.parts.progress,
            earlier=trials,
        )
        return [
            Proposal(candidate=candidate, verdict=verdict)
            for candidate, verdict in zip(candidates, verdicts, strict=True)
        ]


def _unisolated(parts: Parts) -> str:
    """Return what to say where nothing keeps the replayed code apart."""
    if parts.replayer.level != "none":
        return ""
    return "replays and tests ran without isolation (sandbox = none), as the user who heals"


def _edited_since(parts: Parts, dossier: Dossier) -> str:
    """Return what to say where the user has edits in the file that isn't in the base."""
    function, commit = dossier.function, parts.repository.commit
    if function is None or commit is None or not parts.repository.is_edited(function.path):
        return ""
    return (
        f"{function.path} differs from the commit {commit[:12]}: patches are made on the commit, "
        "and your uncommitted edits are neither in them nor touched"
    )


def _merit(proposal: Proposal) -> tuple[int, float, float]:
    """Order of proposals: accepted before undecided before rejected, then by evidence."""
    verdict = proposal.verdict
    rank = {Accepted: 2, Inconclusive: 1, Rejected: 0}[type(verdict)]
    return rank, verdict.score, proposal.candidate.prior


def _questions(dossier: Dossier, diagnosis: Diagnosis) -> tuple[ModelRequest, ...]:
    """Return what a model would be sent, first for the diagnosis and then for a patch."""
    request, _facts = diagnosis_request(dossier, diagnosis)
    try:
        return (request, proposal_request(dossier, diagnosis))
    except SourceUnavailable:
        return (request,)
