"""Call forms mixed up: a method not called, an item asked for by call, a call by subscript."""

import ast
import re
from collections.abc import Iterator

from prunella.propose.rules.edits import Proposal, replacing
from prunella.propose.rules.flow import bindings, own_nodes
from prunella.propose.rules.names import misspelt
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import BUILT_IN, kinds

EXCEPTIONS = ("TypeError", "AttributeError")
_UNCALLED = re.compile(r"builtin_function_or_method|'method'|method_descriptor|'function' object")
_NOT_CALLABLE = re.compile(r"'(list|tuple|dict|str|range)' object is not callable")
_OF_CLASS = re.compile(r"'type' object is not|type object '\w+' has no")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose the form that was meant."""
    message = scene.exception.message
    because = f"{message} in {describe_failures(scene.failures)}"
    if _UNCALLED.search(message):
        yield from _uncalled(scene, because)
    if _NOT_CALLABLE.search(message):
        yield from _subscripted(scene, because)
        yield from _shadowed(scene, because)
    if _OF_CLASS.search(message):
        yield from _class_for_value(scene)
    if "unhashable type: 'list'" in message:
        yield from _unhashable(scene, because)


def _uncalled(scene: Scene, because: str) -> Iterator[Proposal]:
    """`rows.copy` where `rows.copy()` was meant, here or where the variable got it."""
    crash = scene.crash
    for node in _methods_in(scene, crash):
        parent = scene.parents.get(node)
        if isinstance(parent, ast.Attribute) and parent.attr in _values(scene):
            yield Proposal(  # `rows.append.item`
                rule="form.argument",
                edits=(replacing(scene, parent, f"{scene.segment(node)}({parent.attr})"),),
                description=f"Call `{scene.segment(node)}` with `{parent.attr}`",
                reason=because,
            )
            continue
        if isinstance(parent, ast.Subscript) and parent.value is node:
            continue  # `rows.append[item]` is for another rule
        yield Proposal(
            rule="form.uncalled",
            edits=(replacing(scene, node, f"{scene.segment(node)}()"),),
            description=f"Call `{scene.segment(node)}`",
            reason=because,
        )


def _methods_in(scene: Scene, crash: ast.AST) -> list[ast.Attribute]:
    """Return the attributes that give a method without calling it: at the crash, or at the
    assignment of a name in it."""
    roots: list[ast.AST] = [crash]
    if isinstance(crash, ast.For):
        roots = [crash.iter]
    for node in list(ast.walk(roots[0])):
        if isinstance(node, ast.Name):
            roots += [
                item.value for item in bindings(scene, node.id) if isinstance(item, ast.Assign)
            ]
    found = []
    for root in roots:
        for node in ast.walk(root):
            called = isinstance(parent := scene.parents.get(node), ast.Call) and parent.func is node
            is_method = isinstance(node, ast.Attribute) and any(
                callable(getattr(kind, node.attr, None)) for kind in BUILT_IN.values()
            )
            if isinstance(node, ast.Attribute) and is_method and not called and node not in found:
                found.append(node)
    return found[:3]


def _values(scene: Scene) -> set[str]:
    return {name for failure in scene.failures for name in failure.local_values}


def _subscripted(scene: Scene, because: str) -> Iterator[Proposal]:
    """`rows(0)` where `rows[0]` was meant."""
    call = scene.crash
    if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
        new = f"{scene.segment(call.func)}[{scene.segment(call.args[0])}]"
        yield Proposal(
            rule="form.subscript",
            edits=(replacing(scene, call, new),),
            description=f"Take the item `{new}` instead of calling",
            reason=because,
        )


def _shadowed(scene: Scene, because: str) -> Iterator[Proposal]:
    """A variable has the name of the built-in function that is called: rename the variable."""
    call = scene.crash
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return
    name = call.func.id
    if name not in BUILT_IN and name not in ("max", "min", "sum", "len", "sorted", "range"):
        return
    if name in scene.parameters:
        return
    uses = [
        node
        for node in own_nodes(scene.node)
        if isinstance(node, ast.Name) and node.id == name and node is not call.func
    ]
    taken = {node.id for node in ast.walk(scene.node) if isinstance(node, ast.Name)}
    new = f"{name}_"
    if uses and new not in taken:
        yield Proposal(
            rule="form.shadowed",
            edits=tuple(replacing(scene, use, new) for use in uses),
            description=f"Call the variable `{new}`, so that `{name}` is the built-in again",
            reason=because,
        )


def _class_for_value(scene: Scene) -> Iterator[Proposal]:
    """`for row in list`: the name of a class stands where a value was meant."""
    seen: set[str] = set()
    root = scene.crash.iter if isinstance(scene.crash, ast.For) else scene.crash
    for node in ast.walk(root):
        if isinstance(node, ast.Name) and node.id in BUILT_IN and node.id not in seen:
            seen.add(node.id)
            yield from misspelt(scene, node.id, "form.class")


def _unhashable(scene: Scene, because: str) -> Iterator[Proposal]:
    """A list as a key or as an item of a set: a tuple of the same items can be one."""
    crash = scene.crash
    key = crash.slice if isinstance(crash, ast.Subscript) else None
    if isinstance(crash, ast.Compare) and len(crash.ops) == 1:
        key = crash.left
    if isinstance(crash, ast.Call) and isinstance(crash.func, ast.Attribute) and crash.args:
        key = crash.args[0]
    if key is not None and not isinstance(key, ast.Slice):
        new = f"tuple({scene.segment(key)})"
        known = isinstance(key, ast.Name) and "list" in kinds(scene.local(key.id))
        yield Proposal(
            rule="form.hashable",
            edits=(replacing(scene, key, new),),
            description=f"Use `{new}` as the key",
            reason=because,
            weight=1.0 if known else 0.7,
        )
