"""From recorded calls and candidates to verdicts."""

from pathlib import Path
from typing import Any

from builders import call, candidate, exception, frame, occurrence, process
from in_process import InProcessReplayer, ScriptedTests, report
from prunella.model.ids import CallId, CandidateId, OccurrenceId
from prunella.model.records import Call, Occurrence
from prunella.model.repair import (
    Accepted,
    Baseline,
    Candidate,
    CheckOutcome,
    Inconclusive,
    Patch,
    Rejected,
    ReplayEnding,
    Verdict,
)
from prunella.validate import judge, reproduce

PATH = "shop/prices.py"
BASE = "def average(values):\n    return sum(values) / len(values)\n"
GUARD = "def average(values):\n    if not values:\n        return 0.0\n    return sum(values) / len(values)\n"


def fix(after: str, number: int = 1, before: str = BASE, **changes: Any) -> Candidate:
    patch = Patch(
        path=PATH, qualname="average", before=before.encode(), after=after.encode(), diff=""
    )
    return candidate(candidate_id=CandidateId(f"cand_{number}"), patch=patch, **changes)


def passing(*lists: list[float]) -> list[Call]:
    return [
        call(
            call_id=CallId(f"call_{number}"),
            inputs=["d", "values", ["l", *values]],
            result=sum(values) / len(values),
        )
        for number, values in enumerate(lists)
    ]


FIVE = passing([1, 2], [3], [4.5, 5], [6, 7, 8], [0, 1])


def baseline(
    failing: list[Occurrence] | None = None, good: list[Call] | None = None, base: str = BASE
) -> Baseline:
    return reproduce(
        InProcessReplayer(PATH, base),
        Path("/nowhere"),
        process(),
        [occurrence()] if failing is None else failing,
        FIVE if good is None else good,
    )


def verdicts(
    *candidates: Candidate, tests: Any = None, facts: Baseline | None = None
) -> list[Verdict]:
    facts = baseline() if facts is None else facts
    replayer = InProcessReplayer(PATH, BASE)
    return judge(candidates, facts, replayer, tests, Path("/nowhere"), process())


def outcome_of(verdict: Verdict, name: str) -> CheckOutcome:
    return next(check.outcome for check in verdict.checks if check.name == name)


def detail_of(verdict: Verdict, name: str) -> str:
    return next(check.detail for check in verdict.checks if check.name == name)


# --- reproduce -----------------------------------------------------------------------------------


def test_calls_that_do_as_recorded_are_the_baseline() -> None:
    """What fails in the same way and what returns the same serves; the fresh outcome is kept."""
    facts = baseline()
    assert [item.occurrence_id for item, _ in facts.failing] == ["occ_1"]
    assert facts.failing[0][1].ending is ReplayEnding.RAISED
    assert len(facts.passing) == 5
    assert facts.set_aside == ()


def test_calls_that_do_otherwise_are_set_aside_with_the_reason() -> None:
    """Another exception, another place, another result, missing inputs: each is named."""
    failing = [
        occurrence(
            occurrence_id=OccurrenceId("type"), exception=exception(type="builtins:KeyError")
        ),
        occurrence(
            occurrence_id=OccurrenceId("place"),
            exception=exception(frames=(frame(qualname="other"),)),
        ),
        occurrence(occurrence_id=OccurrenceId("healed"), inputs=["d", "values", ["l", 1]]),
        occurrence(occurrence_id=OccurrenceId("unarmed"), inputs=None),
        occurrence(occurrence_id=OccurrenceId("part"), complete=False),
    ]
    good = [call(call_id=CallId("wrong"), result=5.0), call(call_id=CallId("type2"), result=3)]
    facts = baseline(failing, good)
    assert facts.failing == ()
    assert facts.passing == ()
    reasons = dict(facts.set_aside)
    assert "KeyError" in reasons["type"]
    assert "other" in reasons["place"]
    assert "returns when replayed" in reasons["healed"]
    assert "not recorded" in reasons["unarmed"]
    assert "in full" in reasons["part"]
    assert "5.0 != 3.0" in reasons["wrong"]
    assert "3" in reasons["type2"]


def test_a_flaky_call_is_set_aside() -> None:
    """A call whose two replays on one source differ proves nothing."""

    class Flaky(InProcessReplayer):
        def replay(self, *arguments: Any) -> Any:
            rows = super().replay(*arguments)
            from dataclasses import replace

            changed = replace(rows[1][1], inputs_after=["d", "values", ["l", 99]])
            return [rows[0], [rows[1][0], changed, *rows[1][2:]]]

    facts = reproduce(Flaky(PATH, BASE), Path("/"), process(), [occurrence()], FIVE)
    assert len(facts.passing) == 4
    assert "two replays of the same code differ" in facts.set_aside[0][1]


