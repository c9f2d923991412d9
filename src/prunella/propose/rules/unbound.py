"""UnboundLocalError: a variable is read on a path that never set it."""

import ast
import re
from collections.abc import Iterator

from prunella.codec import size
from prunella.propose.rules.edits import Proposal, anchor, grouped, inserting, replacing
from prunella.propose.rules.flow import (
    bindings,
    block_of,
    calls_to,
    is_plain_parameter,
    loops_around,
    names_in,
)
from prunella.propose.rules.guards import guards
from prunella.propose.rules.names import compared, misspelt
from prunella.propose.rules.precedents import first_value, literal_kind
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import EMPTY_LITERALS, kinds

EXCEPTIONS = ("UnboundLocalError",)
_NAME = re.compile(r"variable '(\w+)'")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose to set the variable before, or to do without it."""
    found = _NAME.search(scene.exception.message)
    name = scene.crash.id if isinstance(scene.crash, ast.Name) else found and found[1]
    if not name:
        return
    binders = bindings(scene, name)
    if not binders:
        return
    loop = _skipped_loop(scene, binders)
    because = f"nothing has set `{name}` in {describe_failures(scene.failures)}"
    if loop is not None:
        yield from _after_loop(scene, name, loop, because)
    yield from compared(scene, name, "unbound")
    yield from _outer_counter(scene, name, because)
    yield from _moved_up(scene, name, binders, because)
    yield from _hoisted(scene, name, binders, because)
    yield from _initialised(scene, name, binders, because)
    yield from _global(scene, name, because)
    yield from misspelt(scene, name, "unbound")


def _skipped_loop(scene: Scene, binders: list[ast.stmt]) -> ast.For | None:
    """Return the finished ``for`` loop that alone sets the variable and ran over nothing."""
    loops: set[ast.For] = set()
    for binder in binders:
        if isinstance(binder, ast.For):
            loops.add(binder)
            continue
        around = [item for item in loops_around(scene, binder) if isinstance(item, ast.For)]
        if not around:
            return None
        loops.add(around[-1])
    if len(loops) != 1:
        return None
    loop = loops.pop()
    return None if loop in scene.above(scene.crash) else loop


def iterated(loop: ast.For) -> ast.expr | None:
    """Return the collection that a loop runs over, directly or by index."""
    node: ast.expr = loop.iter
    while calls_to(node, "range", "len", "enumerate", "reversed", "sorted", "list", "tuple"):
        arguments = node.args if isinstance(node, ast.Call) else []
        if not arguments:
            return None
        node = arguments[1] if calls_to(node, "range") and len(arguments) == 2 else arguments[0]
    if isinstance(node, ast.BinOp):
        inner = [item for item in ast.walk(node) if calls_to(item, "len")]
        if len(inner) == 1 and isinstance(call := inner[0], ast.Call) and call.args:
            return call.args[0]
    return node if isinstance(node, (ast.Name, ast.Attribute)) else None


def _after_loop(scene: Scene, name: str, loop: ast.For, because: str) -> Iterator[Proposal]:
    subject = iterated(loop)
    if subject is None:
        return
    text = scene.segment(subject)
    sizes = {size(value) for value in scene.local(text)} if isinstance(subject, ast.Name) else set()
    if sizes and sizes != {0}:
        return
    because = f"{because}: the loop over `{text}` ran over nothing"
    yield from _length_instead(scene, name, loop, subject, because)
    condition = f"not {grouped(text, subject)}"
    yield from guards(scene, "unbound.empty", condition, subject, f"`{text}` is empty")


def _length_instead(
    scene: Scene, name: str, loop: ast.For, subject: ast.expr, because: str
) -> Iterator[Proposal]:
    """Behind a finished loop over all indexes, `i + 1` is the length; that holds for 0 too."""
    counter = loop.target
    if calls_to(loop.iter, "enumerate") and isinstance(counter, ast.Tuple):
        counter = counter.elts[0]
    whole = (
        isinstance(counter, ast.Name)
        and counter.id == name
        and isinstance(loop.iter, ast.Call)
        and len(loop.iter.args) == 1
        and calls_to(loop.iter, "range", "enumerate")
        and (calls_to(loop.iter, "enumerate") or calls_to(loop.iter.args[0], "len"))
    )
    if not whole:
        return
    length = f"len({scene.segment(subject)})"
    use = scene.parents.get(scene.crash)
    if (
        isinstance(use, ast.BinOp)
        and isinstance(use.op, ast.Add)
        and isinstance(use.right, ast.Constant)
        and use.right.value == 1
    ):
        yield Proposal(
            rule="unbound.length",
            edits=(replacing(scene, use, length),),
            description=f"Use `{length}` instead of `{scene.segment(use)}`",
            reason=f"{because}; behind the loop the two are equal otherwise",
        )
    elif isinstance(scene.crash, ast.Name):
        yield Proposal(
            rule="unbound.last_index",
            edits=(replacing(scene, scene.crash, f"{length} - 1"),),
            description=f"Use `{length} - 1` instead of `{name}`",
            reason=f"{because}; behind the loop the two are equal otherwise",
        )


def _outer_counter(scene: Scene, name: str, because: str) -> Iterator[Proposal]:
    """`for j in range(j + 1, n)` inside another loop: that one's counter was meant."""
    inner = next(
        (
            item
            for item in scene.above(scene.crash)
            if isinstance(item, ast.For) and name in names_in(item.target)
        ),
        None,
    )
    if inner is None or scene.crash not in ast.walk(inner.iter):
        return
    for loop in loops_around(scene, inner)[:1]:
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name):
            uses = [n for n in ast.walk(inner.iter) if isinstance(n, ast.Name) and n.id == name]
            yield Proposal(
                rule="unbound.outer_counter",
                edits=tuple(replacing(scene, use, loop.target.id) for use in uses),
                description=f"Start from the outer loop's `{loop.target.id}`",
                reason=f"{because}; the loop that sets it begins with it",
            )


