"""What recorded values tell a rule: type, size, emptiness. Trees are read, never rebuilt."""

from collections.abc import Iterable, Mapping

from prunella.model.tree import Tree

_TAG_TYPES = {
    "l": "list", "t": "tuple", "s": "set", "fs": "frozenset", "d": "dict", "b": "bytes",
    "ba": "bytearray", "c": "complex", "f": "float", "dec": "Decimal", "frac": "Fraction",
    "dt": "datetime", "date": "date", "time": "time", "td": "timedelta", "range": "range",
    "uuid": "UUID", "fn": "function",
}  # fmt: skip
_CLASSED = ("o", "x", "enum", "?")

#: The literal that stands for "nothing there" of a type.
EMPTY_LITERALS = {
    "int": "0", "float": "0.0", "str": '""', "list": "[]", "tuple": "()", "dict": "{}",
    "set": "set()", "bool": "False", "bytes": 'b""', "frozenset": "frozenset()",
    "NoneType": "None",
}  # fmt: skip
#: Types whose values can be compared with nothing by `not value`.
SIZED = frozenset({"str", "list", "tuple", "dict", "set", "frozenset", "bytes", "range"})


def named_values(tree: Tree) -> Mapping[str, Tree]:
    """Return names and values of an inputs or locals tree, shared references resolved once."""
    tree = _inside(tree)
    if not isinstance(tree, list) or not tree or tree[0] != "d":
        return {}
    shared: dict[int, Tree] = {}
    _collect(tree, shared)
    values: dict[str, Tree] = {}
    for key, value in zip(tree[1::2], tree[2::2], strict=False):
        if isinstance(key, str):
            values[key] = _resolve(value, shared)
    return values


def _collect(tree: Tree, shared: dict[int, Tree]) -> None:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            if len(node) == 3 and node[0] == "&" and isinstance(node[1], int):
                shared[node[1]] = node[2]
            pending.extend(node[1:])


def _resolve(tree: Tree, shared: Mapping[int, Tree]) -> Tree:
    if isinstance(tree, list) and len(tree) == 2 and tree[0] == "*" and isinstance(tree[1], int):
        return shared.get(tree[1])
    return _inside(tree)


def _inside(tree: Tree) -> Tree:
    while isinstance(tree, list) and len(tree) == 3 and tree[0] == "&":
        tree = tree[2]
    return tree


def kind(tree: Tree) -> str:
    """Return the name of a value's class without its module, e.g. ``list``; ``""`` if unknown."""
    tree = _inside(tree)
    if not isinstance(tree, list):
        return type(tree).__name__
    if not tree or not isinstance(tree[0], str):
        return ""
    if tree[0] in _CLASSED and len(tree) > 1:
        return str(tree[1]).rpartition(":")[2].rpartition(".")[2]
    if tree[0] == "redacted" and len(tree) > 1:
        return str(tree[1])
    return _TAG_TYPES.get(tree[0], "")


def kinds(trees: Iterable[Tree]) -> frozenset[str]:
    """Return the kinds of several values."""
    return frozenset(kind(tree) for tree in trees)


def size(tree: Tree) -> int | None:
    """Return a value's `len`, or ``None`` where it has none or isn't whole."""
    tree = _inside(tree)
    if isinstance(tree, str):
        return len(tree)
    if isinstance(tree, list) and tree and tree[0] in ("l", "t", "s", "fs", "d"):
        if any(isinstance(item, list) and item[:1] == ["cut"] for item in tree):
            return None
        return (len(tree) - 1) // (2 if tree[0] == "d" else 1)
    return None


def items(tree: Tree) -> list[Tree]:
    """Return the items of a list, tuple or set; ``[]`` for anything else."""
    tree = _inside(tree)
    if isinstance(tree, list) and tree and tree[0] in ("l", "t", "s", "fs"):
        return tree[1:]
    return []


def is_nothing(tree: Tree) -> bool:
    """The value is ``None`` or has no items."""
    return tree is None or size(tree) == 0


def integer(tree: Tree) -> int | None:
    """Return the value where it is an integer."""
    return tree if isinstance(tree, int) and not isinstance(tree, bool) else None
