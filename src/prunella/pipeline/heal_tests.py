"""From failing tests to a proven patch: the tests are the oracle, no call needs to be recorded."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from prunella._version import __version__
from prunella.diagnose.spectrum import Suspect, is_test_module, suspects, suspicious_lines
from prunella.model.clock import now
from prunella.model.errors import NothingToHeal, PatchRefused
from prunella.model.ids import IncidentId, ProcessId, SiteId, new_id
from prunella.model.incidents import (
    Diagnosis,
    Incident,
    IncidentStatus,
)
from prunella.model.records import Process
from prunella.model.repair import Accepted, Candidate, Check, Publication, SourceFunction
from prunella.model.settings import Settings
from prunella.model.tree import Tree
from prunella.model.trials import ObservedTest, Variant, VariantEnding
from prunella.pipeline.explain_tests import diagnosed, explained, located
from prunella.pipeline.gather import check_out
from prunella.pipeline.results import Healing, Proposal
from prunella.ports import CodeHost, Progress, Replayer, Repository, TestProbe
from prunella.propose.candidates import candidate_for
from prunella.propose.variants import ProposedVariant, propose_variants
from prunella.publish import compose
from prunella.validate.by_tests import (
    agreement,
    check_tests_run,
    check_whole_suite,
    verdict_by_tests,
)
from prunella.validate.rivals import first_difference, rival_requests, rivals, shown

#: Functions that variants are made of, the most suspicious ones.
MAX_SUSPECTS = 6
MAX_VARIANTS = 4_000
#: Time for trying variants; what ranks behind has little chance.
TRIAL_BUDGET_S = 40.0
#: So many plausible variants are enough to choose from.
ENOUGH = 8
#: Plausible patches that are proven once more by a fresh run.
MAX_PROVEN = 3
#: Checks of a verdict that runs of tests decide.
_SHOWN_BY_TESTS = frozenset({"failing_tests", "passing_tests", "agreement", "tests"})
#: A variant's test may take this much longer than the slowest good one took on the base.
_SLOWER = 10.0
_LEAST_TEST_S = 0.25
#: Good tests that take longer in all run behind the failing ones, whatever their order is.
_SHORT_US = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TestParts:
    """What healing by tests works with; there is no store, because nothing was recorded."""

    __test__ = False  # not a pytest class

    settings: Settings
    repository: Repository
    probe: TestProbe
    #: Tells plausible patches apart on inputs near those of the tests.
    replayer: Replayer
    #: All of the project's tests have to keep passing with the best patch.
    all_tests: bool
    host: CodeHost
    progress: Progress


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
        taken = attempt.take_tests()
        attempt.observe()
        incident, found = attempt.incident(), attempt.suspects()
        incident = replace(incident, location=located(found))
        proposals = attempt.proposals(incident, found)
        diagnosis = diagnosed(incident, found, attempt.failing)
        publication = attempt.publish(incident, diagnosis, proposals) if publish else None
    outcome, explanation = explained(proposals, publication, attempt.tried)
    return Healing(
        incident=incident,
        diagnosis=diagnosis,
        proposals=tuple(proposals),
        publication=publication,
        outcome=outcome,
        explanation=explanation,
        note=f"taken from your working tree: {', '.join(taken)}" if taken else "",
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

    @property
    def files(self) -> tuple[str, ...]:
        """What pytest collects: the selected tests and their neighbours."""
        return tuple(dict.fromkeys(item.partition("::")[0] for item in self.selection))

    @property
    def passing(self) -> list[ObservedTest]:
        return [test for test in self.tests if test.passed]

    def take_tests(self) -> list[str]:
        """Put test files that differ from the base, or aren't in it, into the checked-out tree."""
        taken = []
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
                taken.append(path)
        return taken

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
            fingerprint=first.test_id,
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

    def proposals(self, incident: Incident, found: Sequence[Suspect]) -> list[Proposal]:
        """Return judged patches with which the failing tests passed, the likeliest first."""
        ranked = propose_variants(
            [(item.function, item.lines) for item in found], limit=MAX_VARIANTS
        )
        plausible = self._tried(ranked, found)
        made = (_candidate(incident, item) for item in plausible)
        candidates = [item for item in made if item is not None]
        proposals = _ranked([self._proven(item) for item in candidates[:MAX_PROVEN]])
        functions = {item.variant.qualname: item.function for item in plausible}
        return self._with_all_tests(self._compared(proposals, functions))

    def _tried(
        self, ranked: Sequence[ProposedVariant], found: Sequence[Suspect]
    ) -> list[ProposedVariant]:
        if not ranked:
            return []
        self.parts.progress(f"trying {len(ranked)} variants of {len(found)} functions")
        runs = self.parts.probe.attempt(
            self.tree,
            self.process,
            self.files,
            [item.variant for item in ranked],
            tests=self._order(found),
            test_s=self._test_s(),
            budget_s=TRIAL_BUDGET_S,
            enough=ENOUGH,
        )
        self.tried = sum(run.ending is not VariantEnding.NOT_RUN for run in runs)
        return [
            item
            for item, run in zip(ranked, runs, strict=True)
            if run.ending is VariantEnding.PASSED
        ]

    def _order(self, found: Sequence[Suspect]) -> list[str]:
        """Return the tests that decide: the failing ones, and good ones that run a suspect."""
        wanted = {name for item in found for name in item.passing}
        wanted |= {test.test_id for test in self.failing}
        chosen = [test for test in self.tests if test.test_id in wanted]
        if sum(test.duration_us for test in chosen if test.passed) > _SHORT_US:
            chosen.sort(key=lambda test: not test.failed)
        return [test.test_id for test in chosen]

    def _test_s(self) -> float:
        slowest = max((test.duration_us for test in self.passing), default=0) / 1e6
        return max(_LEAST_TEST_S, _SLOWER * slowest)

    def _proven(self, candidate: Candidate) -> Proposal:
        self.parts.progress(f"proving afresh: {candidate.description}")
        with _patched(self.tree, candidate):
            after = self._run(self.files)
        names = [test.test_id for test in self.failing]
        checks = check_tests_run(self.tests, after, names)
        return Proposal(candidate=candidate, verdict=verdict_by_tests(candidate, checks))

    def _compared(
        self, proposals: list[Proposal], functions: Mapping[str, SourceFunction]
    ) -> list[Proposal]:
        """Say of accepted patches whether they differ on other inputs; their order stays."""
        accepted = [item for item in proposals if item.accepted]
        if len(accepted) < 2:
            return proposals
        self.parts.progress(f"comparing {len(accepted)} plausible patches on other inputs")
        function = functions[accepted[0].candidate.patch.qualname]
        requests = rival_requests(
            self._inputs_of(function), f"{function.module}:{function.qualname}", now()
        )
        overlays = [{item.candidate.patch.path: item.candidate.patch.after} for item in accepted]
        rows = self.parts.replayer.replay(self.tree, self.process, requests, overlays)
        ranked = []
        for number, proposal in enumerate(accepted):
            others = rivals(rows, number)
            place = first_difference(rows[number], rows[others[0]]) if others else None
            words = shown(requests[place]) if place is not None else "other inputs"
            checks = [*_shown_by_tests(proposal), agreement(len(others), words)]
            verdict = verdict_by_tests(proposal.candidate, checks)
            ranked.append(replace(proposal, verdict=verdict))
        return [*ranked, *(item for item in proposals if not item.accepted)]

    def _inputs_of(self, function: SourceFunction) -> Sequence[Tree]:
        variant = Variant(
            path=function.path,
            qualname=function.qualname,
            first_line=function.first_line,
            text="",
        )
        return self.parts.probe.inputs(self.tree, self.process, self.files, variant).inputs

    def _with_all_tests(self, ranked: list[Proposal]) -> list[Proposal]:
        """Let the best meet all tests of the project; one that breaks some goes to the end."""
        if not self.parts.all_tests or not ranked or not ranked[0].accepted:
            return ranked
        if set(map(str, self._test_files())) <= set(self.files):
            return ranked
        self.parts.progress("running all of the project's tests")
        before = self._run(())
        for number, proposal in enumerate(ranked):
            if not proposal.accepted:
                break
            with _patched(self.tree, proposal.candidate):
                after = self._run(())
            check = check_whole_suite(before, after)
            verdict = verdict_by_tests(proposal.candidate, [*_shown_by_tests(proposal), check])
            ranked[number] = replace(proposal, verdict=verdict)
            if ranked[number].accepted:
                break
        return _ranked(ranked)

    def _run(self, selection: Sequence[str]) -> Sequence[ObservedTest]:
        return self.parts.probe.observe(self.tree, self.process, selection, watched=False).tests

    def _test_files(self) -> list[str]:
        names = [path for path in self.parts.repository.files() if path.endswith(".py")]
        return [path for path in names if is_test_module(path)]

    def publish(
        self, incident: Incident, diagnosis: Diagnosis, proposals: Sequence[Proposal]
    ) -> Publication | None:
        """Put the best patch on a branch if it was accepted."""
        if not proposals or not isinstance(verdict := proposals[0].verdict, Accepted):
            return None
        others = proposals[1 : self.parts.settings.max_candidates]
        request = compose(
            incident=incident,
            diagnosis=diagnosis,
            candidate=proposals[0].candidate,
            verdict=verdict,
            alternatives=[(item.candidate, item.verdict) for item in others if item.accepted],
            regression_test=None,
            at=now(),
        )
        self.parts.progress(f"publishing {request.branch}")
        return self.parts.host.publish(request)


def _shown_by_tests(proposal: Proposal) -> list[Check]:
    return [item for item in proposal.verdict.checks if item.name in _SHOWN_BY_TESTS]


def _ranked(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Accepted ones first, then by score; else they stay in their order."""
    return sorted(proposals, key=lambda item: (not item.accepted, -item.verdict.score))


@contextmanager
def _patched(tree: Path, candidate: Candidate) -> Iterator[None]:
    """Let the checked-out tree have the patch while the block runs."""
    file = tree / candidate.patch.path
    before = file.read_bytes()
    file.write_bytes(candidate.patch.after)
    try:
        yield
    finally:
        file.write_bytes(before)


def _candidate(incident: Incident, item: ProposedVariant) -> Candidate | None:
    proposal = item.proposal
    try:
        return candidate_for(
            item.function,
            incident.incident_id,
            item.variant.text,
            origin=f"rule:{proposal.rule}",
            description=proposal.description,
            reason=proposal.reason,
            prior=item.chance,
        )
    except PatchRefused:
        return None
