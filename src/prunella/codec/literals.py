"""Python source for recorded values, for regression tests that people are going to read."""

from binascii import a2b_base64
from dataclasses import dataclass

from prunella.codec.parts import unwrapped
from prunella.model.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """An expression that makes a value."""

    expression: str
    #: Import statements that the expression needs, sorted, without line breaks.
    imports: tuple[str, ...]


#: Longer expressions are no pleasure to read.
_MAX_LENGTH = 4_000


class _Unreadable(Exception):
    """No expression says this."""


def literal(tree: Tree) -> Literal | None:
    """Return Python source for the value, or ``None`` where nothing readable makes it.

    There is none for instances of classes (their constructors may do anything), for values with
    shared or cyclic parts, for opaque, cut and redacted ones, and for very long ones. Named tuples
    and enum members have one; it imports their module. No repr of a user's class is trusted: each
    name in the expression is checked to be an identifier.
    """
    imports: set[str] = set()
    try:
        expression = _source(tree, imports, 0)
    except (_Unreadable, IndexError, TypeError, ValueError):
        return None
    bound = [statement.rpartition(" ")[2] for statement in imports]
    if len(expression) > _MAX_LENGTH or len(bound) != len(set(bound)):
        return None
    return Literal(expression=expression, imports=tuple(sorted(imports)))


def _source(node: Tree, imports: set[str], depth: int) -> str:
    if depth > 20:
        raise _Unreadable
    if type(node) is str or type(node) is int or type(node) is float or node is None:
        return repr(node)
    if type(node) is bool:
        return repr(node)
    if type(node) is not list or not node or type(node[0]) is not str:
        raise _Unreadable
    if node[0] in _BRACKETS:
        return _bracketed(node, imports, depth)
    write = _WRITERS.get(node[0])
    if write is None:
        raise _Unreadable
    return write(node, imports, depth)


def _many(nodes: list[Tree], imports: set[str], depth: int) -> list[str]:
    return [_source(node, imports, depth + 1) for node in nodes]


_BRACKETS = {"l": ("[", "]"), "t": ("(", ")"), "s": ("{", "}"), "fs": ("frozenset({", "})")}
_EMPTY = {"s": "set()", "fs": "frozenset()"}


def _bracketed(node: list[Tree], imports: set[str], depth: int) -> str:
    tag = str(node[0])
    if len(node) == 1 and tag in _EMPTY:
        return _EMPTY[tag]
    start, end = _BRACKETS[tag]
    comma = "," if tag == "t" and len(node) == 2 else ""
    return start + ", ".join(_many(node[1:], imports, depth)) + comma + end


def _mapping(nodes: list[Tree], imports: set[str], depth: int) -> str:
    if len(nodes) % 2:
        raise _Unreadable
    parts = _many(nodes, imports, depth)
    items = [f"{key}: {value}" for key, value in zip(parts[::2], parts[1::2], strict=True)]
    return "{" + ", ".join(items) + "}"


def _dict(node: list[Tree], imports: set[str], depth: int) -> str:
    return _mapping(node[1:], imports, depth)


def _float(node: list[Tree], _: set[str], __: int) -> str:
    if node[1] not in ("nan", "inf", "-inf"):
        raise _Unreadable
    return f'float("{node[1]}")'


def _int(node: list[Tree], _: set[str], __: int) -> str:
    return hex(int(_text(node[1]), 16))


def _complex(node: list[Tree], imports: set[str], depth: int) -> str:
    return f"complex({', '.join(_many(node[1:3], imports, depth))})"


def _bytes(node: list[Tree], _: set[str], __: int) -> str:
    return repr(a2b_base64(_text(node[1]), strict_mode=True))


def _bytearray(node: list[Tree], _: set[str], __: int) -> str:
    return f"bytearray({a2b_base64(_text(node[1]), strict_mode=True)!r})"


def _decimal(node: list[Tree], imports: set[str], _: int) -> str:
    imports.add("from decimal import Decimal")
    return f"Decimal({_quoted(node[1])})"


def _fraction(node: list[Tree], imports: set[str], depth: int) -> str:
    imports.add("from fractions import Fraction")
    return f"Fraction({', '.join(_many(node[1:3], imports, depth))})"


def _datetime(node: list[Tree], imports: set[str], depth: int) -> str:
    from datetime import datetime

    imports.add("import datetime")
    moment = datetime.fromisoformat(_text(node[1]))
    fields = [moment.year, moment.month, moment.day, moment.hour, moment.minute]
    fields += [moment.second, moment.microsecond]
    while len(fields) > 3 and not fields[-1]:
        fields.pop()
    return f"datetime.datetime({_fields(fields)}{_zone_and_fold(node, imports, depth)})"


def _time(node: list[Tree], imports: set[str], depth: int) -> str:
    from datetime import time

    imports.add("import datetime")
    moment = time.fromisoformat(_text(node[1]))
    fields = [moment.hour, moment.minute, moment.second, moment.microsecond]
    while len(fields) > 2 and not fields[-1]:
        fields.pop()
    return f"datetime.time({_fields(fields)}{_zone_and_fold(node, imports, depth)})"


def _fields(fields: list[int]) -> str:
    return ", ".join(str(field) for field in fields)


def _zone_and_fold(node: list[Tree], imports: set[str], depth: int) -> str:
    zone = "" if node[2] is None else f", tzinfo={_source(node[2], imports, depth + 1)}"
    return f"{zone}, fold=1" if node[3] == 1 else zone


def _date(node: list[Tree], imports: set[str], _: int) -> str:
    from datetime import date

    imports.add("import datetime")
    day = date.fromisoformat(_text(node[1]))
    return f"datetime.date({day.year}, {day.month}, {day.day})"


