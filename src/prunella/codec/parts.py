"""Shared parts of trees: what ``["&", n, node]`` and ``["*", n]`` mean to a reader."""

from collections.abc import Mapping

from prunella.model.tree import Tree


def unwrapped(tree: Tree) -> Tree:
    """Return the node itself of ``["&", n, node]``."""
    while type(tree) is list and len(tree) == 3 and tree[0] == "&":
        tree = tree[2]
    return tree


def definitions(tree: Tree) -> dict[int, Tree]:
    """Return the shared parts of `tree`: number to node."""
    found: dict[int, Tree] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        if type(node) is list:
            if len(node) == 3 and node[0] == "&" and type(node[1]) is int:
                found.setdefault(node[1], node[2])
            stack += node
    return found


def self_contained(tree: Tree, known: Mapping[int, Tree]) -> Tree:
    """Return `tree` with every reference to a part outside of it replaced by that part.

    `known` are the parts of the whole that `tree` was taken from. The first reference becomes the
    definition, further ones stay references.
    """
    if not known:
        return tree
    return _Copy(known, set(definitions(tree))).of(tree, 0)


_MAX_DEPTH = 400


class _Copy:
    def __init__(self, known: Mapping[int, Tree], defined: set[int]) -> None:
        self.known = known
        self.defined = defined

    def of(self, node: Tree, depth: int) -> Tree:
        if type(node) is not list or depth > _MAX_DEPTH:
            return node
        if len(node) == 2 and node[0] == "*" and type(node[1]) is int:
            number = node[1]
            if number in self.defined or number not in self.known:
                return node
            self.defined.add(number)
            inner = self.known[number]
            return ["&", number, self.of(inner, depth + 1)]
        return [self.of(item, depth + 1) for item in node]
