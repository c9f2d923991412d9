"""An exception as a record: frames with bounded locals, causes, attributes.

Runs none of the program's code: attributes come from the instance's own dict, a ``__str__`` written
in Python (other than the standard library's) isn't called; such an exception's arguments or
attributes stand for its message.
"""

import os
from types import FunctionType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.codec import render
from prunella.codec.limits import Limits
from prunella.codec.texts import mapping_text, quote, to_json
from prunella.sdk.positions import position_of
from prunella.sdk.site import module_name
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


def entries(traceback: TracebackType | None) -> list[TracebackType]:
    """Return the entries of a traceback, outermost first, at most `MAX_ENTRIES`."""
    found: list[TracebackType] = []
    while traceback is not None and len(found) < MAX_ENTRIES:
        found.append(traceback)
        traceback = traceback.tb_next
    return found


def describe(error: BaseException, sight: "Sight", steps: list[TracebackType] | None = None) -> str:
    """Return the `prunella.model.records.ExceptionInfo` of `error` as JSON text.

    `steps` are the `entries` of its traceback, where they are known.
    """
    first = _one(error, steps or entries(error.__traceback__), sight, FRAMES_WITH_LOCALS)
    if cause_of(error)[0] is None:
        return f'{first},"cause":null,"relation":null}}'
    texts, relations = [first], []
    seen = {id(error)}
    for _ in range(MAX_CAUSES):
        cause, relation = cause_of(error)
        if cause is None or id(cause) in seen:
            break
        seen.add(id(cause))
        texts.append(_one(cause, entries(cause.__traceback__), sight, 2))
        relations.append(relation)
        error = cause
    text = f'{texts.pop()},"cause":null,"relation":null}}'
    while texts:
        text = f'{texts.pop()},"cause":{text},"relation":"{relations.pop()}"}}'
    return text


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
    return f"{module_name(cls.__module__, {})}:{_text(cls.__qualname__)}"


def _text(value: Any) -> str:
    return value if type(value) is str else "?"


class _ClassFacts(NamedTuple):
    """What an exception's class says, found out once."""

    cls: type
    #: Its path and those of its bases, as the beginning of a JSON object.
    start: str
    #: ``str`` of an instance runs no code of the program's.
    speaks_safely: bool
    #: ``str`` of an instance with one string is this string.
    says_its_argument: bool
    #: Attributes of the class among `CODE_ATTRIBUTES`, if plain.
    attributes: dict[str, str | int]
    #: An instance without attributes of its own has none at all that are recorded.
    is_bare: bool


_facts: dict[int, _ClassFacts] = {}
_MAX_CLASSES = 2_000


def facts_of(cls: type) -> _ClassFacts:
    """Return what the class of an exception says."""
    found = _facts.get(id(cls))
    if found is None:
        if len(_facts) >= _MAX_CLASSES:
            _facts.clear()
        own = {name: _class_attribute(cls, name) for name in CODE_ATTRIBUTES}
        attributes = {name: value for name, value in own.items() if type(value) in (str, int)}
        bases = ",".join(quote(path_of(base)) for base in cls.__mro__ if base is not object)
        found = _facts[id(cls)] = _ClassFacts(
            cls,
            f'{{"type":{quote(path_of(cls))},"mro":[{bases}]',
            _speaks_safely(cls),
            _class_attribute(cls, "__str__") is BaseException.__str__,
            attributes,
            not attributes
            and OSError not in cls.__mro__
            and all("sqlstate" not in base.__dict__ for base in cls.__mro__),
        )
    return found


def _one(error: BaseException, steps: list[TracebackType], sight: "Sight", with_locals: int) -> str:
    """Return an exception as a JSON object that lacks its cause and its end."""
    of_class = facts_of(type(error))
    own = own_attributes(error)
    attributes = "{}" if of_class.is_bare and not own else _attributes(error, own, of_class, sight)
    return (
        f'{of_class.start},"message":{sight.redactor.said[message_of(error, of_class)]},'
        f'"attributes":{attributes},'
        f'"frames":[{_frames(steps, sight, with_locals)}]'
    )


