"""Inputs that are a little different from recorded ones: what tells two patches apart."""

from collections.abc import Iterator
from itertools import islice

from prunella.model.tree import Tree

_MAX_ITEMS = 20


def near_inputs(inputs: Tree, *, limit: int) -> list[Tree]:
    """Return at most `limit` inputs trees in which one value is a near one of the same type.

    Numbers move by one, to zero and to the other sign; texts and sequences lose an item, become
    empty or turn round. Values of other types stay as they are.
    """
    if not isinstance(inputs, list) or inputs[:1] != ["d"]:
        return []
    return list(islice(_near_dict(inputs), limit))


def _near(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, bool):
        yield not tree
    elif isinstance(tree, int):
        yield from (item for item in (tree + 1, tree - 1, 0, -tree) if item != tree)
    elif isinstance(tree, float):
        yield from (item for item in (tree + 1.0, tree / 2, 0.0, -tree) if item != tree)
    elif isinstance(tree, str):
        yield from dict.fromkeys(item for item in (tree[1:], tree[:-1], tree[::-1]) if item != tree)
    elif isinstance(tree, list) and tree[:1] in (["l"], ["t"]):
        yield from _near_sequence(tree)
    elif isinstance(tree, list) and tree[:1] == ["d"]:
        yield from _near_dict(tree)


def _near_sequence(tree: list[Tree]) -> Iterator[Tree]:
    tag, *items = tree
    if items:
        yield [tag]
        yield [tag, *items[1:]]
        yield [tag, *items[:-1]]
        yield [tag, *reversed(items)]
        yield [tag, *items, items[0]]
    for number, item in enumerate(items[:_MAX_ITEMS]):
        for other in islice(_near(item), 2):
            yield [tag, *items[:number], other, *items[number + 1 :]]


def _near_dict(tree: list[Tree]) -> Iterator[Tree]:
    for number in range(2, len(tree), 2):
        for other in islice(_near(tree[number]), 12):
            yield [*tree[:number], other, *tree[number + 1 :]]
