"""Loops over the wrong thing: an item taken for its index, a sequence that shrinks under the loop."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import Proposal, anchor, inserting, replacing
from prunella.propose.rules.flow import Loop, calls_to, loops_around, names_in, own_nodes
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import kinds

EXCEPTIONS = ("IndexError", "TypeError", "KeyError", "ValueError")
_SHRINKING = frozenset({"pop", "remove", "clear", "popleft"})


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose to use the item itself, to run over indexes, or to run backwards."""
    crash = scene.crash
    yield from _unpacked(scene)
    yield from _place_or_item(scene)
    if isinstance(crash, ast.Call) and isinstance(crash.func, ast.Attribute):
        if crash.func.attr == "pop" and len(crash.args) == 1:
            yield from _shrunk(scene, crash.func.value, crash.args[0])
        return
    if not isinstance(crash, ast.Subscript) or isinstance(crash.slice, ast.Slice):
        return
    yield from _item_as_index(scene, crash)
    yield from _pair_as_index(scene, crash)
    if scene.exception.type_name == "IndexError":
        yield from _shrunk(scene, crash.value, crash.slice)


def _unpacked(scene: Scene) -> Iterator[Proposal]:
    """`for a, b in rows` where the items are no pairs: a dict's items, or numbered rows."""
    loop = scene.statement(scene.crash)
    if "unpack" not in scene.exception.message or not isinstance(loop, ast.For):
        return
    if not isinstance(loop.target, ast.Tuple) or len(loop.target.elts) != 2:
        return
    if isinstance(loop.iter, ast.Call):
        return
    text = scene.segment(loop.iter)
    is_dict = kinds(scene.local(text)) & {"dict", "OrderedDict", "defaultdict", "Counter"}
    new = f"{text}.items()" if is_dict else f"enumerate({text})"
    yield Proposal(
        rule="pass.pairs" if is_dict else "pass.numbered",
        edits=(replacing(scene, loop.iter, new),),
        description=f"Run over `{new}`",
        reason=f"{scene.exception.message} in {describe_failures(scene.failures)}",
    )


def _place_or_item(scene: Scene) -> Iterator[Proposal]:
    """`rows.pop(row)` and `rows.remove(i)`: one takes a place, the other an item."""
    call, message = scene.crash, scene.exception.message
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    if len(call.args) != 1 or call.keywords:
        return
    owner, argument = scene.segment(call.func.value), scene.segment(call.args[0])
    because = f"{message} in {describe_failures(scene.failures)}"
    other = {"pop": "remove", "remove": "pop"}.get(call.func.attr, "")
    by_type = other == "remove" and "interpreted as an integer" in message
    by_loop = other == "pop" and "not in list" in message and _counts(scene, call, owner)
    if by_type or by_loop:
        new = f"{owner}.{other}({argument})"
        yield Proposal(
            rule=f"pass.{other}",
            edits=(replacing(scene, call, new),),
            description=f"Call `{new}`: `{argument}` is {'an item' if by_type else 'a place'}",
            reason=because,
        )


def _counts(scene: Scene, call: ast.Call, owner: str) -> bool:
    """The argument is the counter of a loop over the places of `owner`."""
    return any(
        isinstance(loop, ast.For)
        and calls_to(loop.iter, "range")
        and names_in(loop.target) & names_in(call.args[0])
        and owner in names_in(loop.iter)
        for loop in loops_around(scene, call)
    )


def _item_as_index(scene: Scene, crash: ast.Subscript) -> Iterator[Proposal]:
    """`for row in rows: … rows[row]`: the loop gives items, the subscript wants indexes."""
    base = scene.segment(crash.value)
    for loop in loops_around(scene, crash):
        if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name):
            continue
        name = loop.target.id
        if scene.segment(loop.iter) != base or name not in names_in(crash.slice):
            continue
        because = f"the loop gives items of `{base}`, no indexes, in "
        because += describe_failures(scene.failures)
        uses = [
            node
            for node in own_nodes(loop)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        taken = [use for use in uses if _is_index_of(scene, use, base)]
        exact = [use for use in taken if isinstance(scene.parents.get(use), ast.Subscript)]
        if exact and len(exact) == len(taken):
            subscripts = [scene.parents[use] for use in exact]
            plain = [item for item in subscripts if isinstance(item, ast.Subscript)]
            if all(isinstance(item.ctx, ast.Load) for item in plain):
                yield Proposal(
                    rule="pass.item",
                    edits=tuple(replacing(scene, item, name) for item in plain),
                    description=f"Use the item `{name}` instead of `{base}[{name}]`",
                    reason=because,
                )
        yield Proposal(
            rule="pass.indexes",
            edits=(replacing(scene, loop.iter, f"range(len({base}))"),),
            description=f"Run over the indexes of `{base}`",
            reason=because,
            weight=1.0 if len(taken) == len(uses) else 0.5,
        )


def _is_index_of(scene: Scene, use: ast.Name, base: str) -> bool:
    """The name stands inside a subscript of `base`, not in a slice's bounds alone."""
    below: ast.AST = use
    for item in scene.above(use):
        if isinstance(item, ast.Subscript) and below is item.slice:
            return scene.segment(item.value) == base
        if not isinstance(item, (ast.BinOp, ast.UnaryOp)):
            return False
        below = item
    return False


def _pair_as_index(scene: Scene, crash: ast.Subscript) -> Iterator[Proposal]:
    """`rows[i, j]` of a list of lists."""
    if not isinstance(crash.slice, ast.Tuple) or "not tuple" not in scene.exception.message:
        return
    parts = "".join(f"[{scene.segment(item)}]" for item in crash.slice.elts)
    new = f"{scene.segment(crash.value)}{parts}"
    yield Proposal(
        rule="pass.nested",
        edits=(replacing(scene, crash, new),),
        description=f"Take `{new}`: a list has no pairs for indexes",
        reason=f"{scene.exception.message} in {describe_failures(scene.failures)}",
    )


def _shrunk(scene: Scene, sequence: ast.expr, index: ast.expr) -> Iterator[Proposal]:
    """The body takes items out of the sequence whose indexes the loop runs over."""
    base = scene.segment(sequence)
    for loop in loops_around(scene, scene.crash):
        if not isinstance(loop, ast.For) or not calls_to(loop.iter, "range"):
            continue
        if not names_in(loop.target) & names_in(index) or not _shrinks(scene, loop, base):
            continue
        because = f"`{base}` gets shorter while the loop runs over its indexes, in "
        because += describe_failures(scene.failures)
        whole = scene.segment(loop.iter)
        yield Proposal(
            rule="pass.backwards",
            edits=(replacing(scene, loop.iter, f"reversed({whole})"),),
            description=f"Run over `{whole}` backwards",
            reason=f"{because}; what is taken out then lies behind",
        )
        text = scene.segment(index)
        edit = inserting(
            scene, anchor(scene, scene.crash), [f"if {text} >= len({base}):", "\tbreak"]
        )
        if edit is not None:
            yield Proposal(
                rule="pass.stop",
                edits=(edit,),
                description=f"Stop when `{text}` has reached the end of `{base}`",
                reason=because,
            )


def _shrinks(scene: Scene, loop: Loop, base: str) -> bool:
    for node in own_nodes(loop):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _SHRINKING and scene.segment(node.func.value) == base:
                return True
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and scene.segment(target.value) == base:
                    return True
        elif isinstance(node, ast.Assign) and any(
            scene.segment(target) == base for target in node.targets
        ):
            return True
    return False
