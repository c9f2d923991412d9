"""The calls around a failure: who called it, and what it had called."""

from collections.abc import Iterator
from dataclasses import dataclass

from prunella.model.errors import AmbiguousName, UnknownName
from prunella.model.records import Call, Occurrence
from prunella.ports import Store

_MAX_DEPTH = 8
_MAX_CALLS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """One call of the tree, outermost first."""

    depth: int
    site_id: str
    duration_us: int
    #: ``failed``, ``returned``, or ``here``: the failure itself.
    ending: str
    #: Id of the recorded call that returned, else ``""``.
    call_id: str = ""
    #: Class and message of what was raised, else ``""``.
    error: str = ""
    fix_id: str = ""


def trace_of(store: Store, occurrence: Occurrence) -> tuple[TraceLine, ...]:
    """Return what is recorded of the trace of a failure: its callers, itself, and what it called."""
    callers = list(_callers(store, occurrence))[::-1]
    lines = [_line(each, depth) for depth, each in enumerate(callers)]
    depth = len(lines)
    lines.append(_failed(occurrence, depth, "here"))
    for called in store.children(occurrence.call_id)[:_MAX_CALLS]:
        lines.append(_line(called, depth + 1))
        lines += [_line(each, depth + 2) for each in store.children(called.call_id)[:_MAX_CALLS]]
    return tuple(lines)


def _callers(store: Store, occurrence: Occurrence) -> Iterator[Call | Occurrence]:
    """Yield the calls around a failure, the innermost first, as far as they were kept."""
    inner: Call | Occurrence = occurrence
    for _ in range(_MAX_DEPTH):
        outer: Call | Occurrence | None = None
        if isinstance(inner, Occurrence):
            ended = store.caused([inner.occurrence_id], limit=20)
            outer = next((each for each in ended if each.trace_id == inner.trace_id), None)
        if outer is None and inner.parent_id:
            outer = _returned(store, inner.parent_id)
        if outer is None:
            return
        yield outer
        inner = outer


def _returned(store: Store, call_id: str) -> Call | None:
    try:
        return store.kept_call(call_id).call
    except (UnknownName, AmbiguousName):
        return None


def _line(each: Call | Occurrence, depth: int) -> TraceLine:
    if isinstance(each, Occurrence):
        return _failed(each, depth, "failed")
    return TraceLine(
        depth=depth,
        site_id=each.site_id,
        duration_us=each.duration_us,
        ending="returned",
        call_id=each.call_id,
        fix_id=each.fix_id or "",
    )


def _failed(each: Occurrence, depth: int, ending: str) -> TraceLine:
    raised = each.exception
    return TraceLine(
        depth=depth,
        site_id=each.site_id,
        duration_us=each.duration_us,
        ending=ending,
        error=f"{raised.type_name}: {raised.message}" if raised.message else raised.type_name,
        fix_id=each.masked_by or "",
    )
