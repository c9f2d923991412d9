"""Containers that grow the wrong way: an item joined as if it were a container, a method's `None`
kept for its result, a container begun as one that lacks the method."""

import ast
import re
from collections.abc import Iterator

from prunella.propose.rules.edits import Proposal, replacing
from prunella.propose.rules.flow import bindings, calls_to
from prunella.propose.rules.precedents import literal_kind
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import BUILT_IN, EMPTY_LITERALS, kinds

EXCEPTIONS = ("TypeError", "AttributeError")
_SCALARS = frozenset({"int", "float", "bool", "Decimal", "Fraction", "complex"})
_NO_ITERABLE = re.compile(r"'(\w+)' object is not iterable|Value after \* must be an iterable")
_NO_ATTRIBUTE = re.compile(r"'(\w+)' object has no attribute '(\w+)'")
_OPERANDS = re.compile(r"unsupported operand type\(s\) for \+=?: '(\w+)' and '(\w+)'")
_CONCATENATED = re.compile(r"can only concatenate (\w+) \(not \"(\w+)\"\) to")
#: Methods that change what they are called on and give `None`.
IN_PLACE = frozenset(
    ["add", "append", "clear", "discard", "extend", "insert", "remove", "reverse", "sort", "update"]
)
_GROWING = frozenset({"list", "tuple", "set", "dict", "str"})


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose to put an item in, to leave a method's `None` alone, or another beginning."""
    message = scene.exception.message
    if "NoneType" in message or message.endswith("None"):
        yield from _kept_none(scene)
    elif "object is not iterable" in message:
        yield from _not_iterable(scene)
    yield from _begun_with_item(scene)
    yield from _begun_as(scene)


def _not_iterable(scene: Scene) -> Iterator[Proposal]:
    """`rows += item`, `rows.extend(item)`, `list(item)` of a value that has no items."""
    found = _NO_ITERABLE.search(scene.exception.message)
    if found is None or found[1] not in _SCALARS:
        return
    crash = scene.crash
    because = f"the value is of type {found[1]} in {describe_failures(scene.failures)}"
    if isinstance(crash, ast.AugAssign) and isinstance(crash.op, ast.Add):
        text = scene.segment(crash.value)
        yield Proposal(
            rule="growth.item",
            edits=(replacing(scene, crash.value, f"[{text}]"),),
            description=f"Add `{text}` as an item",
            reason=f"{because}, not a collection",
        )
    if not isinstance(crash, ast.Call) or len(crash.args) != 1:
        return
    argument = scene.segment(crash.args[0])
    if isinstance(crash.func, ast.Attribute) and crash.func.attr == "extend":
        owner = scene.segment(crash.func.value)
        yield Proposal(
            rule="growth.append",
            edits=(replacing(scene, crash, f"{owner}.append({argument})"),),
            description=f"Append `{argument}` instead of its items",
            reason=f"{because}, not a collection",
        )
    displays = {"list": f"[{argument}]", "tuple": f"({argument},)", "set": f"{{{argument}}}"}
    for name, display in displays.items():
        if calls_to(crash, name):
            yield Proposal(
                rule="growth.display",
                edits=(replacing(scene, crash, display),),
                description=f"Make a {name} of the one item: `{display}`",
                reason=f"{because}, not a collection",
            )


def _kept_none(scene: Scene) -> Iterator[Proposal]:
    """`rows = rows.append(item)`: the method works in place and gives `None`."""
    because = f"the method changes its object and gives None ({describe_failures(scene.failures)})"
    names = {
        node.id
        for node in ast.walk(scene.crash)
        if isinstance(node, ast.Name) and None in scene.local(node.id)
    }
    if isinstance(scene.crash, ast.For) and isinstance(scene.crash.iter, ast.Name):
        names = {scene.crash.iter.id}
    seen: set[ast.stmt] = set()
    for name in sorted(names):
        for statement in bindings(scene, name):
            if isinstance(statement, ast.Assign) and statement not in seen:
                seen.add(statement)
                yield from _unkept(scene, name, statement, because)
    statement = scene.statement(scene.crash)
    if isinstance(statement, (ast.AugAssign, ast.Assign)) and statement not in seen:
        target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
        calls = [node for node in ast.walk(statement.value) if _in_place(node) is not None]
        # `rows += rows.append(item)`, `rows = rows + other.append(item)`
        if len(calls) == 1 and isinstance(target, ast.Name):
            owner = _in_place(calls[0])
            if owner is not None and scene.segment(owner) == target.id:
                yield _alone(scene, statement, calls[0], because)


