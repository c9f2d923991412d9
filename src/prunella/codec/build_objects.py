"""What the tags of classes, instances, functions and arrays become."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from prunella.codec import classes
from prunella.codec.nodes import arity, base64, integer, malformed, maxlen, tagged, text
from prunella.model.errors import RecordError
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.decode import Decoder

Builder: TypeAlias = "Callable[[Decoder, list[Tree]], Any]"

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
    deque.__init__(value, (), maxlen(part))
    return decoder.fill_list(value, part[2:], deque.extend)


def _moment_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    plain = decoder.whole(part)
    fields = [getattr(plain, name) for name in _MOMENT_FIELDS if hasattr(plain, name)]
    if part[0] == "date":
        return decoder.instance(path, type(plain), *fields)
    return decoder.instance(path, type(plain), *fields, plain.tzinfo, fold=plain.fold)


_MOMENT_FIELDS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _duration_part(decoder: "Decoder", path: Tree, part: list[Tree]) -> Any:
    plain = decoder.whole(part)
    fields = (plain.days, plain.seconds, plain.microseconds)
    return decoder.instance(path, type(plain), *fields)


_PARTS: dict[Tree, Callable[["Decoder", Tree, Any], Any]] = {
    **dict.fromkeys(("str", "int", "float", "f", "i", "c", "b", "ba", "t", "fs"), _scalar_part),
    "l": _list_part,
    "s": _set_part,
    "d": _dict_part,
    "od": _dict_part,
    "dd": _defaultdict_part,
    "dq": _deque_part,
    **dict.fromkeys(("dt", "date", "time"), _moment_part),
    "td": _duration_part,
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


def _partial(decoder: "Decoder", node: list[Tree]) -> Any:
    from functools import partial

    _tag, function, arguments, keywords = arity(node, 4)
    values = decoder.values(tagged(arguments, "t")[1:])
    named = {text(name): value for name, value in decoder.named(keywords)}
    return partial(decoder.value(function), *values, **named)


# --- what programs keep in attributes -----------------------------------------------------------


def _logger(_: "Decoder", node: list[Tree]) -> Any:
    from logging import getLogger

    name = text(arity(node, 2)[1])
    return getLogger(None if name == "root" else name)


def _lock(_: "Decoder", node: list[Tree]) -> Any:
    import threading

    if arity(node, 2)[1] not in ("Lock", "RLock"):
        raise malformed(node)
    return threading.Lock() if node[1] == "Lock" else threading.RLock()


def _buffer(decoder: "Decoder", node: list[Tree]) -> Any:
    import io

    _tag, part, position = arity(node, 3)
    content = decoder.whole(part)
    if type(content) not in (str, bytes):
        raise malformed(node)
    buffer = io.StringIO(content, newline="") if type(content) is str else io.BytesIO(content)
    buffer.seek(integer(position))
    return buffer


# --- numpy --------------------------------------------------------------------------------------


def _numpy_values(decoder: "Decoder", kind: Tree, content: Tree) -> Any:
    import numpy

    dtype = numpy.dtype(text(kind))
    if dtype.hasobject:
        raise RecordError(f"encoded array has elements of dtype {dtype}")
    if dtype.kind in "US":
        return numpy.array(decoder.values(tagged(content, "l")[1:]), dtype=dtype)
    return numpy.frombuffer(base64(content), dtype=dtype).copy()


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


OBJECT_BUILDERS: dict[str, Builder] = {
    "enum": _enum,
    "flag": _flag,
    "nt": _namedtuple,
    "sub": _subclass,
    "o": _object,
    "x": _exception,
    "fn": _function,
    "bm": _bound_method,
    "partial": _partial,
    "log": _logger,
    "lock": _lock,
    "io": _buffer,
    "np": _numpy_array,
    "nps": _numpy_scalar,
}
