"""Variants of conditions: negated, widened, narrowed, and guards that return early."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import anchor, grouped, inserting
from prunella.propose.variants.ground import Change, Ground

_MAX_NAMES = 10
_ANSWERS = ("None", "0", "False", "True", "[]", '""')


def propose(ground: Ground) -> Iterator[Change]:
    """Yield other conditions of ``if`` and ``while``, and guards at the beginning of blocks."""
    for node in ground.nodes:
        if isinstance(node, (ast.If, ast.While, ast.IfExp)):
            yield from _condition(ground, node.test, loop=isinstance(node, ast.While))
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield from _condition(ground, test, loop=False)
    yield from _guards(ground)


def _condition(ground: Ground, test: ast.expr, *, loop: bool) -> Iterator[Change]:
    old = ground.text(test)
    whole = grouped(old, test)
    if isinstance(test, ast.Constant):
        if loop:
            for name in ground.names[:_MAX_NAMES]:
                yield ground.change("condition.while", test, name)
        return
    yield ground.change("condition.negate", test, f"not {whole}")
    operand = old if isinstance(test, (ast.Compare, ast.Name, ast.Call, ast.Attribute)) else whole
    for name in _subjects(ground, test):
        yield ground.change("condition.or_none", test, f"{name} is None or {operand}")
        yield ground.change("condition.or_empty", test, f"{operand} or not {name}")
        yield ground.change("condition.and_there", test, f"{name} and {operand}")
        yield ground.change("condition.and_empty", test, f"{operand} and not {name}", weight=0.7)
    yield from _sizes(ground, test)


def _subjects(ground: Ground, test: ast.expr) -> list[str]:
    """Return the names and attributes to ask for: those in the condition first."""
    inside = [
        ground.text(item)
        for item in ast.walk(test)
        if isinstance(item, (ast.Name, ast.Attribute)) and isinstance(item.ctx, ast.Load)
    ]
    called = [ground.text(item.func) for item in ast.walk(test) if isinstance(item, ast.Call)]
    names = [item for item in dict.fromkeys([*inside, *ground.names]) if item not in called]
    return names[:_MAX_NAMES]


def _sizes(ground: Ground, test: ast.expr) -> Iterator[Change]:
    """Yield the other smallest cases: ``len(x) <= 1`` for ``len(x) == 0`` or ``not x``."""
    sized = ""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        sized = ground.text(test.operand)
    elif isinstance(test, ast.Compare) and isinstance(test.left, ast.Call):
        call = test.left
        if getattr(call.func, "id", "") == "len" and len(call.args) == 1:
            sized = ground.text(call.args[0])
    elif isinstance(test, ast.Name):
        yield ground.change("condition.size", test, f"len({test.id}) > 1")
    if sized:
        yield ground.change("condition.size", test, f"len({sized}) <= 1")
        yield ground.change("condition.size", test, f"len({sized}) < 1", weight=0.5)


def _guards(ground: Ground) -> Iterator[Change]:
    """Yield ``if not x: return y`` at the beginning, `y` from what the function returns."""
    first = next(iter(ground.statements), None)
    if first is None or anchor(ground.scene, first) is not first:
        return
    given = [item.arg for item in ast.walk(ground.node.args) if isinstance(item, ast.arg)]
    returned = [
        ground.text(item.value)
        for item in ground.nodes
        if isinstance(item, ast.Return)
        and isinstance(item.value, (ast.Constant, ast.List, ast.Dict, ast.Tuple))
    ]
    answers = dict.fromkeys([*returned, *_ANSWERS])
    for name in [item for item in given if item not in ("self", "cls")][:4]:
        tests = (f"not {name}", f"{name} is None", f"len({name}) <= 1")
        for test in tests:
            for rank, answer in enumerate([*answers, name][:8]):
                edit = inserting(ground.scene, first, [f"if {test}:", f"\treturn {answer}"])
                if edit is not None:
                    known = rank < len(returned)
                    yield ground.edited(
                        "guard.return" if known else "guard.sentinel",
                        first,
                        (edit,),
                        f"Return `{answer}` where `{test}`",
                    )
