"""The mark that stands for a secret: its type and roughly its length, nothing else."""

from typing import Any

from prunella.codec.classes import derives, path_of
from prunella.model.tree import Tree

_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)


def redacted_node(value: Any) -> list[Tree]:
    """Return ``["redacted", type name, length class]``; the class is "" for what has no length."""
    kind = type(value)
    module, _, name = path_of(kind).partition(":")
    size = ""
    for base in _SIZED:
        if derives(kind, base):
            size = length_class(base.__len__(value))
            break
    return ["redacted", name if module == "builtins" else f"{module}.{name}", size]


def length_class(length: int) -> str:
    """Return the power-of-two range that `length` lies in: ``0``, ``1-4``, ``5-8``, ``9-16``, …"""
    if length == 0:
        return "0"
    top = 4
    while top < length:
        top *= 2
    return "1-4" if top == 4 else f"{top // 2 + 1}-{top}"