def _timedelta(node: list[Tree], imports: set[str], _: int) -> str:
    imports.add("import datetime")
    names = ("days", "seconds", "microseconds")
    parts = [f"{name}={_whole(n)}" for name, n in zip(names, node[1:4], strict=True) if n]
    return f"datetime.timedelta({', '.join(parts)})"


def _timezone(node: list[Tree], imports: set[str], _: int) -> str:
    imports.add("import datetime")
    offset_us = _whole(node[1])
    if not offset_us and len(node) == 2:
        return "datetime.UTC"
    seconds, us = divmod(offset_us, 1_000_000)
    offset = f"datetime.timedelta(seconds={seconds}" + (f", microseconds={us})" if us else ")")
    name = f", {_quoted(node[2])}" if len(node) == 3 else ""
    return f"datetime.timezone({offset}{name})"


def _zoneinfo(node: list[Tree], imports: set[str], _: int) -> str:
    imports.add("from zoneinfo import ZoneInfo")
    return f"ZoneInfo({_quoted(node[1])})"


def _uuid(node: list[Tree], imports: set[str], _: int) -> str:
    from uuid import UUID

    imports.add("from uuid import UUID")
    return f"UUID({_quoted(str(UUID(_text(node[1]))))})"


def _path(node: list[Tree], imports: set[str], _: int) -> str:
    if node[1] == "PosixPath":
        imports.add("from pathlib import Path")
        return f"Path({_quoted(node[2])})"
    if node[1] not in ("PurePosixPath", "PureWindowsPath"):
        raise _Unreadable
    imports.add(f"from pathlib import {node[1]}")
    return f"{node[1]}({_quoted(node[2])})"


def _range(node: list[Tree], _: set[str], __: int) -> str:
    start, stop, step = (_whole(part) for part in node[1:4])
    if step != 1:
        return f"range({start}, {stop}, {step})"
    return f"range({start}, {stop})" if start else f"range({stop})"


def _slice(node: list[Tree], imports: set[str], depth: int) -> str:
    return f"slice({', '.join(_many(node[1:4], imports, depth))})"


def _pattern(node: list[Tree], imports: set[str], depth: int) -> str:
    imports.add("import re")
    source = node[1]
    flags = _whole(node[2]) & ~(32 if type(source) is str else 0)  # re.UNICODE is implied
    return f"re.compile({_source(source, imports, depth + 1)}{f', {flags}' if flags else ''})"


def _deque(node: list[Tree], imports: set[str], depth: int) -> str:
    imports.add("from collections import deque")
    bound = "" if node[1] is None else f", maxlen={_whole(node[1])}"
    return f"deque([{', '.join(_many(node[2:], imports, depth))}]{bound})"


def _ordered_dict(node: list[Tree], imports: set[str], depth: int) -> str:
    imports.add("from collections import OrderedDict")
    return f"OrderedDict({_mapping(node[1:], imports, depth)})"


def _defaultdict(node: list[Tree], imports: set[str], depth: int) -> str:
    imports.add("from collections import defaultdict")
    factory = _source(node[1], imports, depth + 1)
    return f"defaultdict({factory}, {_mapping(node[2:], imports, depth)})"


def _counter(node: list[Tree], imports: set[str], depth: int) -> str:
    imports.add("from collections import Counter")
    return f"Counter({_mapping(node[1:], imports, depth)})"


def _enum(node: list[Tree], imports: set[str], _: int) -> str:
    return f"{_imported(node[1], imports)}.{_identifier(node[2])}"


def _namedtuple(node: list[Tree], imports: set[str], depth: int) -> str:
    name = _imported(node[1], imports)
    fields = unwrapped(node[2])
    if type(fields) is not list or fields[0] != "d" or len(fields) % 2 != 1:
        raise _Unreadable
    parts = [
        f"{_identifier(fields[at])}={_source(fields[at + 1], imports, depth + 1)}"
        for at in range(1, len(fields), 2)
    ]
    return f"{name}({', '.join(parts)})"


def _exception(node: list[Tree], imports: set[str], depth: int) -> str:
    path, arguments, state = _text(node[1]), unwrapped(node[2]), node[3]
    if not path.startswith("builtins:") or type(arguments) is not list or state is not None:
        raise _Unreadable
    parts = _many(arguments[1:], imports, depth)
    return f"{_imported(path, imports)}({', '.join(parts)})"


def _function(node: list[Tree], imports: set[str], _: int) -> str:
    return _imported(node[1], imports)


def _imported(path: Tree, imports: set[str]) -> str:
    module, _, qualname = _text(path).partition(":")
    names = qualname.split(".")
    if module == "__main__" or not all(_is_name(part) for part in (*module.split("."), *names)):
        raise _Unreadable
    if module == "builtins":
        return qualname
    imports.add(f"from {module} import {names[0]}")
    return qualname


def _is_name(text: str) -> bool:
    from keyword import iskeyword

    return text.isidentifier() and not iskeyword(text)


def _identifier(node: Tree) -> str:
    if not _is_name(_text(node)):
        raise _Unreadable
    return _text(node)


def _text(node: Tree) -> str:
    if type(node) is not str:
        raise _Unreadable
    return node


def _quoted(node: Tree) -> str:
    return repr(_text(node))


def _whole(node: Tree) -> int:
    if type(node) is not int:
        raise _Unreadable
    return node


_WRITERS = {
    "d": _dict,
    "f": _float,
    "i": _int,
    "c": _complex,
    "b": _bytes,
    "ba": _bytearray,
    "dec": _decimal,
    "frac": _fraction,
    "dt": _datetime,
    "time": _time,
    "date": _date,
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
    "enum": _enum,
    "nt": _namedtuple,
    "x": _exception,
    "fn": _function,
}