# --- judge ---------------------------------------------------------------------------------------


def test_a_guard_that_keeps_what_worked_is_accepted() -> None:
    """Healed, equal, within the invariants: accepted, with the limits of what was shown."""
    (verdict,) = verdicts(fix(GUARD))
    assert isinstance(verdict, Accepted)
    assert verdict.replays.failing_healed == 1
    assert verdict.replays.passing_equal == 5
    assert 0 < verdict.score < 1
    assert "No test says" in verdict.summary


def test_verdicts_come_in_the_order_of_candidates() -> None:
    """Each candidate gets its own verdict in its place."""
    found = verdicts(fix("def average(:\n", 1), fix(GUARD, 2), fix(BASE, 3))
    assert [item.candidate_id for item in found] == ["cand_1", "cand_2", "cand_3"]
    assert [type(item) for item in found] == [Rejected, Accepted, Rejected]


def test_each_wrong_patch_fails_at_its_check() -> None:
    """The check that refuses a patch is the one that its fault belongs to."""
    wrong = {
        "compiles": "def average(values)\n    return 1\n",
        "signature": "def average(values, default=0):\n    return 1\n",
        "policy": "import os\n\n\ndef average(values):\n    os.system('x')\n    return 0.0\n",
        "failing_calls": "def average(values):\n    return sum(values) / (len(values) + 0)\n",
        "passing_calls": "def average(values):\n    return sum(values) / max(len(values), 2)\n",
        "invariants": "def average(values):\n    if not values:\n        return 'none'\n"
        "    return sum(values) / len(values)\n",
    }
    for name, source in wrong.items():
        (verdict,) = verdicts(fix(source))
        assert isinstance(verdict, Rejected)
        assert outcome_of(verdict, name) is CheckOutcome.FAILED
        assert verdict.score == 0.0


def test_a_patch_that_changes_its_argument_differs() -> None:
    """Equal results are not enough: arguments have to be left as the base leaves them."""
    (verdict,) = verdicts(
        fix(
            "def average(values):\n    values.sort(reverse=True)\n    return sum(values) / max(len(values), 1)\n"
        )
    )
    assert isinstance(verdict, Rejected)
    assert "arguments after the call" in detail_of(verdict, "passing_calls")


def test_nothing_reproduced_is_never_accepted() -> None:
    """Without a failing call that fails again, nothing shows that a patch heals."""
    (verdict,) = verdicts(fix(GUARD), facts=baseline([]))
    assert isinstance(verdict, Inconclusive)
    assert outcome_of(verdict, "failing_calls") is CheckOutcome.NOT_SHOWN


def test_a_removed_crash_alone_is_inconclusive() -> None:
    """The crash is gone and nothing else was shown: not offered, and said so."""
    (verdict,) = verdicts(fix(GUARD), facts=baseline(good=[]))
    assert isinstance(verdict, Inconclusive)
    assert "nothing else was shown" in verdict.summary


def test_no_prior_stands_in_for_evidence() -> None:
    """However often a rule is right, its patch isn't offered where only the crash is gone."""
    (verdict,) = verdicts(fix(GUARD, prior=0.99), facts=baseline(good=[]))
    assert isinstance(verdict, Inconclusive)
    assert "nothing else was shown" in verdict.summary


def test_tests_stand_in_for_passing_calls() -> None:
    """Passing tests that name the function are evidence enough."""
    tests = ScriptedTests(report({"test_average": "passed"}), report({"test_average": "passed"}))
    (verdict,) = verdicts(fix(GUARD, prior=0.7), tests=tests, facts=baseline(good=[]))
    assert isinstance(verdict, Accepted)
    assert "tests that passed before still pass" in verdict.summary


def test_weak_evidence_is_no_offer() -> None:
    """What nothing speaks against and little speaks for is inconclusive, and says so."""
    (verdict,) = verdicts(fix(GUARD, prior=0.05))
    assert isinstance(verdict, Inconclusive)
    assert "wanted" in verdict.summary


def test_a_broken_test_rejects() -> None:
    """A test that passed before and fails, or is gone, speaks against the patch."""
    before = report({"test_average": "passed", "test_b": "passed", "test_old": "failed"})
    for after in ({"test_average": "failed", "test_b": "passed"}, {"test_average": "passed"}):
        (verdict,) = verdicts(fix(GUARD), tests=ScriptedTests(before, report(after)))
        assert isinstance(verdict, Rejected)
        assert outcome_of(verdict, "tests") is CheckOutcome.FAILED


