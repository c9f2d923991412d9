"""What each tag of a tree becomes: one small function a tag."""

from binascii import a2b_base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from prunella.codec import classes
from prunella.model.errors import RecordError
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.decode import Decoder

Builder: TypeAlias = "Callable[[Decoder, list[Tree]], Any]"

# --- reading nodes ------------------------------------------------------------------------------


def malformed(node: Tree) -> RecordError:
    """Return the error that shows the beginning of a bad node."""
    shown = str(node if type(node) is not list else node[:3])
    return RecordError(f"encoded value is malformed at {shown:.120}")


def arity(node: list[Tree], *sizes: int) -> list[Tree]:
    """Return `node` if it has one of these lengths, its tag included."""
    if len(node) not in sizes:
        raise malformed(node)
    return node


def tagged(node: Tree, *tags: str) -> list[Tree]:
    """Return `node` if it is a list under one of these tags."""
    if type(node) is not list or not node or node[0] not in tags:
        raise malformed(node)
    return node


def text(node: Tree) -> str:
    """Return `node` if it is a string."""
    if type(node) is not str:
        raise RecordError(f"encoded value has {node!s:.80} where a string belongs")
    return node


def integer(node: Tree) -> int:
    """Return `node` if it is an integer."""
    if type(node) is not int:
        raise RecordError(f"encoded value has {node!s:.80} where an integer belongs")
    return node


def _bytes(node: Tree) -> bytes:
    return a2b_base64(text(node), strict_mode=True)


# --- scalars ------------------------------------------------------------------------------------

_FLOATS = {name: float(name) for name in ("nan", "inf", "-inf")}


def _float(_: "Decoder", node: list[Tree]) -> Any:
    name = text(arity(node, 2)[1])
    if name not in _FLOATS:
        raise malformed(node)
    return _FLOATS[name]


def _int(_: "Decoder", node: list[Tree]) -> Any:
    return int(text(arity(node, 2)[1]), 16)


def _complex(decoder: "Decoder", node: list[Tree]) -> Any:
    parts = [decoder.value(part) for part in arity(node, 3)[1:]]
    if any(type(part) not in (int, float) for part in parts):
        raise malformed(node)
    return complex(*parts)


def _bytes_value(_: "Decoder", node: list[Tree]) -> Any:
    return _bytes(arity(node, 2)[1])


def _bytearray(_: "Decoder", node: list[Tree]) -> Any:
    return bytearray(_bytes(arity(node, 2)[1]))


def _decimal(_: "Decoder", node: list[Tree]) -> Any:
    from decimal import Decimal

    return Decimal(text(arity(node, 2)[1]))


def _fraction(decoder: "Decoder", node: list[Tree]) -> Any:
    from fractions import Fraction

    numerator, denominator = decoder.values(arity(node, 3)[1:])
    return Fraction(numerator, denominator)


def _zone(decoder: "Decoder", node: Tree) -> Any:
    from datetime import tzinfo

    zone = None if node is None else decoder.whole(node)
    if zone is not None and not isinstance(zone, tzinfo):
        raise malformed(node)
    return zone


def _datetime(decoder: "Decoder", node: list[Tree]) -> Any:
    from datetime import datetime

    _, iso, zone, fold = arity(node, 4)
    plain = datetime.fromisoformat(text(iso))
    return plain.replace(tzinfo=_zone(decoder, zone), fold=integer(fold))


def _time(decoder: "Decoder", node: list[Tree]) -> Any:
    from datetime import time

    _, iso, zone, fold = arity(node, 4)
    plain = time.fromisoformat(text(iso))
    return plain.replace(tzinfo=_zone(decoder, zone), fold=integer(fold))


def _date(_: "Decoder", node: list[Tree]) -> Any:
    from datetime import date

    return date.fromisoformat(text(arity(node, 2)[1]))


def _timedelta(_: "Decoder", node: list[Tree]) -> Any:
    from datetime import timedelta

    return timedelta(*(integer(part) for part in arity(node, 4)[1:]))


def _timezone(_: "Decoder", node: list[Tree]) -> Any:
    from datetime import timedelta, timezone

    offset = timedelta(microseconds=integer(arity(node, 2, 3)[1]))
    return timezone(offset, text(node[2])) if len(node) == 3 else timezone(offset)


def _zoneinfo(_: "Decoder", node: list[Tree]) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(text(arity(node, 2)[1]))


def _uuid(_: "Decoder", node: list[Tree]) -> Any:
    from uuid import UUID

    return UUID(text(arity(node, 2)[1]))


_PATHS = ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")


def _path(_: "Decoder", node: list[Tree]) -> Any:
    import pathlib

    _tag, name, path = arity(node, 3)
    if name not in _PATHS:
        raise malformed(node)
    return getattr(pathlib, text(name))(text(path))


