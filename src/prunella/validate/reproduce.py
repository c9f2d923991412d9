"""What the recorded calls do on the unpatched base."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from prunella.codec import entries, type_name
from prunella.model.ids import CallId, OccurrenceId
from prunella.model.records import Call, ExceptionInfo, Frame, Occurrence, Process
from prunella.model.repair import Baseline, ReplayEnding, ReplayOutcome, ReplayRequest
from prunella.model.tree import Tree
from prunella.ports import Replayer
from prunella.validate.compare import Sameness, compare_values

#: Recorded answers of the boundary sites that a call made: id of the request (call or occurrence) → answers in order.
Answers = Mapping[str, Sequence[tuple[str, Tree, Tree]]]


def reproduce(
    replayer: Replayer,
    tree: Path,
    process: Process,
    failing: Sequence[Occurrence],
    passing: Sequence[Call],
    answers: Answers | None = None,
    *,
    callers: Sequence[Call | Occurrence] = (),
    called: str = "",
) -> Baseline:
    """Replay each call twice on the checked-out base in `tree` and keep those that can serve.

    A failing call serves when it raises the recorded type of exception at the recorded place, a
    passing one when it returns the recorded value; both times. The others are set aside, each with
    the reason. `callers` are calls, of both kinds, of functions that may call the failing one,
    which is `called` (``path:qualname``); of those, only calls that do run it are kept.
    """
    set_aside: list[tuple[str, str]] = []
    items: list[Occurrence | Call] = [*failing, *passing, *callers]
    usable = [item for item in items if _usable(item, item_id(item), set_aside)]
    outside = {item_id(item) for item in callers}
    requests = [
        replace(replay_request(item, answers), watch=called if item_id(item) in outside else "")
        for item in usable
    ]
    if not requests:
        return Baseline(failing=(), passing=(), set_aside=tuple(set_aside))
    first, second = replayer.replay(tree, process, requests, [{}, {}])
    kept: dict[str, tuple[Occurrence | Call, ReplayOutcome]] = {}
    for item, one, other in zip(usable, first, second, strict=True):
        if item_id(item) in outside and not one.watched_calls:
            continue
        reason = _why_not(item, one) or _flaky(one, other)
        if reason:
            set_aside.append((item_id(item), reason))
        else:
            kept[item_id(item)] = (item, one)
    return Baseline(
        failing=tuple(
            (item, kept[item.occurrence_id][1]) for item in failing if item.occurrence_id in kept
        ),
        passing=tuple((item, kept[item.call_id][1]) for item in passing if item.call_id in kept),
        callers=tuple(kept[item_id(item)] for item in callers if item_id(item) in kept),
        set_aside=tuple(set_aside),
    )


def item_id(item: Occurrence | Call) -> OccurrenceId | CallId:
    """Return the id under which a recorded call is replayed."""
    return item.occurrence_id if isinstance(item, Occurrence) else item.call_id


def replay_request(item: Occurrence | Call, answers: Answers | None = None) -> ReplayRequest:
    """Return the request that replays a recorded call."""
    request_id = item_id(item)
    return ReplayRequest(
        request_id=request_id,
        site_id=item.site_id,
        inputs=item.inputs,
        started_at=item.started_at,
        answers=tuple((answers or {}).get(request_id, ())),
    )


def _usable(item: Occurrence | Call, name: str, set_aside: list[tuple[str, str]]) -> bool:
    if item.inputs is None:
        set_aside.append((name, "its inputs were not recorded"))
    elif not item.complete:
        missing = "; ".join(_not_recorded(item.inputs)) or _unread_objects(item.inputs)
        reason = f"its inputs were not recorded in full: {missing}"
        set_aside.append(
            (name, reason if missing else "its inputs or result were not recorded in full")
        )
    else:
        return True
    return False


def _not_recorded(inputs: Tree) -> Iterator[str]:
    """Yield which inputs were not recorded whole, and why, a clause each."""
    for name, value in entries(inputs):
        mark = _mark(value)
        if mark is None:
            continue
        if mark[0] == "redacted":
            yield f"{name} holds a secret, which is redacted"
        elif mark[0] == "cut":
            yield f"{name} is too large"
        elif mark[2:3] == ["not read before the call"]:
            yield f"{name} was not read before the call, which may have changed it"
        else:
            yield f"{name} holds a {type_name(mark)}, which can't be recorded"


def _unread_objects(inputs: Tree) -> str:
    """Name the inputs that are objects: where no mark was left, one keeps state that is hidden."""
    found = [
        f"{name} (a {type_name(value)})"
        for name, value in entries(inputs)
        if type(value) is list and value[:1] == ["o"]
    ]
    return f"part of {' or '.join(found)} can't be read" if found else ""


def _mark(tree: Tree) -> list[Tree] | None:
    """Return the first part of a value that stands for what was left out, or ``None``."""
    left: list[Tree] = [tree]
    while left:
        node = left.pop()
        if type(node) is list and node:
            if node[0] in ("?", "cut", "redacted"):
                return node
            left += reversed(node)
    return None


def _why_not(item: Occurrence | Call, outcome: ReplayOutcome) -> str:
    """Return in what a replay on the base differs from what was recorded."""
    if isinstance(item, Occurrence):
        return _why_not_failing(item, outcome)
    return _why_not_passing(item, outcome)


def _why_not_failing(occurrence: Occurrence, outcome: ReplayOutcome) -> str:
    if outcome.ending is ReplayEnding.RETURNED:
        return "it failed when recorded and returns when replayed"
    if outcome.ending is not ReplayEnding.RAISED or outcome.exception is None:
        return f"it can't be replayed: {outcome.reason}"
    return _differing_failure(occurrence.exception, outcome.exception)


def _differing_failure(recorded: ExceptionInfo, replayed: ExceptionInfo) -> str:
    if recorded.type_name != replayed.type_name:
        return f"it raised {recorded.type_name} when recorded and {replayed.type_name} now"
    before, now = innermost(recorded), innermost(replayed)
    if before is not None and now is not None and _place(before) != _place(now):
        return f"it failed in {before.qualname} when recorded and in {now.qualname} now"
    return ""


def same_failure(one: ExceptionInfo | None, other: ExceptionInfo | None) -> bool:
    """Both are the same type of exception, raised in the same function of the project."""
    return one is not None and other is not None and not _differing_failure(one, other)


def innermost(exception: ExceptionInfo) -> Frame | None:
    """Return the innermost frame that belongs to the project."""
    inside = [frame for frame in exception.frames if frame.in_project]
    return inside[-1] if inside else None


def _place(frame: Frame) -> tuple[str, str]:
    return frame.file, frame.qualname


def _why_not_passing(call: Call, outcome: ReplayOutcome) -> str:
    if outcome.ending is ReplayEnding.RAISED and outcome.exception is not None:
        return f"it returned when recorded and raises {outcome.exception.type_name} when replayed"
    if outcome.ending is not ReplayEnding.RETURNED:
        return f"it can't be replayed: {outcome.reason}"
    comparison = compare_values(call.result, outcome.result)
    if comparison.sameness is Sameness.DIFFERENT:
        return f"it returns another result than recorded: {comparison.detail}"
    if comparison.sameness is Sameness.UNKNOWN or not outcome.complete:
        return f"its result can't be compared: {comparison.detail}".rstrip(": ")
    return ""


def _flaky(one: ReplayOutcome, other: ReplayOutcome) -> str:
    detail = difference(one, other)
    return f"two replays of the same code differ: {detail}" if detail else ""


def difference(before: ReplayOutcome, after: ReplayOutcome) -> str:
    """Return how what a call did differs between two replays; empty when it doesn't, as far as seen."""
    if before.ending is not after.ending:
        return f"it {before.ending} and {_ending(after)}"
    if before.ending is ReplayEnding.RAISED:
        if not same_failure(before.exception, after.exception):
            return f"it {_ending(before)} and {_ending(after)}"
    elif before.ending is ReplayEnding.RETURNED:
        result = compare_values(before.result, after.result)
        if result.sameness is Sameness.DIFFERENT:
            return f"result, {result.detail}"
    inputs = compare_values(before.inputs_after, after.inputs_after)
    if inputs.sameness is Sameness.DIFFERENT:
        return f"arguments after the call, {inputs.detail}"
    return ""


def _ending(outcome: ReplayOutcome) -> str:
    if outcome.exception is not None:
        return f"raised {outcome.exception.type_name}: {outcome.exception.message}"[:200]
    return f"{outcome.ending} {outcome.reason}".strip()
