"""Tests as the oracle: candidates are tried with them, proven by fresh runs, and compared."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from prunella.diagnose.spectrum import Suspect, is_test_module
from prunella.model.clock import now
from prunella.model.records import Process
from prunella.model.repair import Candidate, Check, SourceFunction
from prunella.model.tree import Tree
from prunella.model.trials import ObservedTest, Variant, VariantRun
from prunella.pipeline.parts import TestParts
from prunella.pipeline.results import Proposal
from prunella.validate.by_tests import (
    agreement,
    check_tests_run,
    check_whole_suite,
    verdict_by_tests,
)
from prunella.validate.rivals import first_difference, rival_requests, rivals, shown

#: Time for trying variants; what ranks behind has little chance.
TRIAL_BUDGET_S = 40.0
#: So many plausible variants are enough to choose from.
ENOUGH = 8
#: Checks of a verdict that runs of tests decide.
_SHOWN_BY_TESTS = frozenset({"failing_tests", "passing_tests", "agreement", "tests"})
#: A variant's test may take this many times what the slowest good one took on the base; where
#: that is long already, twice as long and a second.
_SLOWER = 10.0
_LEAST_TEST_S = 0.25
#: Good tests that take longer in all run behind the failing ones, whatever their order is.
_SHORT_US = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Tests as they ran on the base in `tree`, and what they say of candidates."""

    parts: TestParts
    tree: Path
    process: Process
    #: What pytest collects: the selected tests and their neighbours.
    files: tuple[str, ...]
    #: All tests of `files`.
    tests: tuple[ObservedTest, ...]
    #: Those that have to pass in the end.
    failing: tuple[ObservedTest, ...]

    @property
    def passing(self) -> list[ObservedTest]:
        """Tests that passed on the base."""
        return [test for test in self.tests if test.passed]

    def attempt(
        self, variants: Sequence[Variant], found: Sequence[Suspect]
    ) -> Sequence[VariantRun]:
        """Run the deciding tests with each variant; the likeliest stands first."""
        return self.parts.probe.attempt(
            self.tree,
            self.process,
            self.files,
            variants,
            tests=self._order(found),
            test_s=self._test_s(),
            budget_s=TRIAL_BUDGET_S,
            enough=ENOUGH,
        )

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
        return max(_LEAST_TEST_S, min(_SLOWER * slowest, 2 * slowest + 1.0))

    def proven(self, candidate: Candidate) -> Proposal:
        """Run the tests afresh with a candidate, and judge it by them."""
        self.parts.progress(f"proving afresh: {candidate.description}")
        with _patched(self.tree, candidate):
            after = self._run(self.files)
        names = [test.test_id for test in self.failing]
        checks = check_tests_run(self.tests, after, names)
        return Proposal(candidate=candidate, verdict=verdict_by_tests(candidate, checks))

    def compared(
        self, proposals: list[Proposal], functions: Mapping[str, SourceFunction]
    ) -> list[Proposal]:
        """Say of accepted patches whether they differ on other inputs; their order stays.

        `functions` are those of the base that the patches edit, by qualified name.
        """
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

    def with_all_tests(self, ranked: list[Proposal]) -> list[Proposal]:
        """Let the best meet all tests of the project; one that breaks some goes to the end."""
        if not self.parts.all_tests or not ranked or not ranked[0].accepted:
            return ranked
        if set(self._test_files()) <= set(self.files):
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
