"""Trees of the standard library's types, and of numpy's arrays.

Handlers are found by the path of the exact class, so that nothing is imported for the sake of a
type which the program doesn't use: whoever has a `Decimal` has imported `decimal`.
"""

import _thread
import types
from typing import Any

from prunella.codec import classes
from prunella.codec.encode import base64_text, binary_node
from prunella.codec.encoder import HEAD_ITEMS, Encoder, Handler, Head
from prunella.model.tree import Tree


def handler_by_path(kind: type, path: str) -> "Handler | None":
    """Return the handler of `kind` where it is one of the types known here."""
    handler = _BY_TYPE.get(id(kind))
    if handler is not None:
        return handler
    handler = _BY_PATH.get(path)
    if handler is not None:  # but a foreign class may call itself anything
        return handler if classes.find(path) is kind else None
    if path.startswith("numpy"):
        generic = classes.find("numpy:generic")
        if generic is not classes.MISSING and classes.derives(kind, generic):
            return _numpy_scalar if classes.path_of(kind).startswith("numpy:") else None
    if path.startswith("pandas"):
        from prunella.codec.frames import pandas_handler

        return pandas_handler(kind)
    if path.startswith("pytz"):
        from prunella.codec.zones import pytz_handler

        return pytz_handler(kind)
    return None


# --- references ---------------------------------------------------------------------------------


def reference(encoder: Encoder, value: Any, _: int) -> Tree:
    """Return a class or function by its import path, if it can be found there."""
    if classes.derives(type(value), type):
        path = classes.path_of(value)
    else:
        module = value.__module__
        path = f"{module if type(module) is str else '?'}:{value.__qualname__}"
    if classes.find(path) is value:
        return ["fn", path]
    if path.startswith("builtins:") and (name := _TYPE_NAMES.get(id(value))) is not None:
        return ["fn", f"types:{name}"]
    encoder.lose()
    return ["?", classes.path_of(type(value)), f"can't be imported as {path}"]


_TYPE_NAMES = {
    id(getattr(types, name)): name
    for name in types.__all__
    if isinstance(getattr(types, name), type)
}


def _builtin_function(encoder: Encoder, value: Any, depth: int) -> Tree:
    if type(value.__self__) is not types.ModuleType:
        return encoder.opaque(type(value), "is bound to an object of a built-in type")
    return reference(encoder, value, depth)


def _bound_method(encoder: Encoder, value: Any, depth: int) -> Tree:
    function = value.__func__
    if type(function) is not types.FunctionType:
        return encoder.opaque(type(value), "is no method of a Python class")
    return [
        "bm",
        encoder.node(value.__self__, depth - 1),
        reference(encoder, function, depth),
    ]


def _module(encoder: Encoder, value: Any, _: int) -> Tree:
    return encoder.opaque(type(value), "is a module")


def _singleton(name: str) -> Handler:
    def encode(_: Encoder, __: Any, ___: int) -> Tree:
        return ["fn", f"builtins:{name}"]

    return encode


def _partial(encoder: Encoder, value: Any, depth: int) -> Tree:
    node = ["partial", encoder.node(value.func, depth - 1)]
    node.append(encoder.items_part(["t"], len(value.args), value.args, depth))
    items = value.keywords.items()
    node.append(encoder.pairs_part(["d"], len(value.keywords), items, depth))
    return node


# --- what programs keep in attributes -----------------------------------------------------------


def _logger(_: Encoder, value: Any, __: int) -> Tree:
    return ["log", value.name]


def _lock(encoder: Encoder, value: Any, _: int) -> Tree:
    if value.locked():
        return encoder.opaque(type(value), "is held")
    return _fresh(encoder, value, ["lock", "Lock"])


def _rlock(encoder: Encoder, value: Any, _: int) -> Tree:
    return _fresh(encoder, value, ["lock", "RLock"])


def _fresh(encoder: Encoder, value: Any, node: list[Tree]) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    encoder.memo[id(value)] = (value, node)
    return node


def _buffer(encoder: Encoder, value: Any, depth: int) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    if value.__sizeof__() > 4 * encoder.max_string_length:
        return encoder.opaque(type(value), f"holds more than {encoder.max_string_length}")
    return _fresh(encoder, value, ["io", encoder.node(value.getvalue(), depth), value.tell()])


# --- numbers, times, names ----------------------------------------------------------------------


def _decimal(encoder: Encoder, value: Any, depth: int) -> Tree:
    return ["dec", str(value)]


