"""Dossiers made by really running a small function, so that frames and values are what they are."""

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import builders as b
from prunella.codec import encode, encode_mapping
from prunella.diagnose import find_function
from prunella.model.dossier import Dossier
from prunella.model.errors import SourceUnavailable
from prunella.model.incidents import Location
from prunella.model.records import Call, ExceptionInfo, Frame, Occurrence
from prunella.model.repair import Baseline, ReplayEnding, ReplayOutcome

Arguments = Mapping[str, Any]
PATH, MODULE = "shop/code.py", "shop.code"


def dossier_of(
    source: str,
    qualname: str,
    *,
    failing: Sequence[Arguments],
    passing: Sequence[Arguments] = (),
    reproduced: bool = True,
    **changes: Any,
) -> Dossier:
    """Run ``qualname(**arguments)`` of `source` for every call and return what was recorded.

    Every failing call has to raise and every passing one to return.
    """
    namespace: dict[str, Any] = {"__name__": MODULE}
    exec(compile(source, PATH, "exec"), namespace)  # noqa: S102 - the tests' own source
    function = namespace[qualname]
    bad = [_fail(function, number, arguments) for number, arguments in enumerate(failing)]
    good = [_pass(function, number, arguments) for number, arguments in enumerate(passing)]
    exception = bad[0].exception
    frames = [item for item in exception.frames if item.in_project]
    location = Location(
        file=PATH,
        module=MODULE,
        qualname=frames[-1].qualname,
        first_line=frames[-1].first_line,
        line=frames[-1].line,
    )
    values: dict[str, Any] = {
        "incident": b.incident(
            error_type=exception.type,
            error_code=exception.type_name,
            message=exception.message,
            location=location,
        ),
        "site": b.site(site_id=f"{MODULE}:{qualname}", module=MODULE, qualname=qualname, file=PATH),
        "process": b.process(),
        "failing": tuple(bad),
        "passing": tuple(good),
        "baseline": _baseline(bad if reproduced else []),
    }
    try:
        values["function"] = find_function(location, {PATH: source.encode()}.get)
    except SourceUnavailable as error:
        values["function"], values["function_missing"] = None, str(error)
    return Dossier(**(values | changes))


def exception_info(error: BaseException) -> ExceptionInfo:
    """Return an exception as the SDK records it: frames with positions and locals."""
    kind = type(error)
    return ExceptionInfo(
        type=f"{kind.__module__}:{kind.__qualname__}",
        mro=tuple(f"{item.__module__}:{item.__qualname__}" for item in kind.__mro__[:-1]),
        message=str(error),
        frames=tuple(_frames(error.__traceback__)),
    )


def _frames(traceback: TracebackType | None) -> list[Frame]:
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        positions = list(code.co_positions())[traceback.tb_lasti // 2]
        line, end_line, column, end_column = positions
        found.append(
            Frame(
                file=code.co_filename,
                module=MODULE,
                qualname=code.co_qualname,
                first_line=code.co_firstlineno,
                line=traceback.tb_lineno,
                position=None if column is None else (line, end_line, column, end_column),  # type: ignore[arg-type]
                in_project=code.co_filename == PATH,
                local_values=encode_mapping(dict(traceback.tb_frame.f_locals)).tree,
            )
        )
        traceback = traceback.tb_next
    return found


def _fail(function: Any, number: int, arguments: Arguments) -> Occurrence:
    inputs = encode_mapping(dict(arguments)).tree
    try:
        function(**arguments)
    except Exception:  # noqa: BLE001 - any failure is recorded
        error = sys.exc_info()[1]
        assert error is not None
        return b.occurrence(
            occurrence_id=f"occ_{number}", exception=exception_info(error), inputs=inputs
        )
    raise AssertionError(f"{arguments} does not fail")


def _pass(function: Any, number: int, arguments: Arguments) -> Call:
    inputs = encode_mapping(dict(arguments)).tree
    result = encode(function(**arguments)).tree
    return b.call(call_id=f"call_{number}", inputs=inputs, result=result)


def _baseline(failing: Sequence[Occurrence]) -> Baseline:
    outcomes = [
        ReplayOutcome(
            request_id=item.occurrence_id, ending=ReplayEnding.RAISED, exception=item.exception
        )
        for item in failing
    ]
    return Baseline(failing=tuple(zip(failing, outcomes, strict=True)), passing=(), set_aside=())
