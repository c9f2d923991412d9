"""Bounded, safe, type-faithful encoding of values into trees, and back."""

from prunella.codec.classes import import_by_path
from prunella.codec.contents import attributes, items, pairs, size
from prunella.codec.decode import decode
from prunella.codec.encode import encode, encode_mapping
from prunella.codec.limits import DEFAULT_LIMITS, Encoded, Limits
from prunella.codec.literals import Literal, literal
from prunella.codec.reading import entries, type_name
from prunella.codec.redact import Redactor
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
    "import_by_path",
    "items",
    "literal",
    "pairs",
    "render",
    "size",
    "type_name",
]
