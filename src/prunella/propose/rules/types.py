"""TypeError: operands, indexes and iterables of the wrong type."""

import ast
import re
from collections.abc import Iterator

from prunella.codec import items
from prunella.model.tree import Tree
from prunella.propose.rules.attributes import converted
from prunella.propose.rules.edits import Proposal, replacing
from prunella.propose.rules.flow import calls_to
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import SIZED, kind, kinds

EXCEPTIONS = ("TypeError",)
_OBJECT = re.compile(r"'([\w.]+)' object")
#: The types of the left and the right operand, as messages tell them.
_SIDES = (
    re.compile(r"unsupported operand type\(s\) for [^:]+: '([\w.]+)' and '([\w.]+)'"),
    re.compile(r"not supported between instances of '([\w.]+)' and '([\w.]+)'"),
    re.compile(r"can only concatenate ([\w.]+) \(not \"([\w.]+)\"\) to"),
)


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose what the kind of type error calls for."""
    message, crash = scene.exception.message, scene.crash
    if "NoneType" in message:
        return
    because = f"{message} in {describe_failures(scene.failures)}"
    if isinstance(crash, ast.Subscript):
        yield from _subscript(scene, crash, message, because)
    elif "coroutine" in message:
        yield from _awaited(scene, because)
    elif "not iterable" in message or "interpreted as an integer" in message:
        yield from _counted(scene, because)
        yield from _iterated_number(scene, because)
    elif "has no len()" in message and isinstance(crash, ast.Call) and len(crash.args) == 1:
        yield from _without_length(scene, crash, because)
    elif isinstance(crash, (ast.BinOp, ast.Compare, ast.AugAssign)):
        yield from _operands(scene, because)


def _subscript(
    scene: Scene, crash: ast.Subscript, message: str, because: str
) -> Iterator[Proposal]:
    owner = found[1] if (found := _OBJECT.search(message)) else ""
    if "item assignment" in message or "item deletion" in message:
        yield from converted(scene, crash.value, owner, because)
    elif "not subscriptable" in message and owner == "coroutine":
        yield from _awaited(scene, because)
    elif "not subscriptable" in message:
        yield from _called(scene, crash, because)
        yield from _plain(scene, crash, owner, because)
    elif "indices must be integers" in message:
        yield from _index(scene, crash, message, because)


def _without_length(scene: Scene, call: ast.Call, because: str) -> Iterator[Proposal]:
    """`len(n)` of a number that is the length already."""
    text = scene.segment(call.args[0])
    if "'int'" in scene.exception.message:
        yield Proposal(
            rule="type.plain_length",
            edits=(replacing(scene, call, text),),
            description=f"Use `{text}`, a number already",
            reason=because,
        )


def _plain(scene: Scene, crash: ast.Subscript, owner: str, because: str) -> Iterator[Proposal]:
    """`row[1]` of a number: the variable is the value itself already."""
    if owner in ("int", "float", "bool") and isinstance(crash.ctx, ast.Load):
        text = scene.segment(crash.value)
        yield Proposal(
            rule="type.plain",
            edits=(replacing(scene, crash, text),),
            description=f"Use `{text}`, which has no items",
            reason=because,
        )


def _awaited(scene: Scene, because: str) -> Iterator[Proposal]:
    """The result of a coroutine function is used without `await`."""
    if not isinstance(scene.node, ast.AsyncFunctionDef):
        return
    for node in ast.walk(scene.statement(scene.crash)):
        awaited = isinstance(scene.parents.get(node), ast.Await)
        if isinstance(node, ast.Call) and not awaited and node is not scene.crash:
            yield Proposal(
                rule="type.await",
                edits=(replacing(scene, node, f"(await {scene.segment(node)})"),),
                description=f"Await `{scene.segment(node)}`",
                reason=because,
            )


def _counted(scene: Scene, because: str) -> Iterator[Proposal]:
    """`for i in len(a)`, `len(range(a))`, `range(a)`: a length and a range are mixed up."""
    statement = scene.statement(scene.crash)
    root = statement.iter if isinstance(statement, (ast.For, ast.AsyncFor)) else statement
    for node in ast.walk(root):
        if isinstance(node, ast.Call) and len(node.args) == 1:
            new = _counting(scene, node, is_iterated=node is root)
            if new is not None:
                yield Proposal(
                    rule="type.range_len",
                    edits=(replacing(scene, node, new),),
                    description=f"Count with `{new}`",
                    reason=because,
                )
                return


def _counting(scene: Scene, node: ast.Call, *, is_iterated: bool) -> str | None:
    """Return what a call of `len` or `range` should have been, or ``None``."""
    inner, text = node.args[0], scene.segment(node.args[0])
    if calls_to(node, "len"):
        if calls_to(inner, "range") and isinstance(inner, ast.Call) and inner.args:
            return f"range(len({scene.segment(inner.args[0])}))"
        return f"range(len({text}))" if is_iterated else None
    if not calls_to(node, "range") or calls_to(inner, "len"):
        return None
    seen = kinds(scene.local(text))
    if seen and seen <= SIZED | {"dict", "set"}:
        return f"range(len({text}))"
    return f"range(int({text}))" if "float" in seen or isinstance(inner, ast.BinOp) else None


def _iterated_number(scene: Scene, because: str) -> Iterator[Proposal]:
    """`for i in n` where n is a number."""
    statement = scene.statement(scene.crash)
    root = statement.iter if isinstance(statement, ast.For) else None
    if isinstance(root, ast.Name) and kinds(scene.local(root.id)) == {"int"}:
        yield Proposal(
            rule="type.range_of",
            edits=(replacing(scene, root, f"range({root.id})"),),
            description=f"Count up to `{root.id}`",
            reason=because,
        )


def _operands(scene: Scene, because: str) -> Iterator[Proposal]:
    crash = scene.crash
    if isinstance(crash, ast.BinOp):
        pair = (crash.left, crash.right)
    elif isinstance(crash, ast.Compare) and len(crash.comparators) == 1:
        pair = (crash.left, crash.comparators[0])
    elif isinstance(crash, ast.AugAssign):
        pair = (crash.target, crash.value)
    else:
        return
    told = next((m for pattern in _SIDES if (m := pattern.search(scene.exception.message))), None)
    sides = [told[1], told[2]] if told else [_side(scene, node) for node in pair]
    for at in (0, 1):
        node, own, other = pair[at], sides[at], sides[1 - at]
        yield from _component(scene, node, own, other, because)
        if isinstance(crash, ast.AugAssign) and at == 0:
            continue
        for name in _conversions(own, other, adds=_adds(crash)):
            yield from converted(scene, node, own, because)
            text = scene.segment(node)
            display = {"list_of": f"[{text}]", "tuple_of": f"({text},)"}
            new = display.get(name, f"{name}({text})")
            yield Proposal(
                rule=f"type.operand.{name}",
                edits=(replacing(scene, node, new),),
                description=f"Use `{new}` instead of `{text}`",
                reason=because,
                weight=1.0 if not _seen_as(scene, node, own) else 0.5,
            )


def _component(
    scene: Scene, node: ast.expr, own: str, other: str, because: str
) -> Iterator[Proposal]:
    """A collection against a number or a text: the one part of it that is of that type, or its
    length."""
    if other not in ("int", "float", "str") or not isinstance(
        scene.crash, (ast.Compare, ast.BinOp)
    ):
        return
    text = scene.segment(node)
    if own == "tuple" and isinstance(node, (ast.Name, ast.Subscript)):
        values = _values_of(scene, node)
        places = {
            tuple(at for at, item in enumerate(items(value)) if kind(item) == other)
            for value in values
        }
        if len(places) == 1 and len(found := places.pop()) == 1:
            yield Proposal(
                rule="type.component",
                edits=(replacing(scene, node, f"{text}[{found[0]}]"),),
                description=f"Use `{text}[{found[0]}]`, the {other} in it",
                reason=because,
            )
    if own in SIZED and other == "int" and not (own == "str" and _adds(scene.crash)):
        yield Proposal(
            rule="type.length",
            edits=(replacing(scene, node, f"len({text})"),),
            description=f"Use the length of `{text}`",
            reason=because,
        )


def _values_of(scene: Scene, node: ast.expr) -> list[Tree]:
    """Return the values of a name, or of the rows that a subscript of a name takes."""
    if isinstance(node, ast.Name):
        return scene.local(node.id)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return [row for value in scene.local(node.value.id) for row in items(value)]
    return []


def _adds(crash: ast.AST) -> bool:
    return isinstance(getattr(crash, "op", None), ast.Add)


def _side(scene: Scene, node: ast.expr) -> str:
    """Return the type that an operand had in the failing calls, ``""`` if that isn't known."""
    if isinstance(node, ast.Constant):
        return type(node.value).__name__
    if isinstance(node, (ast.JoinedStr,)):
        return "str"
    if isinstance(node, (ast.List, ast.Tuple, ast.Dict)):
        return type(node).__name__.lower()
    if isinstance(node, ast.Name):
        seen = kinds(scene.local(node.id))
        return next(iter(seen)) if len(seen) == 1 else ""
    if calls_to(node, "len", "int", "str", "float", "list", "tuple") and isinstance(node, ast.Call):
        name = scene.segment(node.func)
        return "int" if name == "len" else name
    if isinstance(node, ast.BinOp):
        sides = {_side(scene, node.left), _side(scene, node.right)}
        return sides.pop() if len(sides) == 1 else ("str" if "str" in sides else "")
    return ""