def _fraction(encoder: Encoder, value: Any, depth: int) -> Tree:
    return ["frac", encoder.node(value.numerator, depth), encoder.node(value.denominator, depth)]


def datetime_node(encoder: Encoder, value: Any, depth: int) -> Tree:
    """Return the tree of a datetime, or of that part of a subclass's instance."""
    from datetime import datetime

    plain = datetime(*_fields(value, datetime, _DAY + _CLOCK))  # noqa: DTZ001 - without a zone
    zone, fold = _fields(value, datetime, ("tzinfo", "fold"))
    return ["dt", datetime.isoformat(plain), encoder.node(zone, depth - 1), fold]


def time_node(encoder: Encoder, value: Any, depth: int) -> Tree:
    """As `datetime_node`, for a time of day."""
    from datetime import time

    plain = time(*_fields(value, time, _CLOCK))
    zone, fold = _fields(value, time, ("tzinfo", "fold"))
    return ["time", plain.isoformat(), encoder.node(zone, depth - 1), fold]


def date_node(_: Encoder, value: Any, __: int) -> Tree:
    """As `datetime_node`, for a date."""
    from datetime import date

    return ["date", date.isoformat(value)]


def timedelta_node(_: Encoder, value: Any, __: int) -> Tree:
    """As `datetime_node`, for a duration."""
    from datetime import timedelta

    return ["td", *_fields(value, timedelta, ("days", "seconds", "microseconds"))]


_DAY = ("year", "month", "day")
_CLOCK = ("hour", "minute", "second", "microsecond")


def _fields(value: Any, base: type, names: tuple[str, ...]) -> list[Any]:
    """Return fields as `base` keeps them, past a subclass's properties."""
    found = []
    for name in names:
        field: Any = classes.lookup(base, name)
        found.append(field.__get__(value))
    return found


