"""Vocabulary types to plain JSON and back, driven by their annotations.

One rule for each kind of annotation; the wire format of records, the JSON columns of stores and the
``--json`` output of commands are all made here. Reading validates: what doesn't fit raises
`RecordError` with the path of the bad value.
"""

import base64
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
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
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is list:  # most of a record is trees, and most of a tree is this
        return [item if type(item) in _ATOMS else to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(item) for item in value]
    return value


def to_tagged(value: Any) -> Any:
    """As `to_plain`, with the class's name under ``class``, for members of a union."""
    return {_UNION_TAG: type(value).__name__.lower(), **to_plain(value)}


def from_tagged(union: Any, data: Any) -> Any:
    """Read what `to_tagged` wrote as one member of `union`, a union of dataclasses."""
    members = {member.__name__.lower(): member for member in get_args(union)}
    if not isinstance(data, Mapping) or data.get(_UNION_TAG) not in members:
        found = data.get(_UNION_TAG) if isinstance(data, Mapping) else data
        raise RecordError(f"{_UNION_TAG}: {_short(found)} is none of {', '.join(sorted(members))}")
    return from_plain(members[data[_UNION_TAG]], {k: v for k, v in data.items() if k != _UNION_TAG})


def from_plain(kind: type[T], data: Any, path: str = "") -> T:
    """Read `data` as `kind`; the inverse of `to_plain`.

    Datetimes are also read from integers: microseconds since the epoch. Unknown keys are ignored,
    so that an older reader understands a newer writer. Raises `RecordError`.
    """
    value: T = _read(kind, data, path or kind.__name__)
    return value


def _read(kind: Any, data: Any, path: str) -> Any:
    if type(data) is kind:
        return data
    if isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind is Any:
        return data
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(kind, data, path)
    if origin is not None:
        return _read_generic(origin, get_args(kind), data, path)
    if is_dataclass(kind):
        return _read_dataclass(kind, data, path)
    return _read_scalar(kind, data, path)


def _read_union(kind: Any, data: Any, path: str) -> Any:
    if data is None and types.NoneType in get_args(kind):
        return None
    # Two kinds of id are both read as text.
    members = {
        member.__supertype__ if isinstance(member, NewType) else member
        for member in get_args(kind)
        if member is not types.NoneType
    }
    if len(members) != 1:
        raise TypeError(f"{path}: unions other than with None go through from_tagged")
    return _read(members.pop(), data, path)


def _read_generic(origin: Any, arguments: tuple[Any, ...], data: Any, path: str) -> Any:
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise RecordError(f"{path}: expected an object, got {_short(data)}")
        return {key: _read(arguments[1], item, f"{path}.{key}") for key, item in data.items()}
    if not isinstance(data, list):
        raise RecordError(f"{path}: expected a list, got {_short(data)}")
    if origin is tuple and arguments[-1] is not Ellipsis:
        if len(data) != len(arguments):
            raise RecordError(f"{path}: expected {len(arguments)} items, got {len(data)}")
        kinds: Sequence[Any] = arguments
    else:
        kinds = [arguments[0]] * len(data)
    return tuple(
        _read(kind, item, f"{path}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, data, strict=True))
    )


@cache
def _shape(kind: type) -> tuple[tuple[Field[Any], Any], ...]:
    hints = typing.get_type_hints(kind)
    return tuple((item, hints[item.name]) for item in fields(kind))


def _read_dataclass(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise RecordError(f"{path}: expected an object, got {_short(data)}")
    values = {}
    for item, hint in _shape(kind):
        if item.name in data:
            values[item.name] = _read(hint, data[item.name], f"{path}.{item.name}")
        elif item.default is MISSING and item.default_factory is MISSING:
            raise RecordError(f"{path}.{item.name} is missing")
    return kind(**values)


def _read_scalar(kind: Any, data: Any, path: str) -> Any:
    try:
        if kind is datetime:
            return _read_datetime(data)
        if kind is bytes:
            return base64.b64decode(data, validate=True)
        if issubclass(kind, Enum):
            return kind(data)
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordError(f"{path}: {_short(data)} is no valid {kind.__name__}") from error
    if kind is float and type(data) is int:
        return float(data)
    if type(data) is not kind:
        raise RecordError(f"{path}: expected {kind.__name__}, got {_short(data)}")
    return data


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
