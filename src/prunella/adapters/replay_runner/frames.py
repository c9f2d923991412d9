"""Describes an exception that a replayed call raised."""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from types import FrameType, TracebackType

from prunella.codec import encode_mapping
from prunella.model.records import ExceptionInfo, Frame
from prunella.model.tree import Tree

_MAX_FRAMES = 60
_MAX_CAUSES = 5
_MAX_MESSAGE = 2_000
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def describe(error: BaseException, tree: str) -> ExceptionInfo:
    """Return `error` with its frames; files below `tree` are given relative to it.

    Frames before the first one of the project are the runner's own and left out.
    """
    return _describe(error, tree, seen=set())


def _describe(error: BaseException, tree: str, *, seen: set[int]) -> ExceptionInfo:
    seen.add(id(error))
    cause, relation = _cause(error)
    kind = type(error)
    return ExceptionInfo(
        type=_class_path(kind),
        mro=tuple(_class_path(base) for base in kind.__mro__ if base is not object),
        message=_message(error),
        frames=tuple(_frames(error.__traceback__, tree)),
        cause=(
            _describe(cause, tree, seen=seen)
            if cause is not None and id(cause) not in seen and len(seen) < _MAX_CAUSES
            else None
        ),
        relation=relation,
    )


def _class_path(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _cause(error: BaseException) -> tuple[BaseException | None, str | None]:
    if error.__cause__ is not None:
        return error.__cause__, "cause"
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__, "context"
    return None, None


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_MESSAGE]
    except Exception:  # noqa: BLE001 - a project's __str__ may raise anything
        return "<its text can't be made>"


def _frames(trace: TracebackType | None, tree: str) -> list[Frame]:
    steps = list(_steps(trace))
    if len(steps) > _MAX_FRAMES:
        steps = steps[: _MAX_FRAMES // 3] + steps[-2 * _MAX_FRAMES // 3 :]
    frames = [_frame(frame, line, position, tree) for frame, line, position in steps]
    first = next((index for index, frame in enumerate(frames) if frame.in_project), 0)
    return frames[first:]


_Position = tuple[int, int, int, int] | None


def _steps(trace: TracebackType | None) -> Iterator[tuple[FrameType, int, _Position]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        positions = islice(code.co_positions(), trace.tb_lasti // 2, None)
        line, end_line, column, end_column = next(positions, (None,) * 4)
        whole = (
            None
            if line is None or end_line is None or column is None or end_column is None
            else (line, end_line, column, end_column)
        )
        yield trace.tb_frame, trace.tb_lineno or code.co_firstlineno, whole
        trace = trace.tb_next


def _frame(frame: FrameType, line: int, position: _Position, tree: str) -> Frame:
    code = frame.f_code
    name = os.path.realpath(code.co_filename)
    inside = name.startswith(tree + os.sep) and not any(part in name for part in _INSTALLED)
    return Frame(
        file=os.path.relpath(name, tree).replace(os.sep, "/") if inside else code.co_filename,
        module=str(frame.f_globals.get("__name__", "")),
        qualname=code.co_qualname,
        first_line=code.co_firstlineno,
        line=line,
        position=position,
        in_project=inside,
        local_values=_locals(frame.f_locals) if inside else None,
    )


def _locals(values: Mapping[str, object]) -> Tree:
    named = {name: value for name, value in values.items() if not name.startswith("__")}
    return encode_mapping(named).tree if "__name__" not in values else None
