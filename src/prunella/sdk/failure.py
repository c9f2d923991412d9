"""An exception as a record: frames with bounded locals, causes, attributes.

Runs none of the program's code: attributes come from the instance's own dict, a ``__str__`` written
in Python (other than the standard library's) isn't called; such an exception's arguments or
attributes stand for its message.
"""

import os
from collections.abc import Iterator
from itertools import islice
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.codec import Encoded, encode_mapping, render
from prunella.codec.limits import Limits
from prunella.sdk.wrapper import FILENAME
from prunella.taxonomy import facts  # with the first call: a failure is no moment for imports

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor
    from prunella.sdk.process import CodePlaces

#: Frames kept from the outer and from the inner end of a traceback.
OUTER_FRAMES = 16
INNER_FRAMES = 48
#: Innermost frames of the project whose local variables are kept.
FRAMES_WITH_LOCALS = 8
#: Causes behind one exception.
MAX_CAUSES = 5
MAX_MESSAGE_LENGTH = 2_000
#: Entries of a traceback that are looked at, at most.
MAX_ENTRIES = 3_000
#: Byte of a function's code up to which the exact position is looked for: it takes its time.
MAX_INSTRUCTION = 8_000
#: Attributes that carry an error's own code.
CODE_ATTRIBUTES = ("error_code", "code", "status_code", "sqlstate", "pgcode", "errno")

LOCALS = Limits(
    max_depth=6,
    max_nodes=400,
    max_items=50,
    max_string_length=1_000,
    max_total_bytes=8_000,
    time_budget_ms=2.0,
)

_SCALARS = frozenset({str, int, float, bool, bytes, type(None)})
_SDK = os.path.dirname(__file__) + os.sep  # noqa: PTH120
_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120


class Sight(NamedTuple):
    """How a failure is looked at."""

    redactor: "Redactor"
    code_places: "CodePlaces"


def entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the entries of a traceback, outermost first, at most `MAX_ENTRIES`."""
    for _ in range(MAX_ENTRIES):
        if traceback is None:
            return
        yield traceback
        traceback = traceback.tb_next


def describe(error: BaseException, sight: "Sight") -> dict[str, Any]:
    """Return the `prunella.model.records.ExceptionInfo` of `error`, as it stands on the wire."""
    info = outermost = _one(error, sight, FRAMES_WITH_LOCALS)
    seen = {id(error)}
    for _ in range(MAX_CAUSES):
        cause, relation = cause_of(error)
        if cause is None or id(cause) in seen:
            break
        seen.add(id(cause))
        info["cause"] = _one(cause, sight, 2)
        info["relation"] = relation
        info, error = info["cause"], cause
    return outermost


def cause_of(error: BaseException) -> tuple[BaseException | None, str]:
    """Return what `error` was raised from, or while handling what, or the first of a group."""
    if error.__cause__ is not None:
        return error.__cause__, "cause"
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__, "context"
    if isinstance(error, BaseExceptionGroup) and error.exceptions:
        return error.exceptions[0], "group"
    return None, ""


def path_of(cls: type) -> str:
    """Return ``module:qualname`` of a class."""
    return f"{_text(cls.__module__)}:{_text(cls.__qualname__)}"


def _text(value: Any) -> str:
    return value if type(value) is str else "?"


class _ClassFacts(NamedTuple):
    """What an exception's class says, found out once."""

    cls: type
    path: str
    mro: list[str]
    #: ``str`` of an instance runs no code of the program's.
    speaks_safely: bool
    #: Attributes of the class among `CODE_ATTRIBUTES`, if plain.
    attributes: dict[str, str | int]


_facts: dict[int, _ClassFacts] = {}
_MAX_CLASSES = 2_000


def facts_of(cls: type) -> _ClassFacts:
    """Return what the class of an exception says."""
    found = _facts.get(id(cls))
    if found is None:
        if len(_facts) >= _MAX_CLASSES:
            _facts.clear()
        attributes = {name: _class_attribute(cls, name) for name in CODE_ATTRIBUTES}
        found = _facts[id(cls)] = _ClassFacts(
            cls,
            path_of(cls),
            [path_of(base) for base in cls.__mro__ if base is not object],
            _speaks_safely(cls),
            {name: value for name, value in attributes.items() if type(value) in (str, int)},
        )
    return found


def _one(error: BaseException, sight: "Sight", with_locals: int) -> dict[str, Any]:
    facts = facts_of(type(error))
    return {
        "type": facts.path,
        "mro": facts.mro,
        "message": sight.redactor.text(message_of(error)),
        "attributes": _attributes(error, sight),
        "frames": _frames(error.__traceback__, sight, with_locals),
        "cause": None,
        "relation": None,
    }


