"""Variants of numbers and constants: off by one, the other bound, the other truth."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import grouped
from prunella.propose.variants.ground import Change, Ground

_OTHER_NUMBERS = {0: ("1", "-1"), 1: ("0", "2")}


def propose(ground: Ground) -> Iterator[Change]:
    """Yield places that are one more or one less, and other small constants."""
    for node in ground.expressions:
        if isinstance(node, ast.Constant):
            yield from _constant(ground, node)
        rule = _counted(ground, node)
        if rule:
            text = grouped(ground.text(node), node)
            if not _one_more(node, ast.Sub):
                yield ground.change(rule, node, _sum(ground, node, text, "+"))
            if not _one_more(node, ast.Add):
                yield ground.change(rule, node, _sum(ground, node, text, "-"))


def _sum(ground: Ground, node: ast.expr, text: str, sign: str) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        text = ground.text(node)
    inside_product = isinstance(ground.parent(node), (ast.BinOp, ast.UnaryOp))
    return f"({text} {sign} 1)" if inside_product else f"{text} {sign} 1"


def _one_more(node: ast.expr, sign: type[ast.operator]) -> bool:
    """The expression ends in the same step the other way: dropping the operand does that."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, sign)
        and isinstance(node.right, ast.Constant)
        and node.right.value == 1
    )


def _constant(ground: Ground, node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield ground.change("truth", node, str(not node.value))
    elif isinstance(node.value, int):
        near = (str(node.value + 1), str(node.value - 1))
        for new in _OTHER_NUMBERS.get(node.value, near):
            yield ground.change("constant", node, new)


def _counted(ground: Ground, node: ast.expr) -> str:
    """Return the family of a place where a number counts; empty for other places."""
    if isinstance(node, (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Compare)):
        return ""
    if isinstance(node, (ast.JoinedStr, ast.BoolOp, ast.ListComp, ast.GeneratorExp, ast.Starred)):
        return ""
    parent = ground.parent(node)
    if isinstance(parent, ast.Call) and node in parent.args:
        name = getattr(parent.func, "id", "")
        return "bound.range" if name == "range" else "bound.argument"
    if isinstance(parent, ast.Slice):
        return "bound.slice"
    if isinstance(parent, ast.Subscript) and node is parent.slice:
        return "bound.index"
    if isinstance(parent, ast.Tuple) and isinstance(ground.parent(parent), ast.Subscript):
        return "bound.index"
    if isinstance(parent, ast.Compare):
        return "bound.compared"
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Add)):
        return "bound.operand"
    if isinstance(parent, (ast.Return, ast.Assign)):
        return "bound.value"
    return ""