def _frames(found: list[TracebackType], sight: "Sight", with_locals: int) -> str:
    if len(found) > OUTER_FRAMES + INNER_FRAMES:
        found = [entry for entry in found if not _is_ours(entry.tb_frame.f_code.co_filename)]
        if len(found) > OUTER_FRAMES + INNER_FRAMES:
            found = found[:OUTER_FRAMES] + found[-INNER_FRAMES:]
    texts = []
    place, redactor = sight.code_places.place, sight.redactor
    filename = namespace = None
    file = module = ""
    in_project = False
    simple: dict[int, tuple[Any, str]] = {}  # what several frames have is read once
    for entry in reversed(found):
        frame = entry.tb_frame
        code = frame.f_code
        if code.co_filename is not filename:  # frames that follow each other are often of one file
            filename = code.co_filename
            path, in_project = place(filename)
            file = quote(path)
        line: Any = entry.tb_lineno
        position = values = "null"
        if in_project:
            found_at = position_of(code, entry.tb_lasti, line)
            if found_at is not None:
                first, last, column, end = found_at
                position = f"[{first},{last},{column},{end}]"
            if with_locals and code.co_name != "<module>":
                with_locals -= 1
                values, _ = mapping_text(dict(frame.f_locals), redactor, LOCALS, simple)
        elif _is_ours(filename):
            continue
        if frame.f_globals is not namespace:
            namespace = frame.f_globals
            module = quote(module_name(namespace.get("__name__"), namespace))
        first_line = code.co_firstlineno
        texts.append(
            f'{{"file":{file},"module":{module},'
            f'"qualname":{quote(code.co_qualname)},"first_line":{first_line},'
            f'"line":{first_line if line is None else line},"position":{position},'
            f'"in_project":{"true" if in_project else "false"},"local_values":{values}}}'
        )
    texts.reverse()
    return ",".join(texts)


def _is_ours(filename: str) -> bool:
    """Tell whether a frame is of the SDK, which has no part in the failure."""
    return filename == FILENAME or filename.startswith(_SDK)


# --- message and attributes ---------------------------------------------------------------------


def message_of(error: BaseException, of_class: _ClassFacts | None = None) -> str:
    """Return what `error` says, bounded, without running code of the program's."""
    arguments: tuple[Any, ...] = _arguments(error)
    of_class = of_class or facts_of(type(error))
    if len(arguments) == 1 and type(arguments[0]) is str:
        message: str = arguments[0]
        if of_class.says_its_argument or len(message) > MAX_MESSAGE_LENGTH:
            return message[:MAX_MESSAGE_LENGTH]
    if of_class.speaks_safely and _are_small_scalars(error, arguments):
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


_arguments = BaseException.args.__get__  # type: ignore[attr-defined]  # a getset


def own_attributes(error: BaseException) -> dict[str, Any]:
    """Return the instance's own dict, whatever its class says of attributes."""
    found: dict[str, Any] = object.__getattribute__(error, "__dict__")
    return found


def _attributes(
    error: BaseException, own: dict[str, Any], of_class: _ClassFacts, sight: "Sight"
) -> str:
    """Return the attributes that carry codes, where they are plain strings or integers, as JSON.

    Beside them, under their own names, what `prunella.taxonomy` decides from.
    """
    found = facts(error)
    values: dict[str, Any] = of_class.attributes
    if own:
        values = {**values, **{name: own[name] for name in CODE_ATTRIBUTES if name in own}}
    plain = {name: str(value)[:200] for name, value in values.items() if type(value) in (str, int)}
    clean = sight.redactor.text
    return to_json({name: clean(text) for name, text in (plain | found).items()})


def _class_attribute(cls: type, name: str) -> Any:
    return next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)
