"""Trees of what isn't a plain built-in: subclasses, enums, exceptions, instances of any class.

How a class is encoded is found out once and remembered. An instance is its attributes, read from
``__dict__`` and ``__slots__`` through their descriptors; properties, ``__getattr__``,
``__getstate__`` and the like are never run.
"""

import weakref
from collections.abc import Callable
from enum import EnumMeta, Flag
from itertools import islice
from typing import Any

from prunella.codec import classes
from prunella.codec.encode import binary_node
from prunella.codec.encoder import Encoder, Handler
from prunella.codec.standard import (
    date_node,
    datetime_node,
    handler_by_path,
    ordered_items,
    reference,
    time_node,
    timedelta_node,
)
from prunella.model.tree import Tree

_MAX_REMEMBERED = 4_096
#: Id of a class → the class (weakly, so that its id isn't mistaken for another's) and its handler.
_remembered: dict[int, tuple[weakref.ref[type], Handler]] = {}


def handler_of(kind: type) -> Handler:
    """Return what encodes instances of `kind`."""
    known = _remembered.get(id(kind))
    if known is not None and known[0]() is kind:
        return known[1]
    handler = _choose(kind)
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    _remembered[id(kind)] = (weakref.ref(kind), handler)
    return handler


def _choose(kind: type) -> Handler:
    path = classes.path_of(kind)
    special = handler_by_path(kind, path)
    if special is not None:
        return special
    if classes.derives(kind, type):
        return reference
    if classes.derives(type(kind), EnumMeta):
        return _enum_handler(kind, path)
    if classes.derives(kind, BaseException):
        return _exception_handler(kind, path)
    base = classes.base_of(kind)
    reader = _SUBCLASSED.get(classes.path_of(base))
    if reader is not None:
        return _subclass_handler(kind, path, base, reader)
    return _object_handler(kind, path)


# --- state --------------------------------------------------------------------------------------


StateReader = Callable[[Encoder, Any, int], Tree]


def state_reader(kind: type) -> StateReader:
    """Return what reads an instance's attributes into one ``d`` node, ``None`` for none."""
    get_dict = classes.instance_dict(kind)
    members = tuple(classes.slots(kind).items())
    fields: list[tuple[str, Any]] = []
    for base, names in _KEYWORD_FIELDS:
        if classes.derives(kind, base):
            fields += ((name, base.__dict__[name].__get__) for name in names)

    def read(encoder: Encoder, value: Any, depth: int) -> Tree:
        items: list[tuple[Any, Any]] = [
            (name, found) for name, get in fields if (found := get(value)) is not None
        ]
        for name, member in members:
            try:
                items.append((name, member.__get__(value)))
            except AttributeError:  # a slot that isn't set
                continue
        if get_dict is not None:
            items += islice(dict.items(get_dict(value)), encoder.max_items + 1)
        if not items:
            return None
        if len(items) > encoder.max_items:
            encoder.lose()
            del items[encoder.max_items :]
        if not encoder.admits(2 * len(items), depth):
            return encoder.cut(len(items), ["d"])
        return encoder.named(["d"], items, depth - 1)

    return read


# --- kinds of classes ---------------------------------------------------------------------------


def _object_handler(kind: type, path: str) -> Handler:
    obstacle = classes.why_not_rebuilt(kind)
    read = state_reader(kind)

    def encode(encoder: Encoder, value: Any, depth: int) -> Tree:
        key = id(value)
        if key in encoder.memo:
            return encoder.again(key)
        if depth <= 0:
            return encoder.opaque(kind, "too deep")
        node: list[Tree] = ["o", path]
        encoder.memo[key] = (value, node)
        state = read(encoder, value, depth)
        if obstacle:
            encoder.lose()
            if state is None:
                node[:] = ["?", path, obstacle]
                return node
        node.append(["d"] if state is None else state)
        return node

    return encode


def _subclass_handler(kind: type, path: str, base: type, reader: "Handler") -> Handler:
    obstacle = classes.why_not_rebuilt(kind)
    read = state_reader(kind)
    fields = _namedtuple_fields(kind, base)

    def encode(encoder: Encoder, value: Any, depth: int) -> Tree:
        key = id(value)
        if key in encoder.memo:
            return encoder.again(key)
        if depth <= 0:
            return encoder.opaque(kind, "too deep")
        if obstacle:
            encoder.lose()
        node: list[Tree] = ["sub", path]
        encoder.memo[key] = (value, node)
        if fields is not None and len(fields) == tuple.__len__(value):
            items = zip(fields, tuple.__iter__(value), strict=True)
            node[:] = ["nt", path, encoder.named(["d"], items, depth - 1)]
            return node
        # The base part is no value of its own: nothing may refer to it instead of to `node`.
        node.append(reader(encoder, value, depth))
        node.append(read(encoder, value, depth))
        return node

    return encode


def _namedtuple_fields(kind: type, base: type) -> tuple[str, ...] | None:
    if base is not tuple:
        return None
    fields = classes.lookup(kind, "_fields")
    if type(fields) is not tuple or any(type(name) is not str for name in fields):
        return None
    return fields


