"""Checks of a node's form, for those who read trees."""

from binascii import a2b_base64

from prunella.model.errors import RecordError
from prunella.model.tree import Tree


def malformed(node: Tree) -> RecordError:
    """Return the error that shows the beginning of a bad node."""
    shown = str(node if type(node) is not list else node[:3])
    return RecordError(f"encoded value is malformed at {shown:.120}")


def arity(node: list[Tree], *sizes: int) -> list[Tree]:
    """Return `node` if it has one of these lengths, its tag included."""
    if len(node) not in sizes:
        raise malformed(node)
    return node


def tagged(node: Tree, *tags: str) -> list[Tree]:
    """Return `node` if it is a list under one of these tags."""
    if type(node) is not list or not node or node[0] not in tags:
        raise malformed(node)
    return node


def text(node: Tree) -> str:
    """Return `node` if it is a string."""
    if type(node) is not str:
        raise RecordError(f"encoded value has {node!s:.80} where a string belongs")
    return node


def integer(node: Tree) -> int:
    """Return `node` if it is an integer."""
    if type(node) is not int:
        raise RecordError(f"encoded value has {node!s:.80} where an integer belongs")
    return node


def base64(node: Tree) -> bytes:
    """Return the bytes of a base64 string."""
    return a2b_base64(text(node), strict_mode=True)


def maxlen(node: list[Tree]) -> int | None:
    """Return the bound of a deque's node."""
    if len(node) < 2:
        raise malformed(node)
    return None if node[1] is None else integer(node[1])
