"""Comparisons and bounds on the path to the crash that are off by one."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import Edit, Proposal, replacing
from prunella.propose.rules.flow import calls_to, own_nodes, tests_around
from prunella.propose.rules.index import minus_one
from prunella.propose.rules.scene import Scene

EXCEPTIONS = ("IndexError", "UnboundLocalError", "ValueError", "ZeroDivisionError", "KeyError")
_FLIPS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.NotEq: ("!=", "<"),
}
_MAX_PLACES = 8


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose the other of `<` and `<=`, and ranges that end one earlier or begin one later."""
    places = 0
    line = scene.crash.lineno
    for node in own_nodes(scene.node):
        if places >= _MAX_PLACES or getattr(node, "lineno", 0) > line:
            continue
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _FLIPS:
            parent = scene.parents.get(node)
            if isinstance(node.ops[0], ast.NotEq) and not isinstance(parent, ast.While):
                continue  # a loop that stops at one value alone may step over it
            places += 1
            edit = _flip(scene, node)
            if edit is not None:
                yield _proposal(scene, node, edit)
        elif isinstance(node, ast.Call) and calls_to(node, "range") and node.args:
            places += 1
            stop = node.args[1] if len(node.args) > 1 else node.args[0]
            yield Proposal(
                rule="flip.range_end",
                edits=(replacing(scene, stop, minus_one(scene, stop)),),
                description=f"End `{scene.segment(node)}` one earlier",
                reason="the crash is on its path",
            )


def _flip(scene: Scene, node: ast.Compare) -> Edit | None:
    old, new = _FLIPS[type(node.ops[0])]
    start = scene.text.span(node.left)[1]
    end = scene.text.span(node.comparators[0])[0]
    between = scene.text.decode(start, end)
    if between.count(old) != 1:
        return None
    return Edit(start=start, end=end, text=between.replace(old, new))


def _proposal(scene: Scene, node: ast.Compare, edit: Edit) -> Proposal:
    old, new = _FLIPS[type(node.ops[0])]
    test = any(node in ast.walk(item) for item in _tests(scene))
    return Proposal(
        rule="flip.comparison" if test else "flip.earlier_comparison",
        edits=(edit,),
        description=f"Compare with `{new}` instead of `{old}` in `{scene.segment(node)}`",
        reason="the condition decides whether the crashed expression runs",
    )


def _tests(scene: Scene) -> list[ast.expr]:
    return tests_around(scene, scene.crash)
