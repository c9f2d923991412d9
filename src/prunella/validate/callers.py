"""What replayed calls of the functions that call a patched one show about the patch."""

from collections.abc import Sequence

from prunella.model.records import Occurrence
from prunella.model.repair import Baseline, Check, CheckOutcome, ReplayEnding, ReplayOutcome
from prunella.validate.reproduce import difference, item_id


def compare_callers(baseline: Baseline, row: Sequence[ReplayOutcome]) -> Check:
    """Return the check ``callers``; `row` is what `Baseline.callers` do with the patch, in order.

    A call that the failure didn't meet has to return the equal result and leave equal arguments.
    One that it ended, or that met it and went on, has to return, whatever it returns: what it made
    of the failure is no reference.
    """
    if not baseline.callers:
        return _check(CheckOutcome.NOT_SHOWN, "no call of a function that calls it was replayed")
    problems, healed = [], 0
    for (item, before), after in zip(baseline.callers, row, strict=True):
        if isinstance(item, Occurrence) or before.watched_failures:
            problem = _still_failing(after)
            healed += not problem
        else:
            problem = difference(before, after)
        if problem:
            problems.append(f"{item.site_id} ({item_id(item)}): {problem}")
    total = len(baseline.callers)
    if problems:
        detail = f"{len(problems)} of {total} calls of its callers go wrong; {problems[0]}"
        return _check(CheckOutcome.FAILED, detail[:400])
    names = sorted({item.site_id for item, _ in baseline.callers})
    detail = f"{total - healed} calls of its callers ({', '.join(names)}) give the equal result"
    if healed:
        detail += f", and {healed} that met the failure return"
    return _check(CheckOutcome.PASSED, detail[:400])


def _still_failing(outcome: ReplayOutcome) -> str:
    if outcome.ending is ReplayEnding.RETURNED:
        return ""
    if outcome.exception is not None:
        return f"it raises {outcome.exception.type_name}: {outcome.exception.message}"[:250]
    return outcome.reason or str(outcome.ending)


def _check(outcome: CheckOutcome, detail: str) -> Check:
    return Check(name="callers", outcome=outcome, detail=detail)
