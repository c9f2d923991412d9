"""AttributeError: the attribute that was meant, or the type that has it."""

import ast
import re
from collections.abc import Iterator

from prunella.codec import attributes, pairs
from prunella.propose.rules.edits import Proposal, first_statement, inserting, replacing
from prunella.propose.rules.flow import is_plain_parameter
from prunella.propose.rules.names import nearness
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import BUILT_IN, kinds

EXCEPTIONS = ("AttributeError",)
_MESSAGE = re.compile(r"'([\w.]+)' object has no attribute '(\w+)'")
#: The same thing under another type's name.
_SYNONYMS = {
    ("list", "add"): "append", ("list", "push"): "append", ("set", "append"): "add",
    ("dict", "has_key"): "__contains__", ("str", "contains"): "__contains__",
    ("dict", "iteritems"): "items", ("dict", "itervalues"): "values", ("list", "length"): "__len__",
}  # fmt: skip


#: Built-in functions that are taken for methods of what they are given.
_FUNCTIONS = frozenset(
    {"len", "max", "min", "sum", "sorted", "reversed", "any", "all", "enumerate"}
)


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose the nearest attribute, a subscript, or a conversion."""
    found = _MESSAGE.search(scene.exception.message)
    crash = scene.crash
    if isinstance(crash, ast.Call) and isinstance(crash.func, ast.Attribute):
        crash = crash.func
    if found is None or not isinstance(crash, ast.Attribute) or found[1] == "NoneType":
        return
    owner, name = found[1], found[2]
    because = f"`{owner}` has no attribute `{name}` in {describe_failures(scene.failures)}"
    yield from _built_in(scene, crash, because)
    yield from _nearest(scene, crash, owner, because)
    yield from _key(scene, crash, owner, because)
    yield from converted(scene, crash.value, owner, because, needs=name)


def _nearest(scene: Scene, crash: ast.Attribute, owner: str, because: str) -> Iterator[Proposal]:
    names: set[str] = set()
    if owner in BUILT_IN:
        names = {item for item in dir(BUILT_IN[owner]) if not item.startswith("_")}
    elif isinstance(crash.value, ast.Name):
        for tree in scene.local(crash.value.id):
            names |= {name for name, _ in attributes(tree)}
        if crash.value.id == "self":
            names |= _methods(scene)
    synonym = _SYNONYMS.get((owner, crash.attr), "")
    ranked = sorted(((nearness(crash.attr, item), item) for item in names), reverse=True)
    near = [(1.0, synonym)] if synonym in names else [item for item in ranked[:2] if item[0] > 0.7]
    for ratio, other in near:
        start, end = scene.text.span(crash)
        text = scene.text.decode(start, end)
        yield Proposal(
            rule="attribute.near",
            edits=(replacing(scene, crash, text[: -len(crash.attr)] + other),),
            description=f"Use `{other}` instead of `{crash.attr}`",
            reason=f"{because}; `{other}` is the nearest",
            weight=ratio,
        )


def _built_in(scene: Scene, crash: ast.Attribute, because: str) -> Iterator[Proposal]:
    """`rows.len()`, `rows.length`, `rows.max()`: a built-in function taken for a method."""
    name = {"length": "len", "size": "len"}.get(crash.attr, crash.attr)
    call = scene.parents.get(crash)
    is_call = isinstance(call, ast.Call) and call.func is crash
    whole = call if isinstance(call, ast.Call) and is_call else crash
    if name not in _FUNCTIONS or (isinstance(whole, ast.Call) and (whole.args or whole.keywords)):
        return
    new = f"{name}({scene.segment(crash.value)})"
    yield Proposal(
        rule="attribute.built_in",
        edits=(replacing(scene, whole, new),),
        description=f"Call `{new}`",
        reason=f"{because}; `{name}` is a function",
    )


def _methods(scene: Scene) -> set[str]:
    """Return the names that the class around the method defines."""
    scope = scene.span.qualname.rpartition(".")[0].rpartition(".")[2]
    return {
        item.name
        for node in ast.walk(scene.text.tree)
        if isinstance(node, ast.ClassDef) and node.name == scope
        for item in node.body
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def _key(scene: Scene, crash: ast.Attribute, owner: str, because: str) -> Iterator[Proposal]:
    """`row.name` of a dict with that key."""
    if owner != "dict" or not isinstance(crash.value, ast.Name):
        return
    rows = scene.local(crash.value.id)
    if rows and all(any(key == crash.attr for key, _ in pairs(row)) for row in rows):
        yield Proposal(
            rule="attribute.key",
            edits=(replacing(scene, crash, f'{scene.segment(crash.value)}["{crash.attr}"]'),),
            description=f'Read the key "{crash.attr}" instead of an attribute',
            reason=f"{because}, but a key of that name",
        )


def converted(
    scene: Scene, subject: ast.expr, owner: str, because: str, *, needs: str = ""
) -> Iterator[Proposal]:
    """Make a parameter, at the start, the type that it has in the passing calls."""
    start = first_statement(scene)
    if not isinstance(subject, ast.Name) or start is None or subject.id not in scene.parameters:
        return
    name = subject.id
    seen = kinds(values[name] for values in scene.passing_inputs if name in values) - {owner}
    wanted = seen & {"list", "tuple", "str", "int", "float", "set", "dict"}
    if not wanted and owner in ("tuple", "range") and (not needs or hasattr(list, needs)):
        wanted = frozenset({"list"})
    for target in sorted(wanted)[:2]:
        if needs and not hasattr(BUILT_IN[target], needs):
            continue
        edit = inserting(scene, start, [f"{name} = {target}({name})"])
        if edit is not None and (is_plain_parameter(scene, name) or target == "list"):
            yield Proposal(
                rule="type.convert" if seen else "type.to_list",
                edits=(edit,),
                description=f"Make `{name}` a {target} first",
                reason=f"{because}; it is a {target} in passing calls" if seen else because,
            )
