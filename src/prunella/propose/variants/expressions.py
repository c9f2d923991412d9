"""Variants of expressions: others that the function has already, wrapped, cut, or joined."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import grouped
from prunella.propose.variants.ground import Change, Ground

_MAX_NAMES = 12
_MAX_INGREDIENTS = 25


def propose(ground: Ground) -> Iterator[Change]:
    """Yield other values for what is returned, assigned, passed, compared and looped over."""
    for node in ground.expressions:
        parent = ground.parent(node)
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            yield from _yielded(ground, node)
        if isinstance(parent, (ast.Return, ast.Assign, ast.AugAssign, ast.Yield)):
            yield from _value(ground, node, parent)
        elif isinstance(parent, (ast.For, ast.comprehension)) and node is parent.iter:
            yield from _iterated(ground, node)
        elif isinstance(parent, ast.Call) and node in parent.args:
            yield from _cut(ground, node, "argument")
            yield from _adjusted(ground, node)
        if isinstance(parent, (ast.Compare, ast.BinOp)) or (
            isinstance(parent, ast.Call) and node in parent.args
        ):
            yield from _ingredients(ground, node, "expression.operand")
        if isinstance(node, ast.BinOp | ast.Name | ast.Attribute) and isinstance(
            parent, (ast.BinOp, ast.Compare)
        ):
            yield from _squared(ground, node)


def _value(ground: Ground, node: ast.expr, parent: ast.AST) -> Iterator[Change]:
    yield from _ingredients(ground, node, "expression.value")
    text = ground.text(node)
    if isinstance(parent, ast.Return):
        yield from _returned(ground, node, text)
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        target = parent.targets[0].id
        for function in ("max", "min"):
            yield ground.change("expression.bounded", node, f"{function}({target}, {text})")
    if not isinstance(node, (ast.Constant, ast.List, ast.Dict, ast.Compare, ast.BoolOp)):
        for function in ("max", "min"):
            yield ground.change("expression.bounded", node, f"{function}(0, {text})")
    if isinstance(node, (ast.ListComp, ast.List, ast.Call, ast.BinOp, ast.Name)):
        for name in ground.names[:_MAX_NAMES]:
            yield ground.change("expression.joined", node, f"{name} + {grouped(text, node)}")
            yield ground.change("expression.joined", node, f"{grouped(text, node)} + {name}")


def _returned(ground: Ground, node: ast.expr, text: str) -> Iterator[Change]:
    if isinstance(node, ast.List) and not node.elts:
        yield ground.change("answer.nested", node, "[[]]")
        for name in ground.names[:_MAX_NAMES]:
            yield ground.change("answer.single", node, f"[{name}]")
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        for name in ground.names[:_MAX_NAMES]:
            yield ground.change("answer.truth", node, f"{name} == 0")
            yield ground.change("answer.truth", node, f"not {name}")
            yield ground.change("answer.truth", node, f"bool({name})")
    else:
        yield ground.change("answer.negate", node, f"not {grouped(text, node)}")


def _ingredients(ground: Ground, node: ast.expr, rule: str) -> Iterator[Change]:
    """Yield the other expressions of the function, names apart (`names` proposes those)."""
    text = ground.text(node)
    found: dict[str, None] = {}
    for item in ground.expressions:
        if isinstance(item, (ast.Constant, ast.Yield, ast.Starred, ast.Tuple, ast.JoinedStr)):
            continue
        if isinstance(item, ast.Name) and (
            item.id not in ground.names or isinstance(node, ast.Name)
        ):
            continue
        other = ground.text(item)
        if other != text and "\n" not in other and len(other) <= 60:
            found[grouped(other, item)] = None
    nearest = sorted(found, key=lambda other: _distance(text, other))
    for rank, other in enumerate(nearest[:_MAX_INGREDIENTS]):
        yield ground.change(rule, node, other, weight=1.0 / (1 + rank / 5))


def _distance(one: str, other: str) -> float:
    """How little two texts have in common, by their words."""
    mine, others = set(_words(one)), set(_words(other))
    return -len(mine & others) / (len(mine | others) or 1)


def _words(text: str) -> list[str]:
    return "".join(item if item.isalnum() or item == "_" else " " for item in text).split()


def _iterated(ground: Ground, node: ast.expr) -> Iterator[Change]:
    text = grouped(ground.text(node), node)
    yield ground.change("iterated.copy", node, f"list({ground.text(node)})")
    yield ground.change("iterated.reversed", node, f"reversed({ground.text(node)})", weight=0.6)
    yield ground.change("iterated.sorted", node, f"sorted({ground.text(node)})", weight=0.6)
    yield ground.change("iterated.items", node, f"{text}.items()", weight=0.4)
    yield from _cut(ground, node, "iterated")
    yield from _ingredients(ground, node, "expression.iterated")


def _cut(ground: Ground, node: ast.expr, place: str) -> Iterator[Change]:
    """Yield parts of a sequence: without its first or last, from or up to a parameter on."""
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return
    text = ground.text(node)
    yield ground.change(f"cut.{place}", node, f"{text}[1:]")
    yield ground.change(f"cut.{place}", node, f"{text}[:-1]")
    if place == "iterated":
        for name in ground.names[:_MAX_NAMES]:
            if name != text:
                yield ground.change("cut.named", node, f"{text}[{name}:]")
                yield ground.change("cut.named", node, f"{text}[:{name}]")


def _adjusted(ground: Ground, node: ast.expr) -> Iterator[Change]:
    """Yield a name less or more another one, where it is passed on."""
    if isinstance(node, ast.Name):
        for name in ground.names[:_MAX_NAMES]:
            if name != node.id:
                yield ground.change("argument.less", node, f"{node.id} - {name}")
                yield ground.change("argument.more", node, f"{node.id} + {name}")


def _squared(ground: Ground, node: ast.expr) -> Iterator[Change]:
    text = grouped(ground.text(node), node)
    yield ground.change("expression.power", node, f"{text} ** 2")


def _yielded(ground: Ground, node: ast.Yield | ast.YieldFrom) -> Iterator[Change]:
    if node.value is None:
        return
    value = ground.text(node.value)
    if isinstance(node, ast.Yield):
        yield ground.change("yield.from", node, f"yield from {value}")
    else:
        yield ground.change("yield.item", node, f"yield {value}")
    if isinstance(node.value, ast.Call) and len(node.value.args) == 1:
        yield ground.change("yield.argument", node.value, ground.text(node.value.args[0]))