def _timezone(encoder: Encoder, value: Any, depth: int) -> Tree:
    offset, *name = value.__getinitargs__()
    node = ["tz", offset // type(offset)(microseconds=1)]
    return node + [encoder.node(part, depth) for part in name]


def _zoneinfo(encoder: Encoder, value: Any, _: int) -> Tree:
    key = value.key
    if type(key) is not str:
        return encoder.opaque(type(value), "was made from a file and has no name")
    return ["zi", key]


def _uuid(_: Encoder, value: Any, __: int) -> Tree:
    return ["uuid", f"{value.int:032x}"]


def _pure_path(encoder: Encoder, value: Any, _: int) -> Tree:
    return ["path", type(value).__name__, encoder.text(str(value))]


def _range(encoder: Encoder, value: range, depth: int) -> Tree:
    return encoder.nodes(["range"], (value.start, value.stop, value.step), depth)


def _slice(encoder: Encoder, value: slice, depth: int) -> Tree:
    return encoder.nodes(["slice"], (value.start, value.stop, value.step), depth - 1)


def _pattern(encoder: Encoder, value: Any, depth: int) -> Tree:
    return ["re", encoder.node(value.pattern, depth), value.flags]


# --- containers ---------------------------------------------------------------------------------


def _deque(encoder: Encoder, value: Any, depth: int) -> Tree:
    return encoder.sequence(value, ["dq", value.maxlen], len(value), value, depth)


def _ordered_dict(encoder: Encoder, value: Any, depth: int) -> Tree:
    return encoder.pairs(value, ["od"], len(value), ordered_items(value), depth)


def ordered_items(value: Any) -> Any:
    """Iterate over an `OrderedDict` in its order without hashing its keys (their code)."""
    from collections import OrderedDict

    by_id = {id(key): item for key, item in dict.items(value)}
    return ((key, by_id[id(key)]) for key in OrderedDict.__iter__(value))


def _defaultdict(encoder: Encoder, value: Any, depth: int) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    factory = encoder.node(value.default_factory, depth - 1)
    return encoder.pairs(value, ["dd", factory], len(value), dict.items(value), depth)


def _counter(encoder: Encoder, value: Any, depth: int) -> Tree:
    return encoder.pairs(value, ["ct"], len(value), dict.items(value), depth)


def _mapping_proxy(encoder: Encoder, value: Any, depth: int) -> Tree:
    from gc import get_referents

    (inner,) = get_referents(value)
    if type(inner) is not dict:
        return encoder.opaque(type(value), "is a view of something else than a dict")
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    node: list[Tree] = ["mp"]
    encoder.memo[id(value)] = (value, node)
    node.append(encoder.node(inner, depth - 1))
    return node


def _array(encoder: Encoder, value: Any, _: int) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    length = len(value) * value.itemsize
    if value.typecode in ("u", "w"):
        return encoder.opaque(type(value), "holds text")
    if length > encoder.max_string_length:
        node = _array_head(encoder, Head(value[:HEAD_ITEMS], len(value)))
    else:
        node = binary_node(encoder, "arr", value.tobytes())
        if node[0] == "arr":
            node.insert(1, value.typecode)
    encoder.memo[id(value)] = (value, node)
    return node


def _array_head(encoder: Encoder, head: Head) -> list[Tree]:
    items = head.items
    return encoder.cut(head.size, ["arr", items.typecode, base64_text(items.tobytes())])


def _head(encoder: Encoder, value: Head, depth: int) -> Tree:
    kind = type(value.items)
    if kind is list or kind is tuple:
        out: list[Tree] = ["l" if kind is list else "t"]
        return encoder.cut_into(out, value.size, encoder.nodes, value.items, depth)
    if hasattr(value.items, "typecode"):
        return _array_head(encoder, value)
    return _numpy_head(encoder, value, depth)


# --- numpy --------------------------------------------------------------------------------------

_NUMPY_KINDS = "biufcmM?V"


def _numpy_array(encoder: Encoder, value: Any, depth: int) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    kind = value.dtype
    if kind.hasobject or kind.names is not None or kind.subdtype is not None:
        return encoder.opaque(type(value), f"has elements of dtype {kind}")
    if value.nbytes > min(encoder.max_string_length, encoder.bytes_left):
        head = Head(value.flat[:HEAD_ITEMS], value.size, value.shape)
        node = _numpy_head(encoder, head, depth)
    else:
        encoder.bytes_left -= value.nbytes
        node = ["np", kind.str, ["t", *value.shape], _numpy_content(encoder, value, depth)]
    encoder.memo[id(value)] = (value, node)
    return node


def _numpy_head(encoder: Encoder, head: Head, depth: int) -> list[Tree]:
    items = head.items
    content = _numpy_content(encoder, items, depth)
    node = encoder.cut(head.size, ["np", items.dtype.str, ["t", len(items)], content])
    node.append(["t", *head.shape])
    return node


def _numpy_content(encoder: Encoder, value: Any, depth: int) -> Tree:
    if value.dtype.kind in "US":  # text is looked through for secrets
        return encoder.items_part(["l"], value.size, value.ravel().tolist(), depth)
    return base64_text(value.tobytes())


def _numpy_scalar(encoder: Encoder, value: Any, depth: int) -> Tree:
    kind = value.dtype
    if kind.hasobject or kind.names is not None:
        return encoder.opaque(type(value), f"is of dtype {kind}")
    if kind.kind in "US":
        return ["nps", kind.str, encoder.node(value.item(), depth)]
    return ["nps", kind.str, base64_text(value.tobytes())]


_BY_TYPE: dict[int, Handler] = {
    id(types.FunctionType): reference,
    id(types.BuiltinFunctionType): _builtin_function,
    id(types.MethodType): _bound_method,
    id(types.ModuleType): _module,
    id(types.EllipsisType): _singleton("Ellipsis"),
    id(types.NotImplementedType): _singleton("NotImplemented"),
    id(types.MappingProxyType): _mapping_proxy,
    id(range): _range,
    id(slice): _slice,
    id(_thread.LockType): _lock,
    id(_thread.RLock): _rlock,
    id(Head): _head,
}
_BY_PATH: dict[str, Handler] = {
    "decimal:Decimal": _decimal,
    "fractions:Fraction": _fraction,
    "datetime:datetime": datetime_node,
    "datetime:date": date_node,
    "datetime:time": time_node,
    "datetime:timedelta": timedelta_node,
    "datetime:timezone": _timezone,
    "zoneinfo:ZoneInfo": _zoneinfo,
    "uuid:UUID": _uuid,
    "re:Pattern": _pattern,
    "functools:partial": _partial,
    "logging:Logger": _logger,
    "logging:RootLogger": _logger,
    "_io:StringIO": _buffer,
    "_io:BytesIO": _buffer,
    "collections:deque": _deque,
    "collections:OrderedDict": _ordered_dict,
    "collections:defaultdict": _defaultdict,
    "collections:Counter": _counter,
    "array:array": _array,
    "numpy:ndarray": _numpy_array,
    **{
        f"{module}:{name}": _pure_path
        for module in ("pathlib", "pathlib._local")  # the latter in Python 3.13
        for name in ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")
    },
}