def _conversions(own: str, other: str, *, adds: bool) -> list[str]:
    """Return what may be applied to an operand of type `own` so that it goes with `other`."""
    if own == other:
        return []
    if other == "str" and own != "str":
        return ["str"] if adds else []
    if own == "str" and other in ("int", "float"):
        return [other, "float"] if other == "int" else ["float"]
    if own in ("list", "tuple") and other in ("list", "tuple"):
        return [f"{other}_of", other] if adds else [other]
    if other in ("list", "tuple") and adds and own not in ("list", "tuple", ""):
        return [f"{other}_of"]
    if {own, other} == {"float", "Decimal"} and own == "Decimal":
        return ["float"]
    return []


def _seen_as(scene: Scene, node: ast.expr, own: str) -> bool:
    """Passing calls have the same type there, so that it can't be the fault."""
    if not isinstance(node, ast.Name):
        return False
    return own in kinds(values[node.id] for values in scene.passing_inputs if node.id in values)


def _called(scene: Scene, crash: ast.Subscript, because: str) -> Iterator[Proposal]:
    """`len[x]`: a function was meant to be called."""
    if "function" in scene.exception.message or "method" in scene.exception.message:
        base, inner = scene.segment(crash.value), scene.segment(crash.slice)
        yield Proposal(
            rule="type.call",
            edits=(replacing(scene, crash, f"{base}({inner})"),),
            description=f"Call `{base}` instead of subscripting it",
            reason=because,
        )
        yield from _other_base(scene, crash, because)


def _other_base(scene: Scene, crash: ast.Subscript, because: str) -> Iterator[Proposal]:
    for name in scene.parameters:
        if kinds(scene.local(name)) & {"list", "tuple", "str", "dict"}:
            yield Proposal(
                rule="type.other_base",
                edits=(replacing(scene, crash.value, name),),
                description=f"Take an item of `{name}`",
                reason=because,
            )


def _index(scene: Scene, crash: ast.Subscript, message: str, because: str) -> Iterator[Proposal]:
    text = scene.segment(crash.slice)
    if message.endswith(("float", "str")) and not isinstance(crash.slice, ast.Constant):
        yield Proposal(
            rule="type.int_index",
            edits=(replacing(scene, crash.slice, f"int({text})"),),
            description=f"Use `int({text})` as the index",
            reason=because,
        )
    division = crash.slice
    if isinstance(division, ast.BinOp) and isinstance(division.op, ast.Div):
        left, right = scene.segment(division.left), scene.segment(division.right)
        yield Proposal(
            rule="type.floor_division",
            edits=(replacing(scene, division, f"{left} // {right}"),),
            description=f"Divide `{text}` without a remainder",
            reason=because,
        )