def _unkept(scene: Scene, name: str, statement: ast.Assign, because: str) -> Iterator[Proposal]:
    call, owner = statement.value, _in_place(statement.value)
    if owner is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    text, method = scene.segment(owner), call.func.attr
    if text == name:
        yield _alone(scene, statement, call, because)
    ordered = {"reverse": f"{text}[::-1]", "sort": f"sorted({text})"}
    if method in ordered and not call.args:
        new = ordered[method]
        if method == "sort" and call.keywords:
            given = ", ".join(scene.segment(item.value) for item in call.keywords)
            names = ", ".join(f"{item.arg}=" for item in call.keywords)
            if len(call.keywords) > 1 or call.keywords[0].arg is None:
                return
            new = f"sorted({text}, {names}{given})"
        if text != name:
            yield Proposal(
                rule="growth.copy",
                edits=(replacing(scene, call, new),),
                description=f"Keep `{new}` instead of the None of `{method}`",
                reason=because,
            )
    elif method in ("append", "add", "extend") and isinstance(owner, (ast.Call, ast.Subscript)):
        part = scene.segment(call.args[0]) if len(call.args) == 1 else ""
        if part and method == "append":
            yield Proposal(
                rule="growth.joined",
                edits=(replacing(scene, call, f"{text} + [{part}]"),),
                description=f"Keep `{text} + [{part}]` instead of the None of `append`",
                reason=because,
            )


def _alone(scene: Scene, statement: ast.stmt, call: ast.AST, because: str) -> Proposal:
    text = scene.segment(call) if isinstance(call, ast.expr) else ""
    return Proposal(
        rule="growth.in_place",
        edits=(replacing(scene, statement, text),),
        description=f"Call `{text}` without keeping its None",
        reason=because,
    )


def _in_place(node: ast.AST) -> ast.expr | None:
    """Return what an in-place method is called on, ``None`` where the node is no such call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value if node.func.attr in IN_PLACE else None
    return None


def _begun_with_item(scene: Scene) -> Iterator[Proposal]:
    """`found = rows[0]`, used as a collection afterwards: it was to begin with that one item."""
    crash, message = scene.crash, scene.exception.message
    subject: ast.expr | None = None
    if "argument of type" in message and isinstance(crash, ast.Compare):
        subject = crash.comparators[-1]
    elif found := _NO_ATTRIBUTE.search(message):
        node = crash.func if isinstance(crash, ast.Call) else crash
        if found[1] in _SCALARS and hasattr(list, found[2]) and isinstance(node, ast.Attribute):
            subject = node.value
    if not isinstance(subject, ast.Name) or not kinds(scene.local(subject.id)) <= _SCALARS:
        return
    for statement in bindings(scene, subject.id):
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(value, (ast.Subscript, ast.Name)) and scene.segment(value) != subject.id:
            text = scene.segment(value)
            yield Proposal(
                rule="growth.begun_with_item",
                edits=(replacing(scene, value, f"[{text}]"),),
                description=f"Begin `{subject.id}` as a list with `{text}` in it",
                reason=f"{message} in {describe_failures(scene.failures)}",
            )
            return


def _begun_as(scene: Scene) -> Iterator[Proposal]:
    """`rows = ()` and `rows.append(…)` later: it was to begin as a list."""
    crash, message = scene.crash, scene.exception.message
    subject, wanted = _begun_wrong(crash, message)
    if not isinstance(subject, ast.Name):
        return
    beginnings = [
        item
        for item in bindings(scene, subject.id)
        if isinstance(item, ast.Assign)
        and literal_kind(item.value) in kinds(scene.local(subject.id))
    ]
    if len(beginnings) != 1 or literal_kind(beginnings[0].value) not in _GROWING:
        return
    begin = beginnings[0].value
    for name in wanted:
        if name != literal_kind(begin):
            yield Proposal(
                rule="growth.begin_as",
                edits=(replacing(scene, begin, EMPTY_LITERALS[name]),),
                description=f"Begin `{subject.id}` as `{EMPTY_LITERALS[name]}`",
                reason=f"{message} in {describe_failures(scene.failures)}; what follows needs a {name}",
            )


def _begun_wrong(crash: ast.AST, message: str) -> tuple[ast.expr | None, list[str]]:
    """Return the container that is of the wrong kind, and the kinds that would do."""
    found = _NO_ATTRIBUTE.search(message)
    if found is not None:
        node = crash.func if isinstance(crash, ast.Call) else crash
        kinds_with = [name for name in ("list", "set", "dict") if hasattr(BUILT_IN[name], found[2])]
        return (node.value, kinds_with[:2]) if isinstance(node, ast.Attribute) else (None, [])
    if "does not support item assignment" in message and isinstance(crash, ast.Subscript):
        return crash.value, ["dict", "list"]
    joined = _CONCATENATED.search(message) or _OPERANDS.search(message)
    if joined is not None and joined[2] in ("list", "tuple", "str"):
        if isinstance(crash, ast.AugAssign):
            return crash.target, [joined[2]]
        if isinstance(crash, ast.BinOp):
            return crash.left, [joined[2]]
    return None, []
