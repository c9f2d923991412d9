"""Vocabulary types to plain JSON and back, driven by their annotations.

One rule for each kind of annotation; the wire format of records, the JSON columns of stores and the
``--json`` output of commands are all made here. Reading validates: what doesn't fit raises
`RecordError` with the path of the bad value.
"""

import base64
import types
import typing
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, get_args, get_origin

from prunella.model.clock import from_us
from prunella.model.errors import RecordError

T = TypeVar("T")

#: No field can have this name, because it is a keyword.
_UNION_TAG = "class"


_ATOMS = frozenset({type(None), bool, int, float, str})


def to_plain(value: Any) -> Any:
    """Return `value` as JSON types: dataclasses as objects, datetimes as ISO 8601, bytes as base64."""
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    if kind is list:  # most of a record is trees, and most of a tree is this
        return [item if type(item) in _ATOMS else to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    names = _names(kind)
    if names is not None:
        return {
            name: item if type(item := getattr(value, name)) in _ATOMS else to_plain(item)
            for name in names
        }
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(item) for item in value]
    return value


@cache
def _names(kind: type) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields, ``None`` for other classes."""
    return tuple(item.name for item in fields(kind)) if is_dataclass(kind) else None


def to_tagged(value: Any) -> Any:
    """As `to_plain`, with the class's name under ``class``, for members of a union."""
    return {_UNION_TAG: type(value).__name__.lower(), **to_plain(value)}


def from_tagged(union: Any, data: Any) -> Any:
    """Read what `to_tagged` wrote as one member of `union`, a union of dataclasses."""
    members = _members(union)
    tag = data.get(_UNION_TAG) if isinstance(data, Mapping) else data
    member = members.get(tag) if isinstance(tag, str) else None
    if member is None or tag is data:
        raise RecordError(f"{_UNION_TAG}: {_short(tag)} is none of {', '.join(sorted(members))}")
    return from_plain(member, data)  # no field has the tag's name, and others are ignored


@cache
def _members(union: Any) -> Mapping[str, type]:
    return {member.__name__.lower(): member for member in get_args(union)}


def from_plain(kind: type[T], data: Any, path: str = "") -> T:
    """Read `data` as `kind`; the inverse of `to_plain`.

    Datetimes are also read from integers: microseconds since the epoch. Unknown keys are ignored,
    so that an older reader understands a newer writer. Raises `RecordError`.
    """
    try:
        value: T = _reader(typing.cast(Hashable, kind))(data)
    except _UnreadableError as error:
        raise RecordError(f"{path or kind.__name__}{error}") from error.__cause__
    return value


#: Reads data as one kind; raises `_UnreadableError`.
_Reader = Callable[[Any], Any]