def _exception_handler(kind: type, path: str) -> Handler:
    obstacle = classes.why_not_rebuilt(kind)
    read = state_reader(kind)

    def encode(encoder: Encoder, value: BaseException, depth: int) -> Tree:
        key = id(value)
        if key in encoder.memo:
            return encoder.again(key)
        if depth <= 0:
            return encoder.opaque(kind, "too deep")
        if obstacle:
            encoder.lose()
        node: list[Tree] = ["x", path]
        encoder.memo[key] = (value, node)
        arguments = _exception_args(value)
        node.append(encoder.items_part(["t"], len(arguments), arguments, depth))
        node.append(read(encoder, value, depth))
        return node

    return encode


_args = BaseException.__dict__["args"].__get__
_filenames = tuple(OSError.__dict__[name].__get__ for name in ("filename", "filename2"))
#: Fields of built-in exceptions that are given by keyword and stand in no ``__dict__``.
_KEYWORD_FIELDS = (
    (ImportError, ("name", "path")),
    (NameError, ("name",)),
    (AttributeError, ("name",)),
)


def _exception_args(value: BaseException) -> tuple[Any, ...]:
    """Return what the constructor of the built-in base was called with."""
    arguments: tuple[Any, ...] = _args(value)
    if len(arguments) == 2 and classes.derives(type(value), OSError):
        first, second = (get(value) for get in _filenames)
        if second is not None:
            return (*arguments, first, None, second)
        if first is not None:
            return (*arguments, first)
    return arguments


def _enum_handler(kind: type, path: str) -> Handler:
    get_dict = classes.instance_dict(kind)
    importable = classes.find(path) is kind
    is_flag = classes.derives(kind, Flag)

    def encode(encoder: Encoder, value: Any, _: int) -> Tree:
        state = get_dict(value)
        name = dict.get(state, "_name_")
        members = classes.lookup(kind, "_member_map_")
        if not importable:
            encoder.lose()
        if type(name) is str and type(members) is dict and members.get(name) is value:
            return ["enum", path, name]
        number = dict.get(state, "_value_")
        if is_flag and type(number) is int:
            return ["flag", path, encoder.node(number, 1)]
        return encoder.opaque(kind, "is no member of its enum")

    return encode


# --- the built-in part of a subclass's instance -------------------------------------------------


def _part(tag: str, base: Any) -> Handler:
    def read(encoder: Encoder, value: Any, depth: int) -> Tree:
        return encoder.items_part([tag], base.__len__(value), base.__iter__(value), depth)

    return read


def _mapping_part(tag: str, items: Callable[[Any], Any]) -> Handler:
    def read(encoder: Encoder, value: Any, depth: int) -> Tree:
        return encoder.pairs_part([tag], dict.__len__(value), items(value), depth)

    return read


def _defaultdict_part(encoder: Encoder, value: Any, depth: int) -> Tree:
    from collections import defaultdict

    get_factory: Any = defaultdict.__dict__["default_factory"].__get__
    factory = encoder.node(get_factory(value), depth - 1)
    return encoder.pairs_part(["dd", factory], dict.__len__(value), dict.items(value), depth)


def _deque_part(encoder: Encoder, value: Any, depth: int) -> Tree:
    from collections import deque

    get_maxlen: Any = deque.__dict__["maxlen"].__get__
    start: list[Tree] = ["dq", get_maxlen(value)]
    return encoder.items_part(start, deque.__len__(value), deque.__iter__(value), depth)


def _plain(convert: Callable[[Any], Any]) -> Handler:
    def read(encoder: Encoder, value: Any, depth: int) -> Tree:
        return encoder.node(convert(value), depth)

    return read


def _bytes_part(encoder: Encoder, value: bytes, _: int) -> Tree:
    return binary_node(encoder, "b", bytes.__getitem__(value, slice(None)))


def _bytearray_part(encoder: Encoder, value: bytearray, _: int) -> Tree:
    bound = encoder.max_string_length + 1
    return binary_node(encoder, "ba", bytes(bytearray.__getitem__(value, slice(0, bound))))


#: A built-in that people derive from → what reads an instance's part of it.
_SUBCLASSED: dict[str, Handler] = {
    "builtins:str": _plain(str.__str__),
    "builtins:int": _plain(int.__int__),
    "builtins:float": _plain(float.__float__),
    "builtins:complex": _plain(complex.__complex__),
    "builtins:bytes": _bytes_part,
    "builtins:bytearray": _bytearray_part,
    "builtins:list": _part("l", list),
    "builtins:tuple": _part("t", tuple),
    "builtins:set": _part("s", set),
    "builtins:frozenset": _part("fs", frozenset),
    "builtins:dict": _mapping_part("d", dict.items),
    "collections:OrderedDict": _mapping_part("od", ordered_items),
    "collections:defaultdict": _defaultdict_part,
    "collections:deque": _deque_part,
    "datetime:datetime": datetime_node,
    "datetime:date": date_node,
    "datetime:time": time_node,
    "datetime:timedelta": timedelta_node,
}
