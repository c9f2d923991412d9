"""What is in an encoded container: read, never rebuilt. Trees are untrusted."""

from prunella.codec.parts import definitions, self_contained, unwrapped
from prunella.model.tree import Tree

#: Tag → where its items begin.
_ITEMS = {"l": 1, "t": 1, "s": 1, "fs": 1, "dq": 2}
_PAIRS = {"d": 1, "od": 1, "ct": 1, "dd": 2}


def size(tree: Tree) -> int | None:
    """Return the value's `len`, or ``None`` where it has none or the tree doesn't tell."""
    node = unwrapped(tree)
    if type(node) is str:
        return len(node)
    if type(node) is not list or not node or type(node[0]) is not str:
        return None
    if node[0] == "cut" and len(node) > 1 and type(node[1]) is int:
        return node[1]
    if node[0] in _ITEMS:
        return max(0, len(node) - _ITEMS[node[0]])
    if node[0] in _PAIRS:
        return max(0, len(node) - _PAIRS[node[0]]) // 2
    return None


def items(tree: Tree) -> list[Tree]:
    """Return the items of a list, tuple, set or deque; ``[]`` for anything else."""
    node = unwrapped(tree)
    if type(node) is not list or not node or node[0] not in _ITEMS:
        return []
    known = definitions(tree)
    return [self_contained(item, known) for item in node[_ITEMS[str(node[0])] :]]


def pairs(tree: Tree) -> list[tuple[Tree, Tree]]:
    """Return keys and values of a dict and its like; ``[]`` for anything else."""
    node = unwrapped(tree)
    if type(node) is not list or not node or node[0] not in _PAIRS:
        return []
    known = definitions(tree)
    content = [self_contained(item, known) for item in node[_PAIRS[str(node[0])] :]]
    return list(zip(content[::2], content[1::2], strict=False))


def attributes(tree: Tree) -> list[tuple[str, Tree]]:
    """Return names and values of an object's attributes; ``[]`` for anything else."""
    node = unwrapped(tree)
    if type(node) is not list or len(node) < 3 or node[0] not in ("o", "nt"):
        return []
    return [(name, value) for name, value in pairs(node[2]) if type(name) is str]
