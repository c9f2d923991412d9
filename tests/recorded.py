"""Records as programs report them, for tests to change what they are about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from prunella.model.ids import CallId, OccurrenceId, ProcessId, SiteId
from prunella.model.records import (
    Call,
    Counts,
    Ending,
    ExceptionInfo,
    Frame,
    Occurrence,
    Process,
    Repeat,
    Site,
)

START = datetime(2026, 11, 20, 12, 0, 0, 5, tzinfo=UTC)
SITE = SiteId("shop.prices:average")
PROCESS = ProcessId("proc_1")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_process(**changes: Any) -> Process:
    values: dict[str, Any] = {
        "process_id": PROCESS,
        "pid": 1,
        "started_at": START,
        "python_version": "3.11.7",
        "executable": "/usr/bin/python3",
        "sys_path": ("/srv/shop",),
        "root": "/srv/shop",
        "cwd": "/srv/shop",
        "argv": ("app.py",),
        "hostname": "host",
        "prunella_version": "0",
    }
    return Process(**(values | changes))


def a_site(**changes: Any) -> Site:
    values: dict[str, Any] = {
        "site_id": SITE,
        "module": "shop.prices",
        "qualname": "average",
        "file": "shop/prices.py",
        "first_line": 3,
        "source_hash": "00",
        "parameters": ("values",),
    }
    return Site(**(values | changes))


def a_frame(**changes: Any) -> Frame:
    values: dict[str, Any] = {
        "file": "shop/prices.py",
        "module": "shop.prices",
        "qualname": "average",
        "first_line": 3,
        "line": 4,
        "in_project": True,
        "local_values": ["d", "values", ["l"]],
    }
    return Frame(**(values | changes))


def an_exception(**changes: Any) -> ExceptionInfo:
    values: dict[str, Any] = {
        "type": "builtins:ValueError",
        "mro": ("builtins:ValueError", "builtins:Exception", "builtins:BaseException"),
        "message": "no values for 3 rows",
        "frames": (a_frame(),),
    }
    return ExceptionInfo(**(values | changes))


def an_occurrence(number: int = 1, **changes: Any) -> Occurrence:
    """Return an occurrence that failed `number` seconds after `START`, less a moment."""
    values: dict[str, Any] = {
        "occurrence_id": OccurrenceId(f"occ_{number}"),
        "group": "g1",
        "site_id": SITE,
        "source_hash": "00",
        "process_id": PROCESS,
        "trace_id": "t",
        "call_id": CallId(f"call_f{number}"),
        "started_at": at(number),
        "duration_us": 7,
        "ending": Ending.ERROR,
        "exception": an_exception(),
        "inputs": ["d", "values", ["l"]],
        "complete": True,
    }
    return Occurrence(**(values | changes))


def a_call(number: int = 1, **changes: Any) -> Call:
    values: dict[str, Any] = {
        "call_id": CallId(f"call_{number}"),
        "site_id": SITE,
        "source_hash": "00",
        "process_id": PROCESS,
        "trace_id": "t",
        "started_at": at(number),
        "duration_us": 7,
        "inputs": ["d", "values", ["l", 1, 2]],
        "result": 1.5,
        "complete": True,
    }
    return Call(**(values | changes))


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
