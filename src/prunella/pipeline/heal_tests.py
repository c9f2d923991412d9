"""From failing tests to a proven patch: the tests are the oracle, no call needs to be recorded."""

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from prunella._version import __version__
from prunella.diagnose.spectrum import Suspect, suspects, suspicious_lines
from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.errors import NothingToHeal
from prunella.model.ids import IncidentId, ProcessId, SiteId, new_id
from prunella.model.incidents import Diagnosis, Incident, IncidentStatus
from prunella.model.records import Process
from prunella.model.repair import Accepted, Publication
from prunella.model.trials import ObservedTest, VariantEnding
from prunella.pipeline.crashing_tests import crashes, dossier_of, sources
from prunella.pipeline.explain_tests import diagnosed, explained, located
from prunella.pipeline.gather import check_out
from prunella.pipeline.heal import MODEL_SAMPLES
from prunella.pipeline.ideas import Idea, ideas
from prunella.pipeline.oracle import Oracle
from prunella.pipeline.parts import TestParts
from prunella.pipeline.present_base import Carried, Withdrawn, carry_over
from prunella.pipeline.results import Healing, Proposal
from prunella.propose import propose_by_model
from prunella.publish import compose

#: Functions that variants are made of, the most suspicious ones.
MAX_SUSPECTS = 6
#: Plausible patches that are proven once more by a fresh run.
MAX_PROVEN = 3


def heal_tests(parts: TestParts, selection: Sequence[str], *, publish: bool) -> Healing:
    """Find the fault that makes the selected tests fail, and a patch with which they pass.

    `selection` are node ids, files or folders as pytest takes them, relative to the root. Tests
    beside the selected ones in their files tell where the fault is and have to keep passing. Raises
    `NothingToHeal` where no selected test fails, and what the ports raise.
    """
    with check_out(parts.repository, parts.progress) as tree:
        attempt = _Attempt(
            parts=parts,
            selection=tuple(selection),
            tree=tree,
            process=this_process(parts, tree, selection),
        )
        attempt.take_tests()
        attempt.observe()
        found = attempt.suspects()
        incident = replace(attempt.incident(), location=located(found))
        diagnosis = diagnosed(incident, found, attempt.failing)
        proposals = attempt.proposals(incident, diagnosis, found)
        published = attempt.publish(incident, diagnosis, proposals) if publish else None
    publication = published if isinstance(published, Publication) else None
    withdrawn = published.reason if isinstance(published, Withdrawn) else ""
    outcome, explanation = explained(proposals, publication, attempt.tried, withdrawn=withdrawn)
    return Healing(
        incident=incident,
        diagnosis=diagnosis,
        proposals=tuple(proposals),
        publication=publication,
        outcome=outcome,
        explanation=explanation,
        note="; ".join(attempt.notes()),
    )


