"""What calls of the functions that call a patched one show about the patch."""

from pathlib import Path

from builders import call, candidate, exception, frame, occurrence, process
from in_process import InProcessReplayer
from prunella.model.ids import CallId, OccurrenceId
from prunella.model.records import Call, Occurrence
from prunella.model.repair import Accepted, Baseline, CheckOutcome, Patch, Rejected, Verdict
from prunella.validate import judge, reproduce

PATH = "shop/prices.py"
BASE = """\
def average(values):
    return sum(values) / len(values)

def summary(values):
    return f"{average(values):.2f}"

def patient(values):
    try:
        return summary(values)
    except ZeroDivisionError:
        return "?"

def other(values):
    return len(values)
"""
GUARD = BASE.replace("    return sum", "    if not values:\n        return 0.0\n    return sum", 1)
NONE = GUARD.replace("return 0.0", "return None")
ROUNDED = GUARD.replace("return sum(values) / len(values)", "return sum(values) // len(values)")
PASSING = [
    call(call_id=CallId(f"call_{n}"), inputs=["d", "values", ["l", n, n]], result=float(n))
    for n in range(5)
]


def calling(name: str, result: str | int, *values: float) -> Call:
    return call(
        call_id=CallId(f"call_{name}_{len(values)}"),
        site_id=f"shop.prices:{name}",
        inputs=["d", "values", ["l", *values]],
        result=result,
    )


def ended(name: str = "summary") -> Occurrence:
    return occurrence(
        occurrence_id=OccurrenceId("occ_caller"),
        site_id=f"shop.prices:{name}",
        exception=exception(frames=(frame(qualname=name),)),
        caused_by=OccurrenceId("occ_1"),
    )


def facts(*callers: Call | Occurrence) -> Baseline:
    return reproduce(
        InProcessReplayer(PATH, BASE),
        Path("/nowhere"),
        process(),
        [occurrence()],
        PASSING,
        callers=callers,
        called=f"{PATH}:average",
    )


def verdict(after: str, *callers: Call | Occurrence) -> Verdict:
    patch = Patch(
        path=PATH, qualname="average", before=BASE.encode(), after=after.encode(), diff=""
    )
    (found,) = judge(
        [candidate(patch=patch)],
        facts(*callers),
        InProcessReplayer(PATH, BASE),
        None,
        Path("/nowhere"),
        process(),
    )
    return found


def check(found: Verdict) -> tuple[CheckOutcome, str]:
    return next((c.outcome, c.detail) for c in found.checks if c.name == "callers")


def test_callers_that_give_the_equal_result_speak_for_the_patch() -> None:
    """Calls of callers count in a check of their own, those that the failure ended among them."""
    found = verdict(GUARD, calling("summary", "1.50", 1, 2), ended())
    assert isinstance(found, Accepted)
    outcome, detail = check(found)
    assert outcome is CheckOutcome.PASSED
    assert "1 calls of its callers (shop.prices:summary) give the equal result" in detail
    assert "1 that met the failure return" in detail


def test_a_caller_that_still_fails_rejects() -> None:
    """A result that the caller can't use is no repair, however well the function itself does."""
    found = verdict(NONE, ended())
    assert isinstance(found, Rejected)
    outcome, detail = check(found)
    assert outcome is CheckOutcome.FAILED
    assert "raises TypeError" in detail


def test_a_caller_that_gives_another_result_rejects() -> None:
    """What the function's own recorded calls don't show, a caller's may."""
    found = verdict(ROUNDED, calling("summary", "1.50", 1, 2))
    assert check(found)[0] is CheckOutcome.FAILED
    assert "1.50" in check(found)[1]


def test_what_a_caller_made_of_the_failure_is_no_reference() -> None:
    """A caller that caught the failure may return something else once it is gone."""
    found = verdict(GUARD, calling("patient", "?"))
    assert check(found)[0] is CheckOutcome.PASSED


def test_calls_that_never_run_the_function_are_no_callers() -> None:
    """Only a call in which the function runs says anything about a patch of it."""
    baseline = facts(calling("other", 2, 1, 2), calling("patient", "1.50", 1, 2))
    assert [item.site_id for item, _ in baseline.callers] == ["shop.prices:patient"]
    assert baseline.set_aside == ()


def test_without_callers_the_verdict_says_so() -> None:
    """That nothing was recorded is told, not counted against the patch."""
    found = verdict(GUARD)
    assert isinstance(found, Accepted)
    assert check(found)[0] is CheckOutcome.NOT_SHOWN
