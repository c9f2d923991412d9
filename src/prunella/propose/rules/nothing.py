"""`None` where a value is needed (TypeError, AttributeError): the commonest crash of all."""

import ast
import re
from collections.abc import Iterator

from prunella.propose.rules.edits import (
    Edit,
    Proposal,
    anchor,
    first_statement,
    inserting,
    replacing,
)
from prunella.propose.rules.flow import (
    bindings,
    calls_to,
    is_plain_parameter,
    last_value,
    own_nodes,
    returns,
)
from prunella.propose.rules.guards import guards
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import EMPTY_LITERALS, kind, kinds

EXCEPTIONS = ("TypeError", "AttributeError")
_NONE = re.compile(r"NoneType|None$")
_METHODS_OF = {"str": str, "dict": dict, "list": list, "set": set}


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose guards against the `None`, and defaults at the place it comes from."""
    if not _NONE.search(scene.exception.message):
        return
    yield from _forgotten_return(scene)
    for subject in _subjects(scene)[:2]:
        text = scene.segment(subject)
        because = f"`{text}` is None"
        if not isinstance(subject, (ast.Call, ast.Await)):
            yield from guards(scene, "none", f"{text} is None", subject, because)
        literal, basis = _default(scene, subject)
        if literal is not None:
            yield from _defaults(scene, subject, literal, basis)


def _forgotten_return(scene: Scene) -> Iterator[Proposal]:
    """The function calls itself, and one way through it ends without `return`."""
    own = scene.node.name
    statement = scene.statement(scene.crash)
    if not any(calls_to(node, own) for node in ast.walk(statement)):
        return
    because = f"`{own}` gives None to itself in {describe_failures(scene.failures)}"
    for node in own_nodes(scene.node):
        if isinstance(node, ast.Expr) and calls_to(node.value, own):
            text = f"return {scene.segment(node.value)}"
            yield Proposal(
                rule="none.forgotten_return",
                edits=(replacing(scene, node, text),),
                description=f"Give back what `{own}` finds: `{text}`",
                reason=because,
            )
    names = {
        item.value.id
        for item in returns(scene)
        if isinstance(item.value, ast.Name) and bindings(scene, item.value.id)
    }
    last = scene.node.body[-1]
    if isinstance(last, ast.Return) or len(names) != 1:
        return
    name, end = names.pop(), scene.text.span(last)[1]
    indent = " " * last.col_offset
    newline = scene.text.newline(last.lineno)
    yield Proposal(
        rule="none.forgotten_return",
        edits=(Edit(start=end, end=end, text=f"{newline}{indent}return {name}"),),
        description=f"Give back `{name}` at the end",
        reason=f"{because}; it returns `{name}` elsewhere",
    )


def _subjects(scene: Scene) -> list[ast.expr]:
    """Return the parts of the crashed expression that are, or may be, the `None`."""
    crash = scene.crash
    parts: list[ast.expr] = []
    if isinstance(crash, (ast.Attribute, ast.Subscript)):
        parts = [crash.value]
    elif isinstance(crash, ast.BinOp):
        parts = [crash.left, crash.right]
    elif isinstance(crash, ast.Compare):
        parts = [crash.left, *crash.comparators]
    elif isinstance(crash, ast.Call):
        own = crash.func.value if isinstance(crash.func, ast.Attribute) else crash.func
        attribute = scene.exception.type_name == "AttributeError"
        parts = [own] if attribute else [*crash.args, crash.func]
    elif isinstance(crash, ast.AugAssign):
        target = crash.target
        parts = [crash.value, *([target] if isinstance(target, (ast.Name, ast.Attribute)) else [])]
    elif isinstance(crash, (ast.For, ast.AsyncFor)):
        parts = [crash.iter]
    elif isinstance(crash, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        parts = [crash.generators[0].iter]
    elif isinstance(crash, ast.expr):
        parts = [crash]
    known = [part for part in parts if _is_none(scene, part) is True]
    unknown = [part for part in parts if _is_none(scene, part) is None]
    return known or unknown


def _is_none(scene: Scene, node: ast.expr) -> bool | None:
    if isinstance(node, ast.Constant):
        return node.value is None
    if isinstance(node, ast.Name):
        values = scene.local(node.id)
        return all(value is None for value in values) if values else None
    if isinstance(node, (ast.JoinedStr, ast.List, ast.Dict, ast.Tuple, ast.BinOp)):
        return False
    return None


def _default(scene: Scene, subject: ast.expr) -> tuple[str | None, str]:
    """Return the literal that may stand in for the `None`, and what it is derived from."""
    if isinstance(subject, ast.Name):
        seen = kinds(
            values[subject.id] for values in scene.passing_inputs if subject.id in values
        ) - {"NoneType"}
        if len(seen) == 1 and (found := next(iter(seen))) in EMPTY_LITERALS:
            return EMPTY_LITERALS[found], "passing_type"
    crash = scene.crash
    if isinstance(crash, ast.BinOp):
        other = crash.right if subject is crash.left else crash.left
        found = _kind_of(scene, other)
        if found in EMPTY_LITERALS and not isinstance(crash.op, (ast.Div, ast.Mod)):
            return EMPTY_LITERALS[found], "other_operand"
    if isinstance(crash, ast.Attribute):
        for name, owner in _METHODS_OF.items():
            if hasattr(owner, crash.attr):
                return EMPTY_LITERALS[name], "method"
    if isinstance(scene.parents.get(subject), (ast.For, ast.AsyncFor, ast.comprehension)):
        return "()", "iterated"
    return None, ""


def _kind_of(scene: Scene, node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return type(node.value).__name__
    if isinstance(node, ast.JoinedStr):
        return "str"
    if isinstance(node, ast.Name) and (values := scene.local(node.id)):
        return kind(values[0])
    return ""


def _defaults(scene: Scene, subject: ast.expr, literal: str, basis: str) -> Iterator[Proposal]:
    text = scene.segment(subject)
    because = f"`{text}` is None in {describe_failures(scene.failures)}"
    description = f"Use {literal} where `{text}` is None"
    yield from _at_source(scene, subject, literal, basis, because)
    start = first_statement(scene)
    if isinstance(subject, ast.Name) and is_plain_parameter(scene, subject.id) and start:
        edit = inserting(scene, start, [f"if {text} is None:", f"\t{text} = {literal}"])
        if edit is not None:
            yield Proposal(
                rule=f"none.default_parameter.{basis}",
                edits=(edit,),
                description=description,
                reason=because,
            )
        return
    if not isinstance(subject, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)):
        return
    yield Proposal(
        rule=f"none.default_inline.{basis}",
        edits=(replacing(scene, subject, f"({text} or {literal})"),),
        description=description,
        reason=because,
    )


def _at_source(
    scene: Scene, subject: ast.expr, literal: str, basis: str, because: str
) -> Iterator[Proposal]:
    """`x = d.get(k)` gave the `None`: give `get` a default."""
    source: ast.expr | None = subject
    if isinstance(subject, ast.Name) and len(bindings(scene, subject.id)) == 1:
        source = last_value(scene, subject.id, anchor(scene, scene.crash))
    if (
        isinstance(source, ast.Call)
        and isinstance(source.func, ast.Attribute)
        and source.func.attr == "get"
        and len(source.args) == 1
        and not source.keywords
    ):
        argument = scene.segment(source.args[0])
        yield Proposal(
            rule=f"none.get_default.{basis}",
            edits=(replacing(scene, source.args[0], f"{argument}, {literal}"),),
            description=f"Give `get({argument})` the default {literal}",
            reason=f"{because}; it comes from a `get` without a default",
        )
    if isinstance(source, ast.Call) and source is not subject:
        yield Proposal(
            rule=f"none.or_at_source.{basis}",
            edits=(replacing(scene, source, f"{scene.segment(source)} or {literal}"),),
            description=f"Use {literal} where `{scene.segment(source)}` is None",
            reason=f"{because}; it comes from there",
        )
