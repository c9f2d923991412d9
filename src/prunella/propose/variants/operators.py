"""Variants of operators: comparisons, arithmetic, logic, and the order of operands."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import Edit, grouped
from prunella.propose.variants.ground import Change, Ground

_COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">", ">=")),
    ast.LtE: ("<=", ("<", ">=", ">")),
    ast.Gt: (">", (">=", "<", "<=")),
    ast.GtE: (">=", (">", "<=", "<")),
    ast.Eq: ("==", ("!=", "<=", ">=")),
    ast.NotEq: ("!=", ("==", "<", ">")),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-", "*")),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("+", "**", "//")),
    ast.Div: ("/", ("//", "*")),
    ast.FloorDiv: ("//", ("/", "%")),
    ast.Mod: ("%", ("//",)),
    ast.BitAnd: ("&", ("|", "^")),
    ast.BitOr: ("|", ("&", "^")),
    ast.BitXor: ("^", ("&", "|")),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
    ast.Pow: ("**", ("*",)),
}


def propose(ground: Ground) -> Iterator[Change]:
    """Yield the other comparisons, operators, operand orders and negations."""
    for node in ground.nodes:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _comparison(ground, node)
        elif isinstance(node, ast.BinOp):
            yield from _arithmetic(ground, node)
        elif isinstance(node, ast.AugAssign):
            yield from _augmented(ground, node)
        elif isinstance(node, ast.BoolOp):
            yield from _logic(ground, node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            yield ground.change(
                "negation.drop", node, grouped(ground.text(node.operand), node.operand)
            )


def _comparison(ground: Ground, node: ast.Compare) -> Iterator[Change]:
    right = node.comparators[0]
    old, others = _COMPARISONS[type(node.ops[0])]
    for rank, new in enumerate(others):
        edit = _operator(ground, node.left, right, old, new)
        if edit is not None:
            said = f"Compare with `{new}` instead of `{old}` in `{ground.text(node)}`"
            rule = "comparison.flip" if rank == 0 else "comparison.swap"
            yield ground.edited(rule, node, (edit,), said)


def _arithmetic(ground: Ground, node: ast.BinOp) -> Iterator[Change]:
    old, others = _ARITHMETIC.get(type(node.op), ("", ()))
    left, right = ground.text(node.left), ground.text(node.right)
    for new in others:
        edit = _operator(ground, node.left, node.right, old, new)
        if edit is not None:
            said = f"Write `{new}` instead of `{old}` in `{ground.text(node)}`"
            yield ground.edited("operator", node, (edit,), said)
    if old in ("-", "/", "//", "%", "+", "**"):
        swapped = f"{grouped(right, node.right)} {old} {grouped(left, node.left)}"
        yield ground.change("operands.swap", node, swapped)
    yield ground.change("operands.drop", node, grouped(left, node.left))
    yield ground.change("operands.drop", node, grouped(right, node.right))


def _augmented(ground: Ground, node: ast.AugAssign) -> Iterator[Change]:
    old, others = _ARITHMETIC.get(type(node.op), ("", ()))
    target, value = ground.text(node.target), ground.text(node.value)
    for new in others:
        edit = _operator(ground, node.target, node.value, f"{old}=", f"{new}=")
        if edit is not None:
            said = f"Write `{new}=` instead of `{old}=` in `{ground.text(node)}`"
            yield ground.edited("operator.augmented", node, (edit,), said)
    yield ground.change("operator.assign", node, f"{target} = {value}")


def _logic(ground: Ground, node: ast.BoolOp) -> Iterator[Change]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    edits = [
        _operator(ground, left, right, old, new)
        for left, right in zip(node.values, node.values[1:], strict=False)
    ]
    if all(edit is not None for edit in edits):
        said = f"Join with `{new}` instead of `{old}` in `{ground.text(node)}`"
        whole = tuple(edit for edit in edits if edit is not None)
        yield ground.edited("logic", node, whole, said)
    for dropped in node.values:
        rest = [grouped(ground.text(item), item) for item in node.values if item is not dropped]
        yield ground.change("condition.drop", node, f" {old} ".join(rest))


def _operator(ground: Ground, left: ast.expr, right: ast.expr, old: str, new: str) -> Edit | None:
    """Return the edit of the operator between two operands; comments there make it unsafe."""
    start = ground.scene.text.span(left)[1]
    end = ground.scene.text.span(right)[0]
    between = ground.scene.text.decode(start, end)
    if "#" in between or between.count(old) != 1:
        return None
    return Edit(start=start, end=end, text=between.replace(old, new))
