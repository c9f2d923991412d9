"""Dossiers of crashes made by running small programs in this process."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from prunella.codec import encode, encode_mapping
from prunella.model.dossier import Dossier
from prunella.model.ids import CallId, IncidentId, OccurrenceId, ProcessId, SiteId
from prunella.model.incidents import Incident, IncidentStatus
from prunella.model.records import Call, Ending, ExceptionInfo, Frame, Occurrence, Process, Site
from prunella.model.repair import Baseline, ReplayEnding, ReplayOutcome, SourceFunction
from prunella.patching import locate

FILE = "program.py"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def load(source: str) -> dict[str, Any]:
    """Return the namespace of `source`, run as the module ``program``."""
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, FILE, "exec"), space)  # noqa: S102 - the programs are this test's own
    return space


def call(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Call a function, a coroutine function or a generator function to its end."""
    result = function(*deepcopy(arguments))
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    return list(result) if inspect.isgenerator(result) else result


def dossier_of(
    source: str,
    qualname: str,
    *,
    failing: Sequence[Sequence[Any]],
    passing: Sequence[Sequence[Any]] = (),
) -> Dossier:
    """Return the dossier of the function `qualname` that failed and passed with these arguments."""
    function = load(source)
    target: Any = function[qualname.split(".")[0]]
    for part in qualname.split(".")[1:]:
        target = getattr(target, part)
    failures = [_failure(target, arguments, number) for number, arguments in enumerate(failing)]
    successes = [_success(target, arguments, number) for number, arguments in enumerate(passing)]
    span = locate(source.encode(), qualname)
    process = Process(
        process_id=ProcessId("proc_1"), pid=1, started_at=MOMENT, python_version="3.11.0",
        executable="python", sys_path=(), root="/project", cwd="/project", argv=(),
        hostname="here", prunella_version="0",
    )  # fmt: skip
    site = Site(
        site_id=SiteId(f"program:{qualname}"), module="program", qualname=qualname, file=FILE,
        first_line=span.first_line, source_hash="",
    )  # fmt: skip
    exception = failures[0][0].exception
    return Dossier(
        incident=Incident(
            incident_id=IncidentId("inc_1"), fingerprint="", scheme="", site_id=site.site_id,
            error_type=exception.type, error_code=exception.type_name, message=exception.message,
            location=None, status=IncidentStatus.OPEN, count=len(failures), first_seen_at=MOMENT,
            last_seen_at=MOMENT,
        ),
        site=site,
        process=process,
        failing=tuple(item for item, _ in failures),
        passing=tuple(item for item, _ in successes),
        function=SourceFunction(
            path=FILE, module="program", qualname=qualname, first_line=span.first_line,
            last_line=span.last_line, text=span.text, file_source=source.encode(),
        ),
        baseline=Baseline(failing=tuple(failures), passing=tuple(successes), set_aside=()),
    )  # fmt: skip


def _inputs(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    bound = inspect.signature(function).bind(*arguments)
    bound.apply_defaults()
    return encode_mapping(dict(bound.arguments)).tree


def _failure(
    function: Callable[..., Any], arguments: Sequence[Any], number: int
) -> tuple[Occurrence, ReplayOutcome]:
    inputs = _inputs(function, arguments)
    try:
        call(function, arguments)
    except Exception as error:  # noqa: BLE001 - whatever the program raises is what is wanted
        exception = _exception(error)
    else:
        raise AssertionError(f"{arguments!r} doesn't fail")
    occurrence = Occurrence(
        occurrence_id=OccurrenceId(f"occ_{number}"), group="", site_id=_site(function),
        source_hash="", process_id=ProcessId("proc_1"), trace_id="", call_id=CallId(f"f{number}"),
        started_at=MOMENT, duration_us=1, ending=Ending.ERROR, exception=exception, inputs=inputs,
        complete=True,
    )  # fmt: skip
    outcome = ReplayOutcome(
        request_id=occurrence.occurrence_id, ending=ReplayEnding.RAISED, exception=exception
    )
    return occurrence, outcome


def _success(
    function: Callable[..., Any], arguments: Sequence[Any], number: int
) -> tuple[Call, ReplayOutcome]:
    inputs = _inputs(function, arguments)
    result = encode(call(function, arguments)).tree
    recorded = Call(
        call_id=CallId(f"call_{number}"), site_id=_site(function), source_hash="",
        process_id=ProcessId("proc_1"), trace_id="", started_at=MOMENT, duration_us=1,
        inputs=inputs, result=result, complete=True,
    )  # fmt: skip
    outcome = ReplayOutcome(
        request_id=recorded.call_id, ending=ReplayEnding.RETURNED, result=result
    )
    return recorded, outcome


def _site(function: Callable[..., Any]) -> SiteId:
    return SiteId(f"program:{function.__qualname__}")


def _exception(error: BaseException) -> ExceptionInfo:
    return ExceptionInfo(
        type=_path(type(error)),
        mro=tuple(_path(item) for item in type(error).__mro__[:-1]),
        message=str(error),
        frames=tuple(_frames(error.__traceback__)),
    )


def _path(item: type) -> str:
    return f"{item.__module__}:{item.__qualname__}"


def _frames(trace: TracebackType | None) -> list[Frame]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        line, end_line, column, end_column = list(code.co_positions())[trace.tb_lasti // 2]
        position = None
        if None not in (line, end_line, column, end_column):
            position = (line, end_line, column, end_column)
        frames.append(
            Frame(
                file=code.co_filename,
                module=str(trace.tb_frame.f_globals.get("__name__")),
                qualname=code.co_qualname,
                first_line=code.co_firstlineno,
                line=trace.tb_lineno,
                position=position,  # type: ignore[arg-type]
                in_project=code.co_filename == FILE,
                local_values=encode_mapping(dict(trace.tb_frame.f_locals)).tree,
            )
        )
        trace = trace.tb_next
    return frames