def _moved_up(scene: Scene, name: str, binders: list[ast.stmt], because: str) -> Iterator[Proposal]:
    """The assignment stands behind the use, in the same block: move it before."""
    use = anchor(scene, scene.crash)
    for binder in binders:
        block = block_of(scene, use)
        if binder not in block or use not in block or block.index(binder) <= block.index(use):
            continue
        if not isinstance(binder, ast.Assign) or name in names_in(binder.value):
            continue
        insert = inserting(scene, use, [scene.segment(binder)])
        start, end = scene.text.line_start(binder.lineno), scene.text.next_line(binder.lineno)
        alone = binder.end_lineno == binder.lineno
        if insert is not None and alone:
            remove = type(insert)(start=start, end=min(end, scene.span.end), text="")
            yield Proposal(
                rule="unbound.move_up",
                edits=(insert, remove),
                description=f"Set `{name}` before it is used",
                reason=f"{because}; `{scene.segment(binder)}` comes later",
            )


def _hoisted(scene: Scene, name: str, binders: list[ast.stmt], because: str) -> Iterator[Proposal]:
    """Set the variable before the branch or loop to what one of its assignments gives it."""
    place = _place_before(scene, binders)
    seen: set[str] = set()
    for binder in binders:
        if not isinstance(binder, ast.Assign) or len(binder.targets) != 1:
            continue
        value = binder.value
        if not isinstance(binder.targets[0], ast.Name) or isinstance(value, ast.Constant):
            continue
        stable = all(
            is_plain_parameter(scene, item) or item in ("len", "list", "tuple", "sorted")
            for item in names_in(value)
        )
        text = scene.segment(value)
        if not stable or text in seen or "\n" in text:
            continue
        seen.add(text)
        edit = inserting(scene, place, [f"{name} = {text}"])
        if edit is not None:
            yield Proposal(
                rule="unbound.hoist",
                edits=(edit,),
                description=f"Begin with `{name} = {text}`",
                reason=f"{because}; one of its assignments is the same for every pass",
            )


def _place_before(scene: Scene, binders: list[ast.stmt]) -> ast.stmt:
    """Return the outermost statement around the first assignment that doesn't hold the use."""
    first = binders[0]
    above_use = set(scene.above(scene.crash))
    place: ast.stmt = first
    for item in scene.above(first):
        if item in above_use or not isinstance(item, ast.stmt):
            break
        place = item
    shared = [loop for loop in loops_around(scene, place) if loop in above_use]
    return anchor(scene, shared[-1] if shared else place)


def _initialised(
    scene: Scene, name: str, binders: list[ast.stmt], because: str
) -> Iterator[Proposal]:
    place = _place_before(scene, binders)
    for literal, basis in _beginnings(scene, name, binders):
        edit = inserting(scene, place, [f"{name} = {literal}"])
        if edit is not None:
            yield Proposal(
                rule=f"unbound.init.{basis}",
                edits=(edit,),
                description=f"Begin with `{name} = {literal}`",
                reason=because,
            )


def _beginnings(scene: Scene, name: str, binders: list[ast.stmt]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for binder in binders:
        if isinstance(binder, ast.For) and calls_to(binder.iter, "range", "enumerate"):
            if isinstance(binder.iter, ast.Call):
                found.setdefault(_before_first(binder.iter), "before_range")
            found.setdefault("0", "zero")
        elif isinstance(binder, ast.AugAssign):
            found.setdefault(_neutral(binder), "neutral")
        elif isinstance(binder, ast.Assign) and literal_kind(binder.value):
            found.setdefault(scene.segment(binder.value), "same_constant")
    precedent = first_value(scene, name)
    if precedent is not None:
        found[precedent.text] = "sibling"
    if _is_result(scene):
        for item in sorted(kinds(scene.passing_results) & set(EMPTY_LITERALS)):
            found.setdefault(EMPTY_LITERALS[item], "result_type")
    found.setdefault("None", "none")
    return list(found.items())[:6]


def _before_first(call: ast.Call) -> str:
    """Return what a counter would be before the first pass of its loop."""
    start = call.args[0] if calls_to(call, "range") and len(call.args) > 1 else None
    first = start.value if isinstance(start, ast.Constant) else 0
    return str(first - 1) if isinstance(first, int) else "-1"


def _neutral(node: ast.AugAssign) -> str:
    if isinstance(node.op, ast.Mult):
        return "1"
    if isinstance(node.value, ast.List):
        return "[]"
    if isinstance(node.value, (ast.JoinedStr,)) or (
        isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ):
        return '""'
    return "0"


def _is_result(scene: Scene) -> bool:
    """The variable is returned as it is."""
    return isinstance(scene.parents.get(scene.crash), ast.Return)


def _global(scene: Scene, name: str, because: str) -> Iterator[Proposal]:
    """The module has a variable of that name: the function means it."""
    module_level = {
        target.id
        for statement in scene.text.tree.body
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        for target in ast.walk(statement)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    }
    first = anchor(scene, scene.node.body[0])
    if name not in module_level or name in scene.parameters:
        return
    edit = inserting(scene, first, [f"global {name}"])
    if edit is not None:
        yield Proposal(
            rule="unbound.global",
            edits=(edit,),
            description=f"Declare `{name}` as the module's variable",
            reason=f"{because}; the module has a variable of that name",
        )