def _range(_: "Decoder", node: list[Tree]) -> Any:
    return range(*(integer(part) for part in arity(node, 4)[1:]))


def _slice(decoder: "Decoder", node: list[Tree]) -> Any:
    return slice(*decoder.values(arity(node, 4)[1:]))


def _pattern(decoder: "Decoder", node: list[Tree]) -> Any:
    import re

    _tag, pattern, flags = arity(node, 3)
    source = decoder.value(pattern)
    if type(source) not in (str, bytes):
        raise malformed(node)
    return re.compile(source, integer(flags))


# --- containers ---------------------------------------------------------------------------------


def _list(decoder: "Decoder", node: list[Tree]) -> Any:
    return decoder.fill_list([], node[1:], list.extend)


def _tuple(decoder: "Decoder", node: list[Tree]) -> Any:
    return tuple(decoder.values(node[1:]))


def _set(decoder: "Decoder", node: list[Tree]) -> Any:
    return decoder.fill_set(set(), node[1:])


def _frozenset(decoder: "Decoder", node: list[Tree]) -> Any:
    return frozenset([decoder.whole(item) for item in node[1:]])


def _dict(decoder: "Decoder", node: list[Tree]) -> Any:
    return decoder.fill_dict({}, node[1:])


def _deque(decoder: "Decoder", node: list[Tree]) -> Any:
    from collections import deque

    return decoder.fill_list(deque(maxlen=_maxlen(node)), node[2:], deque.extend)


def _maxlen(node: list[Tree]) -> int | None:
    if len(node) < 2:
        raise malformed(node)
    return None if node[1] is None else integer(node[1])


def _ordered_dict(decoder: "Decoder", node: list[Tree]) -> Any:
    from collections import OrderedDict

    return decoder.fill_dict(OrderedDict(), node[1:])


def _defaultdict(decoder: "Decoder", node: list[Tree]) -> Any:
    from collections import defaultdict

    if len(node) < 2:
        raise malformed(node)
    return decoder.fill_dict(defaultdict(decoder.whole(node[1])), node[2:])


def _counter(decoder: "Decoder", node: list[Tree]) -> Any:
    from collections import Counter

    return decoder.fill_dict(Counter(), node[1:])


def _mapping_proxy(decoder: "Decoder", node: list[Tree]) -> Any:
    from types import MappingProxyType

    inner = decoder.value(arity(node, 2)[1])
    if type(inner) is not dict:
        raise malformed(node)
    return MappingProxyType(inner)


def _array(_: "Decoder", node: list[Tree]) -> Any:
    from array import array

    _tag, code, content = arity(node, 3)
    return array(text(code), _bytes(content))


# --- classes ------------------------------------------------------------------------------------


def _object(decoder: "Decoder", node: list[Tree]) -> Any:
    value = decoder.instance(arity(node, 3)[1], object)
    decoder.set_state(value, node[2])
    return value


