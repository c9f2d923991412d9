"""Reading recorded values (trees) without rebuilding them: lengths, keys, attributes, expressions.

Every function answers `UNKNOWN` where the tree doesn't say: it was cut, is opaque, or the
expression needs code to run. Trees are untrusted: nothing here trusts their shape.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prunella.model.tree import Tree


class Unknown:
    """The class of `UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()

_SEQUENCES = frozenset({"l", "t", "s", "fs"})
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of one `inputs` or locals tree."""

    names: Mapping[str, Tree]
    anchors: Mapping[int, Tree]

    @classmethod
    def of(cls, tree: Tree) -> "Scope":
        """Read a ``dict`` tree of names; anything else has none."""
        anchors: dict[int, Tree] = {}
        _collect(tree, anchors, _DEPTH)
        root = _strip(tree)
        names: dict[str, Tree] = {}
        if isinstance(root, list) and root[:1] == ["d"]:
            for key, value in zip(root[1::2], root[2::2], strict=False):
                if isinstance(key, str):
                    names[key] = value
        return cls(names=names, anchors=anchors)

    def resolve(self, tree: Tree) -> Tree:
        """Follow marks and references to the node itself."""
        for _ in range(_DEPTH):
            tree = _strip(tree)
            if not (isinstance(tree, list) and len(tree) == 2 and tree[0] == "*"):
                return tree
            number = tree[1]
            if not isinstance(number, int) or number not in self.anchors:
                return ["?", "", "unknown reference"]
            tree = self.anchors[number]
        return tree

    # --- parts of values

    def items(self, tree: Tree) -> Sequence[Tree] | Unknown:
        """Return the items of a list, tuple or set."""
        node = self.resolve(tree)
        if isinstance(node, list) and node and node[0] in _SEQUENCES and not _is_cut(node):
            return node[1:]
        return UNKNOWN

    def pairs(self, tree: Tree) -> Sequence[tuple[Tree, Tree]] | Unknown:
        """Return the items of a dict."""
        node = self.resolve(tree)
        if isinstance(node, list) and node and node[0] == "d" and not _is_cut(node):
            return list(zip(node[1::2], node[2::2], strict=False))
        return UNKNOWN

    def attributes(self, tree: Tree) -> Mapping[str, Tree] | Unknown:
        """Return the recorded attributes of an object."""
        node = self.resolve(tree)
        if not (isinstance(node, list) and len(node) >= 3 and node[0] == "o"):
            return UNKNOWN
        pairs = self.pairs(node[2])
        if isinstance(pairs, Unknown):
            return UNKNOWN
        return {key: value for key, value in pairs if isinstance(key, str)}

    def length(self, tree: Tree) -> int | Unknown:
        """Return what `len` would answer."""
        node = self.resolve(tree)
        if isinstance(node, str):
            return len(node)
        for part in (self.items(node), self.pairs(node)):
            if not isinstance(part, Unknown):
                return len(part)
        return UNKNOWN

    # --- expressions

    def evaluate(self, node: ast.expr) -> Tree | Unknown:
        """Return the recorded value of an expression that only looks things up."""
        if isinstance(node, ast.Constant):
            value = node.value
            plain = value is None or isinstance(value, (bool, int, float, str))
            return value if plain else UNKNOWN  # type: ignore[return-value]  # checked above
        if isinstance(node, ast.Name):
            return self.resolve(self.names[node.id]) if node.id in self.names else UNKNOWN
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        if isinstance(node, ast.Call):
            return self._len(node)
        return UNKNOWN

    def _attribute(self, node: ast.Attribute) -> Tree | Unknown:
        owner = self.evaluate(node.value)
        if isinstance(owner, Unknown):
            return UNKNOWN
        attributes = self.attributes(owner)
        if isinstance(attributes, Unknown) or node.attr not in attributes:
            return UNKNOWN
        return self.resolve(attributes[node.attr])

    def _item(self, node: ast.Subscript) -> Tree | Unknown:
        owner, key = self.evaluate(node.value), self.evaluate(node.slice)
        if isinstance(owner, Unknown) or isinstance(key, Unknown):
            return UNKNOWN
        pairs = self.pairs(owner)
        if not isinstance(pairs, Unknown):
            found = [value for name, value in pairs if name == key and type(name) is type(key)]
            return self.resolve(found[0]) if found else UNKNOWN
        items = self.items(owner)
        if isinstance(items, Unknown) or not isinstance(key, int):
            return UNKNOWN
        return self.resolve(items[key]) if -len(items) <= key < len(items) else UNKNOWN

    def _len(self, node: ast.Call) -> Tree | Unknown:
        if not (isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1):
            return UNKNOWN
        value = self.evaluate(node.args[0])
        return UNKNOWN if isinstance(value, Unknown) else self.length(value)


def _strip(tree: Tree) -> Tree:
    while isinstance(tree, list) and len(tree) == 3 and tree[0] == "&":
        tree = tree[2]
    return tree


def _is_cut(node: Sequence[Any]) -> bool:
    return any(isinstance(item, list) and item[:1] == ["cut"] for item in node[-2:])


def _collect(tree: Tree, anchors: dict[int, Tree], depth: int) -> None:
    if depth < 0 or not isinstance(tree, list):
        return
    if len(tree) == 3 and tree[0] == "&" and isinstance(tree[1], int):
        anchors[tree[1]] = tree[2]
    for item in tree[1:]:
        if isinstance(item, list):
            _collect(item, anchors, depth - 1)
