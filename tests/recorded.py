"""Records as programs report them, one after the other; for tests to change what they are about."""

from datetime import datetime, timedelta
from typing import Any

import builders
from prunella.model.ids import CallId, OccurrenceId, ProcessId, SiteId
from prunella.model.records import Call, Counts, ExceptionInfo, Frame, Occurrence, Repeat

START = builders.AT
SITE = SiteId("shop.prices:average")
PROCESS = ProcessId("proc_1")

a_process = builders.process
a_site = builders.site


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_frame(**changes: Any) -> Frame:
    return builders.frame(**({"position": None} | changes))


def an_exception(**changes: Any) -> ExceptionInfo:
    values: dict[str, Any] = {
        "type": "builtins:ValueError",
        "mro": ("builtins:ValueError", "builtins:Exception", "builtins:BaseException"),
        "message": "no values for 3 rows",
        "frames": (a_frame(),),
    }
    return builders.exception(**(values | changes))


def an_occurrence(number: int = 1, **changes: Any) -> Occurrence:
    """Return an occurrence that failed `number` seconds after `START`, less a moment."""
    values: dict[str, Any] = {
        "occurrence_id": OccurrenceId(f"occ_{number}"),
        "group": "g1",
        "trace_id": "t",
        "call_id": CallId(f"call_f{number}"),
        "started_at": at(number),
        "duration_us": 7,
        "exception": an_exception(),
    }
    return builders.occurrence(**(values | changes))


def a_call(number: int = 1, **changes: Any) -> Call:
    values: dict[str, Any] = {
        "call_id": CallId(f"call_{number}"),
        "trace_id": "t",
        "started_at": at(number),
        "inputs": ["d", "values", ["l", 1, 2]],
        "result": 1.5,
    }
    return builders.call(**(values | changes))


def a_repeat(count: int = 1, **changes: Any) -> Repeat:
    values: dict[str, Any] = {
        "process_id": PROCESS,
        "group": "g1",
        "site_id": SITE,
        "at": at(60),
        "count": count,
    }
    return Repeat(**(values | changes))


def some_counts(sequence: int = 1, **changes: Any) -> Counts:
    values: dict[str, Any] = {
        "process_id": PROCESS,
        "sequence": sequence,
        "sites": {SITE: {"calls": sequence}},
        "sdk": {},
    }
    return Counts(**(values | changes))
