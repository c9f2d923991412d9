"""KeyError: a key that isn't there."""

import ast
from collections.abc import Iterator

from prunella.codec import pairs
from prunella.model.tree import Tree
from prunella.propose.rules.edits import Proposal, grouped, replacing
from prunella.propose.rules.flow import bindings
from prunella.propose.rules.guards import guards
from prunella.propose.rules.names import nearness
from prunella.propose.rules.precedents import default_of_lookup
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import EMPTY_LITERALS, kinds

EXCEPTIONS = ("KeyError",)


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose `.get`, `.setdefault`, the key that was meant, or a guard."""
    crash = scene.crash
    if isinstance(crash, ast.Subscript):
        yield from _subscript(scene, crash)
    elif isinstance(crash, ast.AugAssign) and isinstance(crash.target, ast.Subscript):
        yield from _subscript(scene, crash.target)
    elif isinstance(crash, ast.Call) and isinstance(crash.func, ast.Attribute):
        yield from _removal(scene, crash, crash.func)


def _subscript(scene: Scene, node: ast.Subscript) -> Iterator[Proposal]:
    base, key = scene.segment(node.value), scene.segment(node.slice)
    because = f"`{base}` has no key `{key}`"
    counted = f"{because} in {describe_failures(scene.failures)}"
    yield from _other_key(scene, node, counted)
    parent = scene.parents.get(node)
    stores = isinstance(node.ctx, (ast.Store, ast.Del))
    if isinstance(parent, ast.AugAssign) and parent.target is node:
        literal = _neutral(scene, parent.value, node)
        if literal is not None:
            yield Proposal(
                rule="key.augmented",
                edits=(
                    replacing(
                        scene,
                        parent,
                        f"{base}[{key}] = {base}.get({key}, {literal}) "
                        f"{_operator(scene, parent)} {scene.segment(parent.value)}",
                    ),
                ),
                description=f"Begin `{base}[{key}]` at {literal}",
                reason=counted,
            )
    elif isinstance(parent, ast.Delete) and len(parent.targets) == 1:
        yield Proposal(
            rule="key.discard",
            edits=(replacing(scene, parent, f"{base}.pop({key}, None)"),),
            description=f"Remove `{key}` only where it is there",
            reason=counted,
        )
    if not stores:
        yield from _defaults(scene, node, counted)
    condition = f"{grouped(key, node.slice)} not in {base}"
    if stores or _is_local(scene, node.value):
        yield from guards(scene, "key", condition, node, because)


def _operator(scene: Scene, node: ast.AugAssign) -> str:
    between = scene.text.decode(scene.text.span(node.target)[1], scene.text.span(node.value)[0])
    return between.replace("=", "").strip()


def _neutral(scene: Scene, value: ast.expr, node: ast.Subscript) -> str | None:
    present = _value_kinds(scene, node)
    if len(present) == 1 and (name := next(iter(present))) in EMPTY_LITERALS:
        return EMPTY_LITERALS[name]
    if isinstance(value, ast.Constant):
        return EMPTY_LITERALS.get(type(value.value).__name__)
    if isinstance(value, ast.List):
        return "[]"
    return "0" if not present else None


def _values(scene: Scene, node: ast.Subscript) -> Iterator[tuple[Tree, Tree]]:
    """Yield keys and values of the dict, where its content at the crash is known."""
    if not isinstance(node.value, ast.Name):
        return
    for tree in scene.local(node.value.id):
        yield from pairs(tree)


def _value_kinds(scene: Scene, node: ast.Subscript) -> frozenset[str]:
    return kinds(value for _, value in _values(scene, node))


def _defaults(scene: Scene, node: ast.Subscript, because: str) -> Iterator[Proposal]:
    base, key = scene.segment(node.value), scene.segment(node.slice)
    parent = scene.parents.get(node)
    if isinstance(parent, ast.Attribute):
        literal = _container_with(parent.attr)
        if literal is not None:
            yield Proposal(
                rule="key.setdefault",
                edits=(replacing(scene, node, f"{base}.setdefault({key}, {literal})"),),
                description=f"Begin `{base}[{key}]` with {literal}",
                reason=f"{because}; `{parent.attr}` follows",
            )
            return
    precedent = default_of_lookup(scene, base, key)
    if precedent is not None:
        yield Proposal(
            rule="key.get_precedent",
            edits=(replacing(scene, node, f"{base}.get({key}, {precedent.text})"),),
            description=f"Use {precedent.text} where `{base}` has no `{key}`",
            reason=f"{because}; {precedent.function} reads it with that default",
        )
    if not _is_local(scene, node.value):
        return  # a table of the module is meant to be complete: a default would be invented
    present = _value_kinds(scene, node)
    adds = isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Add, ast.BitOr))
    for name in sorted(present & set(EMPTY_LITERALS) - {"NoneType"})[:2] if adds else ():
        literal = EMPTY_LITERALS[name]
        yield Proposal(
            rule="key.get_typed",
            edits=(replacing(scene, node, f"{base}.get({key}, {literal})"),),
            description=f"Use {literal} where `{base}` has no `{key}`",
            reason=f"{because}; its other values are of type {name}",
            weight=1.0 if len(present) == 1 else 0.5,
        )
    if adds and not present:
        yield Proposal(
            rule="key.get_operand",
            edits=(replacing(scene, node, f"{base}.get({key}, 0)"),),
            description=f"Use 0 where `{base}` has no `{key}`",
            reason=because,
        )
    yield Proposal(
        rule="key.get_none",
        edits=(replacing(scene, node, f"{base}.get({key})"),),
        description=f"Use None where `{base}` has no `{key}`",
        reason=because,
        weight=1.0 if isinstance(parent, (ast.Return, ast.Assign, ast.Compare)) else 0.3,
    )


def _is_local(scene: Scene, node: ast.expr) -> bool:
    """A lookup's table belongs to the call: a parameter, a local variable or a part of one."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return True
    return node.id in scene.parameters or bool(bindings(scene, node.id))


