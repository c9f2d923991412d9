"""Handing an accepted patch to people: on the code host's present base, and once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from prunella.learn import case_of
from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.incidents import Diagnosis
from prunella.model.links import links_of
from prunella.model.repair import (
    Accepted,
    Baseline,
    Candidate,
    Publication,
    PublicationState,
    Verdict,
)
from prunella.pipeline.gather import Recorded
from prunella.pipeline.parts import Parts
from prunella.pipeline.present_base import Carried, Withdrawn, carry_over
from prunella.pipeline.publications import announced, earlier
from prunella.publish import compose
from prunella.validate import judge, proven_regression_test, reproduce


@dataclass(frozen=True, slots=True, kw_only=True)
class Based:
    """A candidate on the base that its pull request goes to, with what was shown of it there."""

    candidate: Candidate
    verdict: Accepted
    baseline: Baseline
    #: That commit; ``None`` for a plain folder.
    base: str | None
    #: What people have to know of it; may be empty.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What publishing works with; `tree` is the checked-out base, which it may bring up to date."""

    parts: Parts
    facts: Recorded
    dossier: Dossier
    tree: Path

    def publish(
        self,
        diagnosis: Diagnosis,
        candidate: Candidate,
        verdict: Accepted,
        alternatives: Sequence[tuple[Candidate, Verdict]],
    ) -> Publication | Withdrawn:
        """Publish `candidate`, or bring what stands for its incident up to date.

        Raises `CodeHostError` or `RepositoryError`; asking again goes on where that happened.
        """
        store, host, incident = self.parts.store, self.parts.host, self.dossier.incident
        before = earlier(store, host, incident, candidate)
        if before.final is not None:
            return before.final
        based = self._on_present_base(candidate, verdict)
        if isinstance(based, Withdrawn):
            if before.open is not None:
                self._take_back(before.open, based)
            return based
        self.parts.progress("proving a regression test")
        request = compose(
            incident=incident,
            diagnosis=diagnosis,
            candidate=based.candidate,
            verdict=based.verdict,
            alternatives=alternatives,
            regression_test=self._regression_test(based),
            at=now(),
            base=based.base,
            note=based.note,
            page=links_of(self.parts.settings).incident(incident.incident_id),
        )
        self.parts.progress(f"publishing {request.branch}")
        request = announced(store, host, request, before.open)
        publication = host.publish(request)
        store.save_publication(publication)
        if before.open is not None and before.open.candidate_id != publication.candidate_id:
            reason = f"{publication.url} has another edit in its place."
            store.save_publication(
                replace(before.open, state=PublicationState.WITHDRAWN, reason=reason)
            )
        store.save_case(case_of(incident, diagnosis, based.candidate, based.verdict))
        return publication

    def _take_back(self, publication: Publication, why: Withdrawn) -> None:
        self.parts.host.withdraw(publication, why.reason)
        self.parts.store.save_publication(
            replace(publication, state=PublicationState.WITHDRAWN, reason=why.reason)
        )

    def _on_present_base(self, candidate: Candidate, verdict: Accepted) -> Based | Withdrawn:
        """Return the candidate on what the code host has now; proven again where that is new."""
        carried = carry_over(self.parts.host, candidate)
        if isinstance(carried, Withdrawn):
            return carried
        if carried.is_changed:
            return self._proven_again(carried)
        return Based(
            candidate=carried.candidate,
            verdict=verdict,
            baseline=self.dossier.baseline,
            base=carried.base,
        )

    def _proven_again(self, carried: Carried) -> Based | Withdrawn:
        candidate, patch, facts = carried.candidate, carried.candidate.patch, self.facts
        where = carried.where
        self.parts.progress(f"{patch.path} has changed {where}: proving the patch again")
        (self.tree / patch.path).write_bytes(patch.before)
        baseline = reproduce(
            self.parts.replayer,
            self.tree,
            facts.process,
            facts.failing,
            facts.passing,
            facts.answers,
            callers=facts.callers,
            called=f"{patch.path}:{patch.qualname}",
        )
        if not baseline.failing:
            return Withdrawn(
                reason=f"no recorded failure happens again with {patch.path} as it is {where}"
            )
        (verdict,) = judge(
            [candidate],
            baseline,
            self.parts.replayer,
            self.parts.test_runner,
            self.tree,
            facts.process,
            answers=facts.answers,
            progress=self.parts.progress,
        )
        if not isinstance(verdict, Accepted):
            return Withdrawn(
                reason=f"it could not be proven with {patch.path} as it is {where}: {verdict.summary}"
            )
        return Based(
            candidate=candidate,
            verdict=verdict,
            baseline=baseline,
            base=carried.base,
            note=carried.note(self.parts.repository.commit),
        )

    def _regression_test(self, based: Based) -> tuple[str, bytes] | None:
        """Return a proven test under a name that neither the local nor the host's base has."""
        taken = frozenset(self.parts.repository.files())
        test = self._proven_test(based, taken)
        if test is None or self.parts.host.read(test[0], based.base) is None:
            return test
        test = self._proven_test(based, taken | {test[0]})
        if test is None or self.parts.host.read(test[0], based.base) is None:
            return test
        return None

    def _proven_test(self, based: Based, taken: frozenset[str]) -> tuple[str, bytes] | None:
        return proven_regression_test(
            based.candidate,
            self.dossier.site,
            based.baseline,
            self.parts.replayer,
            self.parts.test_runner,
            self.tree,
            self.facts.process,
            answers=self.facts.answers,
            taken=taken,
        )
