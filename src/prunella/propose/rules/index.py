"""IndexError: the sequence is empty, or the index runs past its end."""

import ast
from collections.abc import Iterator

from prunella.codec import items, size
from prunella.propose.rules.edits import Proposal, grouped, replacing
from prunella.propose.rules.flow import calls_to, loops_around, names_in, test_with
from prunella.propose.rules.guards import defaulting, guards
from prunella.propose.rules.scene import Failure, Scene, describe_failures
from prunella.propose.rules.values import EMPTY_LITERALS, integer, kind

EXCEPTIONS = ("IndexError",)


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose edits for a subscript or a `pop` out of range."""
    crash = scene.crash
    if isinstance(crash, ast.Subscript) and not isinstance(crash.slice, ast.Slice):
        base = crash.value
        sizes = {_length(base, failure) for failure in scene.failures}
        if sizes <= {0, None}:
            yield from _empty(scene, crash, base, certain=sizes == {0})
        if sizes != {0}:
            yield from _past_the_end(scene, crash)
    method = crash.func if isinstance(crash, ast.Call) else None
    if isinstance(method, ast.Attribute) and method.attr in ("pop", "popleft"):
        yield from _empty(scene, method, method.value, certain=True)


def _length(node: ast.expr, failure: Failure) -> int | None:
    """Return the length of a name, or of a subscript or `list(…)` of one, when the call failed."""
    if isinstance(node, ast.Name):
        value = failure.local_values.get(node.id)
        return size(value)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        rows = items(failure.local_values.get(node.value.id))
        index = number(node.slice, failure)
        if index is not None and -len(rows) <= index < len(rows):
            return size(rows[index])
    return None


def number(node: ast.expr, failure: Failure) -> int | None:
    """Return the value of an integer expression over local variables and `len`."""
    if isinstance(node, ast.Constant):
        return integer(node.value) if isinstance(node.value, int) else None
    if isinstance(node, ast.Name):
        return integer(failure.local_values.get(node.id))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number(node.operand, failure)
        return None if inner is None else -inner
    if calls_to(node, "len") and isinstance(node, ast.Call) and len(node.args) == 1:
        return _length(node.args[0], failure)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        left, right = number(node.left, failure), number(node.right, failure)
        if left is None or right is None:
            return None
        return left + right if isinstance(node.op, ast.Add) else left - right
    return None


def _empty(scene: Scene, crash: ast.expr, base: ast.expr, *, certain: bool) -> Iterator[Proposal]:
    if isinstance(crash, ast.Subscript):
        yield from _slice(scene, crash)
        yield from _first_of_none(scene, crash)
    text = scene.segment(base)
    because = f"`{text}` {'is' if certain else 'may be'} empty"
    condition = f"not {grouped(text, base)}"
    family = "index.empty" if certain else "index.maybe_empty"
    if calls_to(base, "list") and isinstance(base, ast.Call) and base.args:
        condition = f"not {scene.segment(base.args[0])}"
    yield from guards(scene, family, condition, base, because)
    if not isinstance(base, ast.Name) or test_with(scene, crash) is not None:
        return
    seen = {kind(row) for values in scene.passing_inputs for row in items(values.get(base.id))}
    for name in sorted(seen & set(EMPTY_LITERALS))[:1]:
        if not isinstance(scene.parents.get(crash), (ast.Expr, ast.Delete)):
            text_with = f"({scene.segment(crash)} if {text} else {EMPTY_LITERALS[name]})"
            yield defaulting(
                scene, f"{family}.default", crash, text_with,
                f"Use {EMPTY_LITERALS[name]} when `{text}` is empty", because,
            )  # fmt: skip


def _slice(scene: Scene, crash: ast.Subscript) -> Iterator[Proposal]:
    """The first or last character of a text that may be empty: a slice is never out of range."""
    slices = {"0": ":1", "-1": "-1:"}
    index = scene.segment(crash.slice)
    if not scene.exception.message.startswith("string index") or index not in slices:
        return
    yield Proposal(
        rule="index.slice",
        edits=(replacing(scene, crash.slice, slices[index]),),
        description=f"Take a slice of `{scene.segment(crash.value)}`, which may be empty",
        reason=f"the text is empty in {describe_failures(scene.failures)}",
    )


def _first_of_none(scene: Scene, crash: ast.Subscript) -> Iterator[Proposal]:
    """`[rows[0]]`, the first item alone: a slice of nothing has none, and needs no question."""
    display, index = scene.parents.get(crash), scene.segment(crash.slice)
    if not isinstance(display, (ast.List, ast.Tuple)) or index not in ("0", "-1"):
        return
    if len(display.elts) != 1 or not isinstance(display.ctx, ast.Load):
        return
    wanted = "list" if isinstance(display, ast.List) else "tuple"
    base = scene.segment(crash.value)
    new = f"{base}[{':1' if index == '0' else '-1:'}]"
    owner = {kind(value) for value in scene.local(base)}
    if owner != {wanted}:
        new = f"{wanted}({new})"
    yield Proposal(
        rule="index.first_of_none",
        edits=(replacing(scene, display, new),),
        description=f"Take `{new}`, which may be empty",
        reason=f"`{base}` is empty in {describe_failures(scene.failures)}",
    )


def _past_the_end(scene: Scene, crash: ast.Subscript) -> Iterator[Proposal]:
    base, index = scene.segment(crash.value), crash.slice
    text = scene.segment(index)
    because = f"`{text}` lies past the end of `{base}` in {describe_failures(scene.failures)}"
    over = {
        None if length is None or value is None else value - length
        for failure in scene.failures
        for length, value in [(_length(crash.value, failure), number(index, failure))]
    }
    yield from _swapped(scene, crash, because)
    yield from _bounded(scene, crash, because)
    if over <= {0, None}:
        yield from _shrunk_range(scene, crash, because)
        yield from _shifted(scene, crash, because)
    if isinstance(scene.statement(crash), (ast.If, ast.While)):
        return
    yield from guards(scene, "index.past_end", f"{text} >= len({base})", index, because)


def _swapped(scene: Scene, crash: ast.expr, because: str) -> Iterator[Proposal]:
    """`a[i] < x and i < len(a)`: the check stands behind what it protects."""
    test = test_with(scene, crash)
    if not isinstance(test, ast.BoolOp) or not isinstance(test.op, ast.And):
        return
    holds = [crash in ast.walk(value) for value in test.values]
    at = holds.index(True)
    for behind in test.values[at + 1 :]:
        if isinstance(behind, ast.Compare) and calls_in(behind, "len"):
            own, check = test.values[at], behind
            yield Proposal(
                rule="index.swap_checks",
                edits=(
                    replacing(scene, own, scene.segment(check)),
                    replacing(scene, check, scene.segment(own)),
                ),
                description=f"Ask `{scene.segment(check)}` before `{scene.segment(own)}`",
                reason=because + "; the check for it comes too late",
            )


def calls_in(node: ast.AST, name: str) -> bool:
    """An expression holds a call of the function `name`."""
    return any(calls_to(item, name) for item in ast.walk(node))


def _bounded(scene: Scene, crash: ast.Subscript, because: str) -> Iterator[Proposal]:
    """Ask for the bound in the condition that holds the subscript."""
    test = test_with(scene, crash)
    if test is None:
        return
    base, text = scene.segment(crash.value), scene.segment(crash.slice)
    whole = scene.segment(test)
    loose = isinstance(test, (ast.IfExp, ast.Lambda, ast.NamedExpr))
    is_or = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
    yield Proposal(
        rule="index.bound_and",
        edits=(
            replacing(
                scene, test, f"{text} < len({base}) and {f'({whole})' if is_or or loose else whole}"
            ),
        ),
        description=f"Ask `{text} < len({base})` before `{whole}`",
        reason=because,
    )
    if not isinstance(scene.parents[test], ast.While):
        yield Proposal(
            rule="index.bound_or",
            edits=(
                replacing(
                    scene, test, f"{text} >= len({base}) or {f'({whole})' if loose else whole}"
                ),
            ),
            description=f"Take the branch of `{whole}` also when `{text}` is past the end",
            reason=because,
        )


def _shrunk_range(scene: Scene, crash: ast.Subscript, because: str) -> Iterator[Proposal]:
    """The loop counts one too far."""
    for loop in loops_around(scene, crash):
        if not isinstance(loop, ast.For) or not calls_to(loop.iter, "range"):
            continue
        call = loop.iter
        if not isinstance(call, ast.Call) or not names_in(loop.target) & names_in(crash.slice):
            continue
        stop = call.args[1] if len(call.args) > 1 else call.args[0]
        yield Proposal(
            rule="index.shrink_range",
            edits=(replacing(scene, stop, minus_one(scene, stop)),),
            description=f"End the loop at `{minus_one(scene, stop)}` instead of one later",
            reason=because,
        )


def _shifted(scene: Scene, crash: ast.Subscript, because: str) -> Iterator[Proposal]:
    shifted = minus_one(scene, crash.slice)
    yield Proposal(
        rule="index.minus_one",
        edits=(replacing(scene, crash.slice, shifted),),
        description=f"Take the item at `{shifted}` instead of `{scene.segment(crash.slice)}`",
        reason=because,
    )


def minus_one(scene: Scene, node: ast.expr) -> str:
    """Return the text of an integer expression less one."""
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and isinstance(node.right, ast.Constant)
        and node.right.value == 1
    ):
        return scene.segment(node.left)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return str(node.value - 1)
    loose = isinstance(node, (ast.IfExp, ast.BoolOp, ast.Compare, ast.Lambda))
    return f"({scene.segment(node)}) - 1" if loose else f"{scene.segment(node)} - 1"