class _UnreadableError(Exception):
    """What is wrong with the data, behind the path to it: parts are put in front on the way out."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def below(self, part: str) -> "_UnreadableError":
        self.what = part + self.what
        return self

    def __str__(self) -> str:
        return self.what


@cache
def _reader(kind: Any) -> _Reader:
    """Return how data is read as `kind`: found out once for each annotation."""
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind is Any:
        return _as_it_is
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union_reader(kind)
    if origin is not None:
        return _generic_reader(origin, get_args(kind))
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    return _scalar_reader(kind)


def _as_it_is(data: Any) -> Any:
    return data


def _union_reader(kind: Any) -> _Reader:
    # Two kinds of id are both read as text.
    members = {
        member.__supertype__ if isinstance(member, NewType) else member
        for member in get_args(kind)
        if member is not types.NoneType
    }
    if len(members) != 1:
        raise TypeError(f"{kind}: unions other than with None go through from_tagged")
    read = _reader(members.pop())
    if types.NoneType not in get_args(kind):
        return read
    return lambda data: None if data is None else read(data)


def _generic_reader(origin: Any, arguments: tuple[Any, ...]) -> _Reader:
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_reader(_reader(arguments[1]), _taken_as_they_are(arguments[1]))
    if origin is tuple and arguments[-1] is not Ellipsis:
        plain = [_taken_as_they_are(argument) for argument in arguments]
        return _tuple_reader([_reader(argument) for argument in arguments], plain)
    return _list_reader(_reader(arguments[0]), _taken_as_they_are(arguments[0]))


def _mapping_reader(read: _Reader, plain: frozenset[type]) -> _Reader:
    def read_mapping(data: Any) -> Any:
        if type(data) is not dict and not isinstance(data, Mapping):
            raise _UnreadableError(f": expected an object, got {_short(data)}")
        if plain.issuperset(map(type, data.values())):
            return dict(data)
        values = {}
        for key, item in data.items():
            try:
                values[key] = read(item)
            except _UnreadableError as error:
                raise error.below(f".{key}") from error.__cause__
        return values

    return read_mapping


def _list_reader(read: _Reader, plain: frozenset[type]) -> _Reader:
    def read_list(data: Any) -> Any:
        if not isinstance(data, list):
            raise _UnreadableError(f": expected a list, got {_short(data)}")
        if plain.issuperset(map(type, data)):
            return tuple(data)
        values: list[Any] = []
        try:
            for item in data:
                values.append(read(item))  # noqa: PERF401 - the number is told where one fails
        except _UnreadableError as error:
            raise error.below(f"[{len(values)}]") from error.__cause__
        return tuple(values)

    return read_list


def _tuple_reader(readers: Sequence[_Reader], plain: Sequence[frozenset[type]]) -> _Reader:
    def read_tuple(data: Any) -> Any:
        if not isinstance(data, list):
            raise _UnreadableError(f": expected a list, got {_short(data)}")
        if len(data) != len(readers):
            raise _UnreadableError(f": expected {len(readers)} items, got {len(data)}")
        values: list[Any] = []
        try:
            for read, known, item in zip(readers, plain, data, strict=True):
                values.append(item if type(item) in known else read(item))
        except _UnreadableError as error:
            raise error.below(f"[{len(values)}]") from error.__cause__
        return tuple(values)

    return read_tuple


def _dataclass_reader(kind: Any) -> _Reader:
    shape: list[_Field] = []

    def read_dataclass(data: Any) -> Any:
        if type(data) is kind:
            return data
        if not isinstance(data, Mapping):
            raise _UnreadableError(f": expected an object, got {_short(data)}")
        values = {}
        for name, plain, read, is_needed in shape or _fill(shape, kind):
            item = data.get(name, MISSING)
            if type(item) in plain:  # most are
                values[name] = item
            elif item is MISSING:
                if is_needed:
                    raise _UnreadableError(f".{name} is missing")
            else:
                try:
                    values[name] = read(item)
                except _UnreadableError as error:
                    raise error.below(f".{name}") from error.__cause__
        return kind(**values)

    return read_dataclass


#: The name of a field, the types whose values are taken as they are, how others are read, and whether
#: it is needed.
_Field = tuple[str, frozenset[type], _Reader, bool]


def _fill(shape: list[_Field], kind: Any) -> list[_Field]:
    """Find out a dataclass's fields when it is first read: a field may be of the class itself."""
    hints = typing.get_type_hints(kind)
    shape[:] = [
        (
            item.name,
            _taken_as_they_are(hints[item.name]),
            _reader(hints[item.name]),
            item.default is MISSING and item.default_factory is MISSING,
        )
        for item in fields(kind)
    ]
    return shape


def _taken_as_they_are(kind: Any) -> frozenset[type]:
    """Return the types whose values are the same in JSON and as `kind`."""
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if get_origin(kind) in (Union, types.UnionType):
        return frozenset().union(*map(_taken_as_they_are, get_args(kind)))
    return frozenset({kind}) if kind in _ATOMS else frozenset()


def _scalar_reader(kind: Any) -> _Reader:
    convert = _converter(kind)

    def read_scalar(data: Any) -> Any:
        if type(data) is kind:
            return data
        if convert is None or (kind is float and type(data) is not int):
            raise _UnreadableError(f": expected {kind.__name__}, got {_short(data)}")
        try:
            return convert(data)
        except (ValueError, TypeError, OverflowError) as error:
            raise _UnreadableError(f": {_short(data)} is no valid {kind.__name__}") from error

    return read_scalar


def _converter(kind: Any) -> _Reader | None:
    """Return what makes a scalar of that kind of its JSON form; ``None`` where both are the same."""
    if kind is datetime:
        return _read_datetime
    if kind is bytes:
        return lambda data: base64.b64decode(data, validate=True)
    if kind is float:  # JSON has one kind of number
        return float
    if issubclass(kind, Enum):
        member: _Reader = kind
        return member
    return None


def _read_datetime(data: Any) -> datetime:
    if type(data) is int:
        return from_us(data)
    moment = datetime.fromisoformat(data)
    if moment.tzinfo is None:
        raise ValueError(data)
    return moment


def _short(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 80 else f"{text[:77]}..."