def test_a_test_that_failed_before_does_not_count() -> None:
    """What was broken already is not the patch's fault."""
    results = {"test_average": "passed", "test_old": "failed"}
    (verdict,) = verdicts(fix(GUARD), tests=ScriptedTests(report(results), report(results)))
    assert isinstance(verdict, Accepted)


def test_tests_that_do_not_mention_the_function_show_nothing() -> None:
    """A green run of unrelated tests is no evidence."""
    tests = ScriptedTests(report({"test_x": "passed"}), report({"test_x": "passed"}))
    (verdict,) = verdicts(fix(GUARD), tests=tests)
    assert outcome_of(verdict, "tests") is CheckOutcome.NOT_SHOWN


def test_only_the_best_few_meet_the_tests() -> None:
    """However many candidates live, the tests run once before and on the best three."""
    tests = ScriptedTests(report({"test_average": "passed"}), report({"test_average": "passed"}))
    candidates = [
        fix(GUARD.replace("0.0", f"0.0 * {n}"), n, prior=0.1 + n / 100) for n in range(1, 8)
    ]
    found = verdicts(*candidates, tests=tests)
    assert tests.runs == 4
    assert [outcome_of(item, "tests") for item in found].count(CheckOutcome.PASSED) == 3
    assert found[0].score < found[6].score


def test_without_a_healed_call_no_test_is_run() -> None:
    """Tests are dear; a candidate that heals nothing doesn't get them."""
    tests = ScriptedTests(report({"test_average": "passed"}))
    verdicts(fix("def average(values):\n    return values[0]\n"), tests=tests)
    assert tests.runs == 0


def test_agreement_and_prior_raise_the_score() -> None:
    """Of two accepted patches, the one with the better prior, or with company, ranks higher."""
    low, high = verdicts(fix(GUARD, 1, prior=0.2), fix(GUARD + "\n", 2, prior=0.6))
    assert low.score < high.score
    alone, _other = verdicts(fix(GUARD, 1), fix(GUARD.replace("0.0", "1.0"), 2))
    together, _same = verdicts(
        fix(GUARD, 1, origin="rule:zero.empty"),
        fix(GUARD.replace("not values", "len(values) == 0"), 2, origin="model:openai:o3"),
    )
    assert alone.score < together.score


def test_catching_the_exception_ranks_below_a_guard() -> None:
    """Between patches with equal effects, the one that catches is the lesser."""
    catching = (
        "def average(values):\n    try:\n        return sum(values) / len(values)\n"
        "    except ZeroDivisionError:\n        return 0.0\n"
    )
    guard, caught = verdicts(fix(GUARD, 1), fix(catching, 2))
    assert isinstance(guard, Accepted)
    assert not isinstance(caught, Rejected)
    assert caught.score < guard.score


def test_a_made_up_answer_is_rejected() -> None:
    """No patch may answer with a value that nobody named, however free of the crash it is."""
    made_up = "    if not values:\n        return 42.0\n"
    for after in (
        GUARD.replace("0.0", "42.0"),
        "def average(values):\n    try:\n        return sum(values) / len(values)\n"
        "    except ZeroDivisionError:\n        return 9.0\n",
    ):
        (verdict,) = verdicts(fix(after))
        assert isinstance(verdict, Rejected)
        assert outcome_of(verdict, "foundations") is CheckOutcome.FAILED
    named = BASE.replace("values):\n", 'values):\n    """Return the mean, 42.0 for none."""\n')
    (verdict,) = verdicts(
        fix(named.replace("    return sum", f"{made_up}    return sum"), before=named)
    )
    assert not isinstance(verdict, Rejected)


def test_what_others_stand_for_is_not_made_up() -> None:
    """Shared recorded answers, a mended test, and candidates that answer the same stand for it."""
    shared = baseline(good=passing([1, 2], [3], [4.5, 5], [42.0], [41, 43]))
    patch = fix(GUARD.replace("0.0", "42.0"))
    tests = ScriptedTests(report({"test_average": "failed"}), report({"test_average": "passed"}))
    catching = (
        "def average(values):\n    try:\n        return sum(values) / len(values)\n"
        "    except ZeroDivisionError:\n        return 0.0\n"
    )
    for found in (
        verdicts(patch, facts=shared),
        verdicts(patch, tests=tests),
        verdicts(fix(catching, 2), fix(GUARD, 1)),
    ):
        assert not isinstance(found[0], Rejected)
        assert outcome_of(found[0], "foundations") is CheckOutcome.NOT_SHOWN


def test_reasons_for_setting_aside_are_counted() -> None:
    """A verdict tells how many calls could not serve, and why."""
    facts = baseline(good=[*FIVE, call(call_id=CallId("x"), result=9.0)])
    (verdict,) = verdicts(fix(GUARD), facts=facts)
    assert list(verdict.replays.set_aside.values()) == [1]