def _subclass(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, path, part, state = arity(node, 4)
    read = _PARTS.get(part[0] if type(part) is list and part else type(part).__name__)
    if read is None:
        raise malformed(node)
    value = read(decoder, path, part)
    decoder.set_state(value, state)
    return value


def _scalar_part(decoder: "Decoder", path: Tree, part: Tree) -> Any:
    plain = decoder.whole(part)
    return decoder.instance(path, type(plain), plain)


def _list_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    return decoder.fill_list(decoder.instance(path, list), part[1:], list.extend)


def _set_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    return decoder.fill_set(decoder.instance(path, set), part[1:])


def _dict_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    return decoder.fill_dict(decoder.instance(path, dict), part[1:])


def _defaultdict_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    from collections import defaultdict

    if len(part) < 2:
        raise malformed(part)
    value = decoder.instance(path, defaultdict)
    defaultdict.__init__(value, decoder.whole(part[1]))
    return decoder.fill_dict(value, part[2:])


def _deque_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    from collections import deque

    value = decoder.instance(path, deque)
    deque.__init__(value, (), _maxlen(part))
    return decoder.fill_list(value, part[2:], deque.extend)


_PARTS: dict[Tree, Callable[["Decoder", Tree, Any], Any]] = {
    **dict.fromkeys(("str", "int", "float", "f", "i", "c", "b", "ba", "t", "fs"), _scalar_part),
    "l": _list_part,
    "s": _set_part,
    "d": _dict_part,
    "od": _dict_part,
    "dd": _defaultdict_part,
    "dq": _deque_part,
}


def _namedtuple(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, path, fields = arity(node, 3)
    return decoder.instance(path, tuple, decoder.values(tagged(fields, "d")[2::2]))


def _exception(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, path, arguments, state = arity(node, 4)
    # a group looks at its exceptions when it is made
    is_group = classes.derives(decoder.a_class(path), BaseExceptionGroup)
    read = decoder.whole if is_group else decoder.value
    values = [read(item) for item in tagged(arguments, "t")[1:]]
    value = decoder.instance(path, BaseException, *values)
    base: Any = classes.base_of(type(value))
    try:
        base.__init__(value, *values)  # the built-in's own, which sets errno, code, encoding, …
    except TypeError:
        BaseException.__init__(value, *values)
    decoder.set_state(value, state)
    return value


def _enum(decoder: "Decoder", node: list[Tree]) -> Any:
    members = classes.lookup(decoder.a_class(arity(node, 3)[1]), "_member_map_")
    if type(members) is not dict or text(node[2]) not in members:
        raise RecordError(f"{node[1]} has no member {node[2]!r:.80} any more")
    return members[node[2]]


def _flag(decoder: "Decoder", node: list[Tree]) -> Any:
    from enum import Flag

    cls = decoder.a_class(arity(node, 3)[1])
    number = decoder.value(node[2])
    if not classes.derives(cls, Flag) or type(number) is not int:
        raise malformed(node)
    known = classes.lookup(cls, "_value2member_map_").get(number)
    return known if known is not None else Flag._missing_.__func__(cls, number)  # type: ignore[attr-defined]


def _function(decoder: "Decoder", node: list[Tree]) -> Any:
    return decoder.resolve(text(arity(node, 2)[1]))


def _bound_method(decoder: "Decoder", node: list[Tree]) -> Any:
    from types import FunctionType, MethodType

    owner, function = decoder.values(arity(node, 3)[1:])
    if type(function) is not FunctionType:
        raise malformed(node)
    return MethodType(function, owner)


# --- numpy --------------------------------------------------------------------------------------


def _numpy_values(decoder: "Decoder", kind: Tree, content: Tree) -> Any:
    import numpy

    dtype = numpy.dtype(text(kind))
    if dtype.hasobject:
        raise RecordError(f"encoded array has elements of dtype {dtype}")
    if dtype.kind in "US":
        return numpy.array(decoder.values(tagged(content, "l")[1:]), dtype=dtype)
    return numpy.frombuffer(_bytes(content), dtype=dtype).copy()


def _numpy_array(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, kind, shape, content = arity(node, 4)
    sizes = [integer(size) for size in tagged(shape, "t")[1:]]
    return _numpy_values(decoder, kind, content).reshape(sizes)


def _numpy_scalar(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, kind, content = arity(node, 3)
    import numpy

    dtype = numpy.dtype(text(kind))
    if dtype.kind in "US":
        return dtype.type(decoder.whole(content))
    return _numpy_values(decoder, kind, content)[0]


# --- marks --------------------------------------------------------------------------------------


def _opaque(_: "Decoder", node: list[Tree]) -> Any:
    raise RecordError(f"a value of {node[1:2]!s:.120} was not recorded: {node[2:]!s:.120}")


def _cut(_: "Decoder", node: list[Tree]) -> Any:
    raise RecordError(f"a value was recorded in part only, it has {node[1:2]!s:.40} items")


def _redacted(_: "Decoder", node: list[Tree]) -> Any:
    raise RecordError(f"a secret was not recorded: {node[1:3]!s:.80}")


def _defined(decoder: "Decoder", node: list[Tree]) -> Any:
    return decoder.referred(arity(node, 3)[1])


def _referred(decoder: "Decoder", node: list[Tree]) -> Any:
    return decoder.referred(arity(node, 2)[1])


BUILDERS: dict[str, Builder] = {
    "f": _float,
    "i": _int,
    "c": _complex,
    "b": _bytes_value,
    "ba": _bytearray,
    "l": _list,
    "t": _tuple,
    "s": _set,
    "fs": _frozenset,
    "d": _dict,
    "&": _defined,
    "*": _referred,
    "dec": _decimal,
    "frac": _fraction,
    "dt": _datetime,
    "date": _date,
    "time": _time,
    "td": _timedelta,
    "tz": _timezone,
    "zi": _zoneinfo,
    "uuid": _uuid,
    "path": _path,
    "enum": _enum,
    "flag": _flag,
    "range": _range,
    "slice": _slice,
    "re": _pattern,
    "dq": _deque,
    "od": _ordered_dict,
    "dd": _defaultdict,
    "ct": _counter,
    "mp": _mapping_proxy,
    "arr": _array,
    "nt": _namedtuple,
    "sub": _subclass,
    "o": _object,
    "x": _exception,
    "fn": _function,
    "bm": _bound_method,
    "np": _numpy_array,
    "nps": _numpy_scalar,
    "?": _opaque,
    "cut": _cut,
    "redacted": _redacted,
}