def _frames(
    traceback: TracebackType | None, sight: "Sight", with_locals: int
) -> list[dict[str, Any]]:
    found = [entry for entry in entries(traceback) if not _is_ours(entry)]
    if len(found) > OUTER_FRAMES + INNER_FRAMES:
        del found[OUTER_FRAMES:-INNER_FRAMES]
    frames = []
    for entry in reversed(found):
        frame = entry.tb_frame
        file, in_project = sight.code_places.place(frame.f_code.co_filename)
        described = _frame(entry, frame, file, in_project)
        if in_project and with_locals and frame.f_code.co_name != "<module>":
            described["local_values"] = _locals(frame, sight).tree
            with_locals -= 1
        frames.append(described)
    frames.reverse()
    return frames


def _frame(entry: TracebackType, frame: FrameType, file: str, in_project: bool) -> dict[str, Any]:
    code = frame.f_code
    line = entry.tb_lineno
    return {
        "file": file,
        "module": _text(frame.f_globals.get("__name__")),
        "qualname": code.co_qualname,
        "first_line": code.co_firstlineno,
        "line": line if type(line) is int else code.co_firstlineno,
        "position": _position(code, entry.tb_lasti) if in_project else None,
        "in_project": in_project,
        "local_values": None,
    }


def _is_ours(entry: TracebackType) -> bool:
    """Tell whether the entry is of the SDK, which has no part in the failure."""
    filename = entry.tb_frame.f_code.co_filename
    return filename == FILENAME or filename.startswith(_SDK)


def _position(code: CodeType, instruction: int) -> list[int] | None:
    if instruction > MAX_INSTRUCTION:
        return None
    found = next(islice(code.co_positions(), instruction // 2, None), None)
    if found is None or None in found:
        return None
    line, end_line, column, end_column = found
    return [line, end_line, column, end_column]  # type: ignore[list-item]  # None is ruled out


def _locals(frame: FrameType, sight: "Sight") -> Encoded:
    return encode_mapping(dict(frame.f_locals), limits=LOCALS, redactor=sight.redactor)


# --- message and attributes ---------------------------------------------------------------------


def message_of(error: BaseException) -> str:
    """Return what `error` says, bounded, without running code of the program's."""
    arguments = BaseException.args.__get__(error)  # type: ignore[attr-defined]  # a getset
    if len(arguments) == 1 and type(arguments[0]) is str and len(arguments[0]) > MAX_MESSAGE_LENGTH:
        return arguments[0][:MAX_MESSAGE_LENGTH]
    if facts_of(type(error)).speaks_safely and _are_small_scalars(error, arguments):
        return str(error)[:MAX_MESSAGE_LENGTH]
    values: Any = arguments
    if not arguments:
        values = own_attributes(error)
    elif len(arguments) == 1:
        if type(arguments[0]) is str:
            return arguments[0]
        values = arguments[0]
    from prunella.codec import encode

    return render(encode(values, limits=LOCALS).tree, max_chars=500)


def _speaks_safely(cls: type) -> bool:
    """Tell whether ``str`` of an exception of this class runs no code of the program's."""
    for base in cls.__mro__:
        speaker = base.__dict__.get("__str__")
        if speaker is None:
            continue
        if type(speaker) is not FunctionType:
            return True
        return speaker.__code__.co_filename.startswith(_LIBRARY)
    return False


def _are_small_scalars(error: BaseException, arguments: tuple[Any, ...]) -> bool:
    size = 0
    for item in arguments:
        if type(item) not in _SCALARS:
            return isinstance(error, BaseExceptionGroup)
        if type(item) in (str, bytes):
            size += len(item)
        elif type(item) is int and not -(1 << 1_000) < item < 1 << 1_000:
            return False
    if isinstance(error, OSError) and type(error.filename) not in _SCALARS:
        return False
    if isinstance(error, UnicodeError):
        return True
    return size <= 4 * MAX_MESSAGE_LENGTH


def own_attributes(error: BaseException) -> dict[str, Any]:
    """Return the instance's own dict, whatever its class says of attributes."""
    found: dict[str, Any] = object.__getattribute__(error, "__dict__")
    return found


def _attributes(error: BaseException, sight: "Sight") -> dict[str, str]:
    """Return the attributes that carry codes, where they are plain strings or integers.

    Beside them, under their own names, what `prunella.taxonomy` decides from.
    """
    found = {}
    values: dict[str, Any] = facts_of(type(error)).attributes
    own = own_attributes(error)
    if own:
        values = {**values, **{name: own[name] for name in CODE_ATTRIBUTES if name in own}}
    for name, value in values.items():
        if type(value) in (str, int):
            found[name] = sight.redactor.text(str(value)[:200])
    for name, text in facts(error).items():
        found[name] = sight.redactor.text(text)
    return found


def _class_attribute(cls: type, name: str) -> Any:
    return next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)
