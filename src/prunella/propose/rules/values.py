"""What recorded values tell a rule: kind, size, emptiness."""

from collections.abc import Iterable, Mapping

from prunella.codec import entries, size, type_name
from prunella.model.tree import Tree

#: The literal that stands for "nothing there" of a kind.
EMPTY_LITERALS = {
    "int": "0", "float": "0.0", "str": '""', "list": "[]", "tuple": "()", "dict": "{}",
    "set": "set()", "bool": "False", "bytes": 'b""', "frozenset": "frozenset()",
    "NoneType": "None",
}  # fmt: skip
#: Kinds whose emptiness `not value` asks for.
SIZED = frozenset({"str", "list", "tuple", "dict", "set", "frozenset", "bytes", "range"})
#: Kinds that rules know the attributes of.
BUILT_IN: Mapping[str, type] = {
    "list": list, "tuple": tuple, "str": str, "dict": dict, "set": set, "int": int,
    "float": float, "bool": bool, "bytes": bytes, "frozenset": frozenset,
}  # fmt: skip


def named_values(tree: Tree) -> Mapping[str, Tree]:
    """Return names and values of an inputs or locals tree."""
    return dict(entries(tree))


def kind(tree: Tree) -> str:
    """Return the name of a value's class without its module, e.g. ``list``."""
    return type_name(tree).rpartition(".")[2]


def kinds(trees: Iterable[Tree]) -> frozenset[str]:
    """Return the kinds of several values."""
    return frozenset(kind(tree) for tree in trees)


def is_nothing(tree: Tree) -> bool:
    """The value is ``None`` or has no items."""
    return tree is None or size(tree) == 0


def integer(tree: Tree) -> int | None:
    """Return the value where it is an integer."""
    return tree if isinstance(tree, int) and not isinstance(tree, bool) else None
