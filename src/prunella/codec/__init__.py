"""Bounded, safe, type-faithful encoding of values into trees, and back.

A tree is JSON. ``None``, booleans, integers below 2**1000, strings (lone surrogates included) and
finite floats stand for themselves; everything else is a list that begins with a tag. ``path``
below is an import path, ``"module:qualname"``; ``state`` is a ``d`` node of attributes or ``None``.

============================================== ====================================================
``["f", "nan" | "inf" | "-inf"]``              float that JSON doesn't have
``["i", "0x…"]``                               integer of 2**1000 and more
``["c", re, im]``                              complex; the parts are floats or ``f`` nodes
``["b", base64]`` ``["ba", base64]``           bytes, bytearray
``["l", *items]`` ``["t", *items]``            list, tuple
``["s", *items]`` ``["fs", *items]``           set, frozenset
``["d", k1, v1, k2, v2, …]``                   dict in its order
``["&", n, node]`` ``["*", n]``                a node that others refer to, and such a reference;
                                               the reference may stand before the definition
``["dec", "2.50"]`` ``["frac", num, den]``     Decimal, Fraction
``["dt", iso, zone, fold]``                    datetime: the naive part, ``None`` or a ``tz``, ``zi``
                                               or ``o`` node, fold
``["time", iso, zone, fold]`` ``["date", iso]`` time, date
``["td", days, s, us]``                        timedelta
``["tz", us]`` ``["tz", us, name]``            `datetime.timezone`: offset in microseconds
``["zi", key]``                                ZoneInfo
``["pytz", name, offset, dst, label]``         zone of pytz; seconds where it is at one offset
``["uuid", hex]`` ``["path", class, text]``    UUID; PurePath and its kinds, by the class's name
``["range", a, b, c]`` ``["slice", a, b, c]``  range, slice
``["re", pattern, flags]``                     compiled regular expression
``["dq", maxlen, *items]``                     deque
``["od", k, v, …]`` ``["ct", k, v, …]``        OrderedDict, Counter
``["dd", factory, k, v, …]``                   defaultdict
``["mp", dict]``                               mappingproxy of a dict
``["arr", typecode, base64]``                  `array.array`
``["enum", path, name]``                       member of an enum
``["flag", path, value]``                      combination of flags that has no name of its own
``["nt", path, ["d", field, value, …]]``       named tuple
``["sub", path, part, state]``                 instance of a subclass of a built-in; ``part`` is the
                                               node of the built-in's share
``["o", path, state]``                         any other object (dataclass, attrs, pydantic, …)
``["x", path, args, state]``                   exception; ``args`` is a ``t`` node
``["fn", path]``                               function, class or built-in constant by import path
``["bm", object, fn]``                         bound method
``["partial", function, args, keywords]``      `functools.partial`; a ``t`` and a ``d`` node
``["log", name]``                              logger
``["lock", "Lock" | "RLock"]``                 a lock that nobody held; comes back new
``["io", content, position]``                  StringIO, BytesIO
``["np", dtype, shape, base64]``               numpy array in C order; text arrays have an ``l`` node
                                               instead of base64, ``shape`` is a ``t`` node
``["nps", dtype, base64]``                     numpy scalar; text stands for itself
``["pd", kind, index, columns, labels]``       pandas DataFrame or Series: ``columns`` is a ``d`` node
                                               of labels and columns, ``labels`` an index or ``None``
``["pi", class, names, …]``                    pandas index: bounds of a range; column and frequency;
                                               or a column and codes for each level
``["pa", dtype, list]``                        pandas column of text; others are ``np`` or ``l`` nodes
``["pm", dtype, values, mask]``                nullable column: two ``np`` nodes
``["pc", codes, categories, ordered]``         categorical column
``["pt", values, zone]``                       column of moments or durations, in UTC if it has a zone
``["pp", frequency, np]``                      column of periods, by their ordinals
``["pv", left, right, closed]``                column of intervals: two columns
``["pz", values, fill]``                       sparse column, written out
``["pq", frequency, ordinal]``                 pandas Period
``["pw", left, right, closed]``                pandas Interval
``["ps", nps, zone]`` ``["pl", nps]``          pandas Timestamp, in UTC if it has a zone; Timedelta
``["?", path, reason]``                        opaque: only its class is known
``["cut", size, node]``                        something of ``size`` items, characters or bytes of
                                               which ``node`` has the beginning, or nothing
``["redacted", type name, length class]``      a secret, e.g. ``["redacted", "str", "17-32"]``
============================================== ====================================================

`encode` never raises, runs no code of the value's classes and takes bounded time. Identity is kept
for everything mutable, and for tuples and frozensets that hold more than scalars.

What comes back equal: all of the above down to ``pl``. Instances are remade by
the ``__new__`` of their built-in base, with the attributes they had; a class that defines
``__del__``, keeps state in C or can't be imported by its own name is recorded for reading only. Not
kept: an exception's cause, traceback and keyword-only fields (``ImportError.name``); attributes
that functions carry; the order of a set. Iterators, generators, files, modules, lambdas and functions
defined in functions are opaque; so are pandas frames with ``attrs``, and columns of Arrow's types or of
other libraries: their values can't be told without running them.
"""

from typing import TYPE_CHECKING, Any

from prunella.codec.encode import encode, encode_mapping, harmless_names
from prunella.codec.limits import DEFAULT_LIMITS, Encoded, Limits
from prunella.codec.redact import Redactor

if TYPE_CHECKING:
    from prunella.codec.classes import import_by_path
    from prunella.codec.contents import attributes, items, pairs, size
    from prunella.codec.decode import decode
    from prunella.codec.literals import Literal, literal
    from prunella.codec.reading import entries, type_name
    from prunella.codec.redaction import redact_tree
    from prunella.codec.render import render

__all__ = [
    "DEFAULT_LIMITS",
    "Encoded",
    "Limits",
    "Literal",
    "Redactor",
    "attributes",
    "decode",
    "encode",
    "encode_mapping",
    "entries",
    "harmless_names",
    "import_by_path",
    "items",
    "literal",
    "pairs",
    "redact_tree",
    "render",
    "size",
    "type_name",
]

#: What only the healer needs is loaded when it is asked for: programs that record don't pay for it.
_LATER = {
    "size": "contents",
    "pairs": "contents",
    "items": "contents",
    "attributes": "contents",
    "Literal": "literals",
    "decode": "decode",
    "entries": "reading",
    "import_by_path": "classes",
    "literal": "literals",
    "redact_tree": "redaction",
    "render": "render",
    "type_name": "reading",
}


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
