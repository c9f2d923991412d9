"""Whether plausible patches do the same on inputs that no test has: where they don't, it is said."""

from collections.abc import Sequence
from datetime import datetime

from prunella.codec import render
from prunella.codec.near import near_inputs
from prunella.model.ids import CallId
from prunella.model.repair import ReplayEnding, ReplayOutcome, ReplayRequest
from prunella.model.tree import Tree
from prunella.validate.compare import compare_values

_MAX_RECORDED = 20
_MAX_NEAR = 60


def rival_requests(
    inputs: Sequence[Tree], site_id: str, started_at: datetime
) -> list[ReplayRequest]:
    """Return calls of a function with some inputs that it was seen with, and with near ones."""
    distinct = list({repr(item): item for item in inputs}.values())[:_MAX_RECORDED]
    share = max(1, _MAX_NEAR // max(1, len(distinct)))
    near = [other for item in distinct for other in near_inputs(item, limit=share)]
    return [
        ReplayRequest(
            request_id=CallId(f"call_near_{number}"),
            site_id=site_id,
            inputs=item,
            started_at=started_at,
        )
        for number, item in enumerate([*distinct, *near])
    ]


def rivals(rows: Sequence[Sequence[ReplayOutcome]], number: int) -> list[int]:
    """Return the numbers of the patches that differ from one of them on some call."""
    return [
        index for index, row in enumerate(rows) if first_difference(rows[number], row) is not None
    ]


def first_difference(one: Sequence[ReplayOutcome], other: Sequence[ReplayOutcome]) -> int | None:
    """Return the number of the first call on which two patches differ.

    They differ where both return and not the same, or where one returns and the other raises; calls
    that could not be run to their end with one of them show nothing.
    """
    for number, (left, right) in enumerate(zip(one, other, strict=True)):
        if _differ(left, right):
            return number
    return None


def _differ(left: ReplayOutcome, right: ReplayOutcome) -> bool:
    endings = {left.ending, right.ending}
    if endings - {ReplayEnding.RETURNED, ReplayEnding.RAISED}:
        return False
    if left.ending is right.ending is ReplayEnding.RETURNED:
        whole = left.complete and right.complete
        return whole and not compare_values(left.result, right.result).equal
    return len(endings) == 2


def shown(request: ReplayRequest) -> str:
    """Return the inputs of a call as short text for people."""
    return render(request.inputs, max_chars=120)
