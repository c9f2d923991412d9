"""From candidates that failing tests chose to verdicts: the tests are the oracle."""

from collections.abc import Sequence

from prunella.model.clock import now
from prunella.model.repair import (
    Accepted,
    Candidate,
    Check,
    CheckOutcome,
    Inconclusive,
    Rejected,
    ReplayCounts,
    Verdict,
)
from prunella.model.trials import ObservedTest
from prunella.validate.judge import text_checks

#: The score of a patch that no other plausible one contradicts, and of one that some do.
_ALONE, _AMBIGUOUS = 0.9, 0.65


def check_tests_run(
    before: Sequence[ObservedTest], after: Sequence[ObservedTest], failing: Sequence[str]
) -> list[Check]:
    """Return ``failing_tests`` and ``passing_tests``: what fresh runs before and after show.

    `failing` are the tests that the patch has to mend. Other tests that failed before don't count.
    """
    outcomes = {test.test_id: test.outcome for test in after}
    mended = [name for name in failing if outcomes.get(name) == "passed"]
    passed = [test.test_id for test in before if test.passed]
    kept = [name for name in passed if outcomes.get(name) == "passed"]
    return [
        _counted("failing_tests", mended, failing, "failing tests pass now"),
        _counted("passing_tests", kept, passed, "tests that passed before pass"),
    ]


def _counted(name: str, good: Sequence[str], every: Sequence[str], words: str) -> Check:
    detail = f"{len(good)} of {len(every)} {words}"
    if not every:
        return Check(name=name, outcome=CheckOutcome.NOT_SHOWN, detail="there is none")
    if len(good) == len(every):
        return Check(name=name, outcome=CheckOutcome.PASSED, detail=detail)
    first = next(item for item in every if item not in set(good))
    return Check(name=name, outcome=CheckOutcome.FAILED, detail=f"{detail}; {first} doesn't"[:400])


def agreement(rivals: int, shown: str) -> Check:
    """Return the check ``agreement``: `rivals` other plausible patches do something else.

    `shown` is an input on which they differ, for people; empty where they were not told apart.
    """
    if not rivals:
        detail = "no other plausible patch is known to behave differently"
        return Check(name="agreement", outcome=CheckOutcome.PASSED, detail=detail)
    other = "another plausible patch differs" if rivals == 1 else f"{rivals} others differ"
    detail = f"ambiguous: the tests allow more than one behaviour, {other} on {shown}"
    return Check(name="agreement", outcome=CheckOutcome.NOT_SHOWN, detail=detail[:400])


def check_whole_suite(before: Sequence[ObservedTest], after: Sequence[ObservedTest]) -> Check:
    """Return the check ``tests`` from runs of all of the project's tests before and after.

    A test that is in one of the runs only, because the time was up, doesn't count.
    """
    outcomes = {test.test_id: test.outcome for test in after}
    passed = [test.test_id for test in before if test.passed and test.test_id in outcomes]
    kept = [name for name in passed if outcomes[name] == "passed"]
    return _counted("tests", kept, passed, "of all tests that passed before pass")


def verdict_by_tests(candidate: Candidate, checks: Sequence[Check]) -> Verdict:
    """Return the verdict on a candidate from the checks of its text and those given.

    Accepted where no check failed and the failing tests pass. The summary claims no more than the
    tests show.
    """
    every = (*text_checks(candidate), *checks)
    found = {check.name: check for check in every}
    failed = [check for check in every if check.outcome is CheckOutcome.FAILED]
    ambiguous = _is(found, "agreement", CheckOutcome.NOT_SHOWN)
    parts = [
        found[name].detail
        for name in ("failing_tests", "passing_tests")
        if name in found and found[name].outcome is CheckOutcome.PASSED
    ]
    common = {
        "candidate_id": candidate.candidate_id,
        "checks": every,
        "replays": ReplayCounts(),
        "judged_at": now(),
    }
    if failed:
        summary = f"Rejected by {failed[0].name}: {failed[0].detail}."
        return Rejected(**common, summary=summary)  # type: ignore[arg-type]
    if not _is(found, "failing_tests", CheckOutcome.PASSED):
        summary = "Nothing shows that it heals: no failing test was run with it."
        return Inconclusive(**common, summary=summary)  # type: ignore[arg-type]
    limit = (
        " The tests allow other behaviours too: see `agreement`."
        if ambiguous
        else " Only what the tests check was shown."
    )
    summary = f"{', '.join(parts)}.{limit}"
    score = _AMBIGUOUS if ambiguous else _ALONE
    return Accepted(**common, summary=summary, score=score)  # type: ignore[arg-type]


def _is(found: dict[str, Check], name: str, outcome: CheckOutcome) -> bool:
    return name in found and found[name].outcome is outcome
