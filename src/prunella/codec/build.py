"""What each tag of a tree becomes: one small function a tag."""

from typing import TYPE_CHECKING, Any

from prunella.codec.build_frames import FRAME_BUILDERS
from prunella.codec.build_objects import OBJECT_BUILDERS, Builder
from prunella.codec.nodes import arity, base64, integer, malformed, maxlen, text
from prunella.codec.zones import ZONE_BUILDERS
from prunella.model.errors import RecordError
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.decode import Decoder


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
    return base64(arity(node, 2)[1])


def _bytearray(_: "Decoder", node: list[Tree]) -> Any:
    return bytearray(base64(arity(node, 2)[1]))


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

    return decoder.fill_list(deque(maxlen=maxlen(node)), node[2:], deque.extend)


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
    return array(text(code), base64(content))


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
    **OBJECT_BUILDERS,
    **FRAME_BUILDERS,
    **ZONE_BUILDERS,
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
    "range": _range,
    "slice": _slice,
    "re": _pattern,
    "dq": _deque,
    "od": _ordered_dict,
    "dd": _defaultdict,
    "ct": _counter,
    "mp": _mapping_proxy,
    "arr": _array,
    "?": _opaque,
    "cut": _cut,
    "redacted": _redacted,
}
