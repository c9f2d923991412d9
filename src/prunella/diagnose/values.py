"""Reading recorded values (trees) without rebuilding them: lengths, keys, attributes, expressions.

Every function answers `UNKNOWN` where the tree doesn't say: it was cut, is opaque, or the
expression needs code to run. Trees are untrusted: nothing here trusts their shape.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prunella.codec import entries
from prunella.codec.parts import definitions, unwrapped
from prunella.model.tree import Tree


class Unknown:
    """The class of `UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()

#: Tag to the index of the first item, or of the first key.
_ITEMS_FROM = {"l": 1, "t": 1, "s": 1, "fs": 1, "dq": 2}
_PAIRS_FROM = {"d": 1, "od": 1, "ct": 1, "dd": 2}
_REFERENCES = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of one `inputs` or locals tree."""

    names: Mapping[str, Tree]
    anchors: Mapping[int, Tree]

    @classmethod
    def of(cls, tree: Tree) -> "Scope":
        """Read an inputs or locals tree; anything else has no names."""
        return cls(names=dict(entries(tree)), anchors=definitions(tree))

    def resolve(self, tree: Tree) -> Tree:
        """Follow marks and references to the node itself."""
        for _ in range(_REFERENCES):
            tree = unwrapped(tree)
            if not (isinstance(tree, list) and len(tree) == 2 and tree[0] == "*"):
                return tree
            number = tree[1]
            if not isinstance(number, int) or number not in self.anchors:
                return ["?", "", "unknown reference"]
            tree = self.anchors[number]
        return tree

    # --- parts of values

    def items(self, tree: Tree) -> Sequence[Tree] | Unknown:
        """Return the items of a list, tuple, set or deque that was recorded whole."""
        node = self._body(tree)
        start = _ITEMS_FROM.get(_tag(node))
        return UNKNOWN if start is None else node[start:]  # type: ignore[index]  # it has a tag

    def pairs(self, tree: Tree) -> Sequence[tuple[Tree, Tree]] | Unknown:
        """Return the items of a mapping that was recorded whole."""
        node = self._body(tree)
        start = _PAIRS_FROM.get(_tag(node))
        if start is None or not isinstance(node, list):
            return UNKNOWN
        return list(zip(node[start::2], node[start + 1 :: 2], strict=False))

    def attributes(self, tree: Tree) -> Mapping[str, Tree] | Unknown:
        """Return the recorded attributes of an object or a named tuple."""
        node = self.resolve(tree)
        if not (isinstance(node, list) and len(node) >= 3 and node[0] in ("o", "nt")):
            return UNKNOWN
        pairs = self.pairs(node[2])
        if isinstance(pairs, Unknown):
            return UNKNOWN
        return {key: value for key, value in pairs if isinstance(key, str)}

    def length(self, tree: Tree) -> int | Unknown:
        """Return what `len` would answer."""
        node = self._body(tree)
        if isinstance(node, str):
            return len(node)
        if isinstance(node, list) and len(node) > 1 and node[0] == "cut":
            return node[1] if isinstance(node[1], int) else UNKNOWN
        for part in (self.items(node), self.pairs(node)):
            if not isinstance(part, Unknown):
                return len(part)
        return UNKNOWN

    def _body(self, tree: Tree) -> Tree:
        """Return the node behind marks; for an instance of a subclass, its built-in part."""
        node = self.resolve(tree)
        if isinstance(node, list) and len(node) >= 3 and node[0] == "sub":
            return self.resolve(node[2])
        return node

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


def _tag(node: Tree) -> str:
    tag = node[0] if isinstance(node, list) and node else None
    return tag if isinstance(tag, str) else ""
