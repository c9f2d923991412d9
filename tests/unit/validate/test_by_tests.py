"""Verdicts from runs of tests."""

from prunella.codec.near import near_inputs
from prunella.model.clock import now
from prunella.model.ids import CallId, CandidateId, IncidentId
from prunella.model.repair import (
    Accepted,
    Candidate,
    Inconclusive,
    Patch,
    Rejected,
    ReplayEnding,
    ReplayOutcome,
)
from prunella.model.tree import Tree
from prunella.model.trials import ObservedTest
from prunella.validate.by_tests import (
    agreement,
    check_tests_run,
    check_whole_suite,
    verdict_by_tests,
)
from prunella.validate.rivals import rival_requests, rivals

BEFORE, AFTER = b"def f(a):\n    return a < 1\n", b"def f(a):\n    return a <= 1\n"
CANDIDATE = Candidate(
    candidate_id=CandidateId("cand_1"),
    incident_id=IncidentId("inc_1"),
    origin="rule:variant.comparison.flip",
    description="",
    reason="",
    patch=Patch(path="f.py", qualname="f", before=BEFORE, after=AFTER, diff=""),
    prior=0.5,
)


def runs(**outcomes: str) -> list[ObservedTest]:
    return [
        ObservedTest(test_id=name, outcome=outcome, duration_us=1)
        for name, outcome in outcomes.items()
    ]


def returned(value: Tree) -> ReplayOutcome:
    return ReplayOutcome(request_id=CallId("c"), ending=ReplayEnding.RETURNED, result=value)


def test_a_patch_that_mends_and_breaks_nothing_is_accepted() -> None:
    """The failing tests have to pass and the passing ones to stay so; others don't count."""
    before = runs(a="failed", b="passed", c="failed")
    checks = check_tests_run(before, runs(a="passed", b="passed", c="failed"), ["a"])
    assert isinstance(verdict_by_tests(CANDIDATE, checks), Accepted)


def test_a_broken_test_rejects() -> None:
    """A test that passed before and fails or is gone rejects the patch."""
    before = runs(a="failed", b="passed")
    for after in (runs(a="passed", b="failed"), runs(a="passed")):
        checks = check_tests_run(before, after, ["a"])
        assert isinstance(verdict_by_tests(CANDIDATE, checks), Rejected)


def test_without_a_failing_test_nothing_is_shown() -> None:
    """No failing test: no acceptance, whatever passes."""
    checks = check_tests_run(runs(b="passed"), runs(b="passed"), [])
    assert isinstance(verdict_by_tests(CANDIDATE, checks), Inconclusive)


def test_ambiguity_lowers_the_score_and_is_said() -> None:
    """Where another plausible patch differs, the verdict says so and ranks lower."""
    checks = check_tests_run(runs(a="failed"), runs(a="passed"), ["a"])
    alone = verdict_by_tests(CANDIDATE, [*checks, agreement(0, "")])
    one_of_two = verdict_by_tests(CANDIDATE, [*checks, agreement(1, "a = 1")])
    assert alone.score > one_of_two.score
    assert "other behaviours" in one_of_two.summary


def test_the_whole_suite_counts_where_both_runs_got_to() -> None:
    """A test that only one of the runs reached says nothing."""
    assert check_whole_suite(runs(a="passed", b="passed"), runs(a="passed")).outcome == "passed"
    assert check_whole_suite(runs(a="passed"), runs(a="failed")).outcome == "failed"


def test_rivals_are_patches_that_answer_otherwise() -> None:
    """Patches are told apart by results and endings; calls that died show nothing."""
    died = ReplayOutcome(request_id=CallId("c"), ending=ReplayEnding.DIED)
    rows = [[returned(1), returned(2)], [returned(1), died], [returned(1), returned(3)]]
    assert [rivals(rows, number) for number in range(3)] == [[2], [], [0]]


def test_near_inputs_keep_their_types() -> None:
    """Near inputs differ in one value; texts stay texts and lists lists."""
    inputs = ["d", "a", 1, "b", ["l", 1, 2], "c", "xy", "d", None]
    made = near_inputs(inputs, limit=100)
    assert ["d", "a", 2, "b", ["l", 1, 2], "c", "xy", "d", None] in made
    assert ["d", "a", 1, "b", ["l"], "c", "xy", "d", None] in made
    assert ["d", "a", 1, "b", ["l", 1, 2], "c", "y", "d", None] in made
    assert all(item != inputs for item in made)
    assert near_inputs(None, limit=5) == []
    assert len(rival_requests([inputs, inputs], "m:f", now())) > 5
