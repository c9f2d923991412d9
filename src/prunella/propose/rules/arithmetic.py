"""ZeroDivisionError: there is nothing to divide by."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, anchor, grouped, replacing
from prunella.propose.rules.flow import bindings, calls_to, last_value
from prunella.propose.rules.guards import guards
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("ZeroDivisionError", "InvalidOperation", "DivisionByZero")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose guards against the zero, at its source where that is the length of something."""
    crash = scene.crash
    if isinstance(crash, (ast.BinOp, ast.AugAssign)):
        divisor = crash.right if isinstance(crash, ast.BinOp) else crash.value
        yield from _divisor(scene, divisor)
        if isinstance(crash, ast.BinOp):
            yield from _inline(scene, crash)


def _divisor(scene: Scene, divisor: ast.expr) -> Iterator[Proposal]:
    source: ast.expr | None = divisor
    if isinstance(divisor, ast.Name) and len(bindings(scene, divisor.id)) == 1:
        source = last_value(scene, divisor.id, anchor(scene, scene.crash)) or divisor
    if calls_to(source, "len") and isinstance(source, ast.Call) and len(source.args) == 1:
        counted = source.args[0]
        text = scene.segment(counted)
        condition = f"not {grouped(text, counted)}"
        yield from guards(scene, "zero.empty", condition, counted, f"`{text}` is empty")
        return
    text = scene.segment(divisor)
    condition = f"{grouped(text, divisor)} == 0"
    yield from guards(scene, "zero", condition, divisor, f"`{text}` is zero")


def _inline(scene: Scene, crash: ast.BinOp) -> Iterator[Proposal]:
    """The quotient is 0 where there is nothing to divide by."""
    divisor = grouped(scene.segment(crash.right), crash.right)
    literal = "0.0" if isinstance(crash.op, ast.Div) else "0"
    best = answers(scene)[:1]
    if isinstance(scene.parents.get(crash), ast.Return) and best:
        literal = best[0].text or "None"
    text = scene.segment(crash)
    yield Proposal(
        rule="zero.inline",
        weight=best[0].weight if best else 0.3,
        edits=(replacing(scene, crash, f"({text} if {divisor} else {literal})"),),
        description=f"Use {literal} for `{text}` when `{divisor}` is zero",
        reason=f"`{divisor}` is zero in {describe_failures(scene.failures)}",
    )