def _container_with(method: str) -> str | None:
    if method in ("append", "extend", "insert"):
        return "[]"
    if method == "add":
        return "set()"
    return "{}" if method in ("setdefault", "update") else None


def _other_key(scene: Scene, node: ast.Subscript, because: str) -> Iterator[Proposal]:
    """A key written in the source that is near to one that is there."""
    wanted = node.slice
    if not isinstance(wanted, ast.Constant) or not isinstance(wanted.value, str):
        return
    present = {key for key, _ in _values(scene, node) if isinstance(key, str)}
    near = sorted(((nearness(wanted.value, key), key) for key in present), reverse=True)
    for ratio, key in near[:1]:
        if ratio >= 0.75:
            yield Proposal(
                rule="key.near",
                edits=(replacing(scene, wanted, repr(key)),),
                description=f"Read the key {key!r} instead of {wanted.value!r}",
                reason=f"{because}, but it has {key!r}",
                weight=ratio,
            )


def _removal(scene: Scene, crash: ast.Call, method: ast.Attribute) -> Iterator[Proposal]:
    base = scene.segment(method.value)
    if len(crash.args) != 1 or crash.keywords:
        return
    argument = scene.segment(crash.args[0])
    because = f"`{base}` has no `{argument}` in {describe_failures(scene.failures)}"
    if method.attr == "pop":
        yield Proposal(
            rule="key.pop_default",
            edits=(replacing(scene, crash.args[0], f"{argument}, None"),),
            description=f"Take None where `{base}` has no `{argument}`",
            reason=because,
        )
    elif method.attr == "remove":
        yield Proposal(
            rule="key.discard",
            edits=(replacing(scene, crash.func, f"{base}.discard"),),
            description=f"Remove `{argument}` only where it is there",
            reason=because,
        )