def this_process(parts: TestParts, tree: Path, selection: Sequence[str]) -> Process:
    """Return the process that the tests would run in: this interpreter at the project's root."""
    root = parts.repository.root
    folders = [root, root / "src", *(root / item.partition("::")[0] for item in selection)]
    own = [str(path if path.is_dir() else path.parent) for path in folders]
    return Process(
        process_id=ProcessId("proc_tests"),
        pid=os.getpid(),
        started_at=now(),
        python_version=sys.version.partition(" ")[0],
        executable=parts.settings.python or sys.executable,
        sys_path=tuple(dict.fromkeys([*own[:2], *sys.path])),
        root=str(root),
        cwd=str(root),
        argv=("",),
        hostname="",
        prunella_version=__version__,
    )


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """Tests being healed: what its steps work with."""

    parts: TestParts
    selection: tuple[str, ...]
    tree: Path
    process: Process
    tests: tuple[ObservedTest, ...] = ()
    failing: tuple[ObservedTest, ...] = ()
    #: Variants that were really tried.
    tried: int = 0
    #: Test files that are not the base's.
    taken: list[str] = field(default_factory=list)
    #: What the model didn't answer, or couldn't be used, in sentences.
    complaints: list[str] = field(default_factory=list)

    @property
    def files(self) -> tuple[str, ...]:
        """What pytest collects: the selected tests and their neighbours."""
        return tuple(dict.fromkeys(item.partition("::")[0] for item in self.selection))

    @property
    def passing(self) -> list[ObservedTest]:
        return [test for test in self.tests if test.passed]

    def take_tests(self) -> None:
        """Put test files that differ from the base, or aren't in it, into the checked-out tree."""
        for path in self.files:
            mine = self.parts.repository.root / path
            if not mine.exists():
                raise NothingToHeal(f"there is no test file {path} in {self.parts.repository.root}")
            theirs = self.tree / path
            if mine.is_file() and (
                not theirs.is_file() or mine.read_bytes() != theirs.read_bytes()
            ):
                theirs.parent.mkdir(parents=True, exist_ok=True)
                theirs.write_bytes(mine.read_bytes())
                self.taken.append(path)

    def notes(self) -> list[str]:
        """Return sentences on what was different from what one would expect."""
        taken = [f"taken from your working tree: {', '.join(self.taken)}"] if self.taken else []
        return [*taken, *self.complaints]

    def observe(self) -> None:
        """Run the tests on the base; raises `NothingToHeal` where no selected one fails."""
        self.parts.progress("running the tests on the base, watching what they run")
        seen = self.parts.probe.observe(self.tree, self.process, self.files)
        self.tests = seen.tests
        self.failing = tuple(test for test in seen.tests if test.failed and self._selected(test))
        if not self.failing:
            why = seen.problem or f"{len(seen.tests)} tests ran, and none of the selected failed"
            raise NothingToHeal(f"no selected test fails on the base: {why}")

    def _selected(self, test: ObservedTest) -> bool:
        return any(
            test.test_id == item or test.test_id.startswith((f"{item}::", f"{item}[", f"{item}/"))
            for item in (part.removeprefix("./").rstrip("/") for part in self.selection)
        )

    def suspects(self) -> list[Suspect]:
        suspicion = suspicious_lines(self.failing, self.passing)
        return suspects(suspicion, self.passing, self._read, limit=MAX_SUSPECTS)

    def _read(self, path: str) -> bytes | None:
        file = self.tree / path
        return None if file.is_symlink() or not file.is_file() else file.read_bytes()

    def incident(self) -> Incident:
        """Return the failing tests as an incident; it is in no store."""
        first = self.failing[0]
        error = first.exception
        return Incident(
            incident_id=IncidentId(new_id("inc")),
            fingerprint=hashlib.sha256(first.test_id.encode()).hexdigest()[:16],
            scheme="test",
            site_id=SiteId(first.test_id),
            error_type=error.type if error else "builtins:AssertionError",
            error_code="TEST.EXECUTION.FAILED",
            message=error.message if error else "the test took its process down",
            location=None,
            status=IncidentStatus.OPEN,
            count=len(self.failing),
            first_seen_at=now(),
            last_seen_at=now(),
        )

    # --- proposing and proving

    def proposals(
        self, incident: Incident, diagnosis: Diagnosis, found: Sequence[Suspect]
    ) -> list[Proposal]:
        """Return judged patches with which the failing tests passed, the likeliest first."""
        oracle = self._oracle()
        ranked = ideas(incident, self.process, self.failing, found, self._read)
        plausible = self._tried(oracle, ranked, found)
        made = (item.candidate() for item in plausible)
        candidates = [item for item in made if item is not None]
        proposals = [oracle.proven(item) for item in candidates[:MAX_PROVEN]]
        functions = {item.function.qualname: item.function for item in plausible}
        dossier = self._question(incident, found)
        if self.parts.open_model is not None and dossier is not None:
            function = dossier.function
            proposals += self._by_model(oracle, dossier, diagnosis, proposals)
            functions |= {function.qualname: function} if function else {}
        proposals.sort(key=lambda item: (not item.accepted, -item.candidate.prior))
        return oracle.with_all_tests(oracle.compared(proposals, functions))

    def _oracle(self) -> Oracle:
        return Oracle(
            parts=self.parts,
            tree=self.tree,
            process=self.process,
            files=self.files,
            tests=self.tests,
            failing=self.failing,
        )

    def _tried(
        self, oracle: Oracle, ranked: Sequence[Idea], found: Sequence[Suspect]
    ) -> list[Idea]:
        if not ranked:
            return []
        functions = {(item.function.path, item.function.first_line) for item in ranked}
        self.parts.progress(f"trying {len(ranked)} variants of {len(functions)} functions")
        runs = oracle.attempt([item.variant for item in ranked], found)
        self.tried = sum(run.ending is not VariantEnding.NOT_RUN for run in runs)
        return [
            item
            for item, run in zip(ranked, runs, strict=True)
            if run.ending is VariantEnding.PASSED
        ]

    def _question(self, incident: Incident, found: Sequence[Suspect]) -> Dossier | None:
        """Return what a model is shown: where the tests crashed, else the most suspicious function."""
        crashed = crashes(self.failing, self._read)
        shown = sources(self.failing, self._read)
        if crashed:
            first = crashed[0]
            return dossier_of(first.function, first.ends, incident, self.process, shown)
        if not found:
            return None
        ends = [(test, test.exception) for test in self.failing if test.exception is not None]
        return dossier_of(found[0].function, ends, incident, self.process, shown)

    def _by_model(
        self,
        oracle: Oracle,
        dossier: Dossier,
        diagnosis: Diagnosis,
        earlier: Sequence[Proposal],
    ) -> list[Proposal]:
        """Return the patches of the configured model, judged by the tests."""
        assert self.parts.open_model is not None  # noqa: S101 - the caller has looked
        model = self.parts.open_model(dossier.incident.incident_id)
        known = {item.candidate.patch.after for item in earlier}
        proposals: list[Proposal] = []
        for _round in range(self.parts.settings.model_rounds):
            self.parts.progress(f"asking {model.name} for patches")
            answered = propose_by_model(
                dossier,
                diagnosis,
                model,
                samples=MODEL_SAMPLES,
                feedback=[item.verdict for item in proposals],
                attempts=[item.candidate for item in proposals],
                refused=self._complain,
                unusable=model.unusable,
            )
            fresh = [item for item in answered if item.patch.after not in known]
            known |= {item.patch.after for item in fresh}
            proposals += [oracle.proven(item) for item in fresh]
            if not fresh or any(item.accepted for item in proposals):
                break
        return proposals

    def _complain(self, sentence: str) -> None:
        self.parts.progress(sentence)
        if sentence not in self.complaints:
            self.complaints.append(sentence)

    def publish(
        self, incident: Incident, diagnosis: Diagnosis, proposals: Sequence[Proposal]
    ) -> Publication | Withdrawn | None:
        """Put the best patch on a branch of the code host's present base if it was accepted."""
        if not proposals or not proposals[0].accepted:
            return None
        host = self.parts.host
        carried = carry_over(host, proposals[0].candidate)
        if isinstance(carried, Withdrawn):
            return carried
        best = self._proven_on(carried) if carried.is_changed else proposals[0]
        if not isinstance(verdict := best.verdict, Accepted):
            return Withdrawn(
                reason=f"the tests don't show it with {best.candidate.patch.path} as it is "
                f"{carried.where}: {verdict.summary}"
            )
        others = proposals[1 : self.parts.settings.max_candidates]
        request = compose(
            incident=incident,
            diagnosis=diagnosis,
            candidate=best.candidate,
            verdict=verdict,
            alternatives=[(item.candidate, item.verdict) for item in others if item.accepted],
            regression_test=None,
            tests=[test.test_id for test in self.failing],
            uncommitted=self.taken,
            at=now(),
            base=carried.base,
            note=carried.note(self.parts.repository.commit),
        )
        self.parts.progress(f"publishing {request.branch}")
        return host.publish(request)

    def _proven_on(self, carried: Carried) -> Proposal:
        """Return the candidate judged anew with the file as it is on the code host."""
        patch = carried.candidate.patch
        (self.tree / patch.path).write_bytes(patch.before)
        return self._oracle().proven(carried.candidate)
