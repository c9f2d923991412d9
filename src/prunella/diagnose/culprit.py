"""What exactly failed, by exception type: the offending expression and what happened to it."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from prunella.diagnose.crash import Crash, one_line
from prunella.diagnose.dataflow import definitions
from prunella.diagnose.values import Scope, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """What went wrong at the failing expression."""

    #: "`total / count` divides by zero"
    happened: str
    #: The expression whose value is at fault; ``None`` where it isn't a value.
    value: ast.expr | None
    #: The expression that decided the path, where no value is at fault.
    decided_by: ast.expr | None = None
    #: Words of the trait that would explain it best, such as ``lacks the key 'total'``.
    about: str = ""
    #: Kinds of traits that may explain it, beside the general ones: others are coincidence.
    kinds: frozenset[str] = frozenset()
    #: What would keep it from failing, in the imperative.
    remedy: str


_Finder = Callable[[Crash], Culprit | None]

_MISSING_ATTRIBUTE = re.compile(r"'([^']{1,80})' object has no attribute '([^']{1,80})'")
_NAME = re.compile(r"name '([^']{1,80})' is not defined|variable '([^']{1,80})'")
_ARITHMETIC = (ast.Div, ast.FloorDiv, ast.Mod)


def find_culprit(crash: Crash) -> Culprit | None:
    """Return what went wrong, or ``None`` where nothing is known of this kind of failure."""
    for class_path in crash.exception.mro or (crash.exception.type,):
        finder = _FINDERS.get(class_path.partition(":")[2])
        if finder is not None:
            return finder(crash)
    return None


def _division(crash: Crash) -> Culprit | None:
    node: ast.AST | None = crash.expression or crash.statement
    if isinstance(node, ast.BinOp) and isinstance(node.op, _ARITHMETIC):
        divisor = node.right
    elif isinstance(crash.statement, ast.AugAssign):
        node, divisor = crash.statement, crash.statement.value
    elif isinstance(node, ast.Call) and len(node.args) == 2:
        divisor = node.args[1]
    else:
        return None
    return Culprit(
        happened=f"`{crash.text(node)}` divides by zero",
        value=divisor,
        remedy=f"decide what the answer is when `{crash.text(divisor)}` is 0, and return that",
    )


def _key(crash: Crash) -> Culprit | None:
    node = crash.expression
    if isinstance(node, ast.Subscript):
        container, key = crash.text(node.value), crash.text(node.slice)
        shown = _shown_key(crash, node.slice)
        return Culprit(
            happened=f"`{crash.text(node)}` finds no key {shown} in `{container}`",
            value=node.value if isinstance(node.slice, ast.Constant) else node.slice,
            about=f"lacks the key {shown}",
            kinds=frozenset({"value"}),
            remedy=f"give the lookup of {key} in `{container}` a default, or skip what lacks it",
        )
    return _call_of(crash, "finds no key", "give it a default, or check for the key first")


def _shown_key(crash: Crash, key: ast.expr) -> str:
    if isinstance(key, ast.Constant):
        return f"{key.value!r:.60}"
    return _quoted(crash.exception.message)[:60] or f"`{crash.text(key)}`"


def _index(crash: Crash) -> Culprit | None:
    node = crash.expression
    if isinstance(node, ast.Subscript):
        container = crash.text(node.value)
        length = _length(crash.scope, node.value)
        size = (
            ""
            if length is None
            else f", which has {length} items"
            if length
            else ", which is empty"
        )
        return Culprit(
            happened=f"`{crash.text(node)}` reaches beyond the end of `{container}`{size}",
            value=node.value if length in (0, None) else node.slice,
            kinds=frozenset({"bound"}),
            remedy=f"check the length of `{container}` before taking an item of it",
        )
    return _call_of(crash, "runs out of items", "check for emptiness first")


def _length(scope: Scope, node: ast.expr) -> int | None:
    value = scope.evaluate(node)
    length = Unknown() if isinstance(value, Unknown) else scope.length(value)
    return length if isinstance(length, int) else None


def _type(crash: Crash) -> Culprit | None:
    node, message = crash.expression, crash.exception.message
    none = _none_part(crash)
    if none is not None:
        text = crash.text(node) if node is not None else crash.text(none)
        return Culprit(
            happened=f"`{text}` fails because `{crash.text(none)}` is None",
            value=none,
            about="is None",
            remedy=f"handle the case that `{crash.text(none)}` is None, or give it a value "
            "where it comes from",
        )
    if node is None:
        return None
    part = next((item for item in _parts(node) if not isinstance(item, ast.Constant)), node)
    return Culprit(
        happened=f"`{crash.text(node)}` gets a value of the wrong type ({_quoted(message)})",
        value=part,
        remedy=f"convert `{crash.text(part)}` where it comes in, or refuse it there",
    )


def _attribute(crash: Crash) -> Culprit | None:
    match = _MISSING_ATTRIBUTE.search(crash.exception.message)
    node = crash.expression
    owner = _attribute_owner(node)
    if match is None or owner is None:
        return _type(crash) if _none_part(crash) is not None else None
    text, name = crash.text(owner), match[2]
    if match[1] == "NoneType":
        return Culprit(
            happened=f"`{text}.{name}` fails because `{text}` is None",
            value=owner,
            about="is None",
            remedy=f"handle the case that `{text}` is None, or give it a value where it comes from",
        )
    return Culprit(
        happened=f"`{text}` is of type {match[1]}, which has no attribute {name!r}",
        value=owner,
        remedy=f"use the right name for {name!r}, or convert `{text}` before",
    )


def _attribute_owner(node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.Call):
        node = node.func
    return node.value if isinstance(node, ast.Attribute) else None


def _none_part(crash: Crash) -> ast.expr | None:
    """Return the part of the failing expression whose recorded value is None."""
    if "None" not in crash.exception.message or crash.expression is None:
        return None
    parts = list(_parts(crash.expression))
    for part in parts:
        if crash.scope.evaluate(part) is None and not isinstance(part, ast.Constant):
            return part
    unknown = [part for part in parts if isinstance(crash.scope.evaluate(part), Unknown)]
    return unknown[0] if len(unknown) == 1 else None


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the operands of an expression."""
    if isinstance(node, ast.Subscript):
        return [node.value, node.slice]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Call):
        owner = _attribute_owner(node)
        arguments = [*node.args, *(item.value for item in node.keywords)]
        return [*arguments, *([owner] if owner is not None else [])] or [node.func]
    if isinstance(node, ast.Attribute):
        return [node.value]
    if isinstance(node, (ast.UnaryOp, ast.Starred, ast.Await)):
        return [node.operand if isinstance(node, ast.UnaryOp) else node.value]
    return [node]


def _unbound(crash: Crash) -> Culprit | None:
    match = _NAME.search(crash.exception.message)
    name = None if match is None else match[1] or match[2]
    if name is None:
        return None
    found = [item for item in definitions(crash.function.node) if item.name == name]
    if found:
        lines = list(dict.fromkeys(item.line for item in found))
        condition = _condition_of(crash, lines[-1])
        where = f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
        if len(lines) == 1:
            where = f"line {lines[0]}"
            where += "" if condition is None else f" under `{crash.text(condition)}`"
        return Culprit(
            happened=f"`{name}` is read before it has a value: it is only set on {where}, "
            "and the path taken does not pass there",
            value=None,
            decided_by=condition,
            kinds=frozenset({"bound", "value", "key"}),
            remedy=f"give `{name}` a value on every path",
        )
    return Culprit(
        happened=f"the name `{name}` is not defined anywhere in reach",
        value=None,
        remedy=f"import or define `{name}`, or correct its spelling",
    )


def _condition_of(crash: Crash, line: int) -> ast.expr | None:
    """Return what decides whether a line runs: the test or the iterable right around it."""
    found: ast.expr | None = None
    for node in ast.walk(crash.function.node):
        if isinstance(node, (ast.If, ast.While, ast.For, ast.AsyncFor)):
            inside = node.body[0].lineno <= line <= (node.end_lineno or node.lineno)
            if inside:
                found = node.test if isinstance(node, (ast.If, ast.While)) else node.iter
    return found


def _bad_value(crash: Crash) -> Culprit | None:
    if "unpack" in crash.exception.message and isinstance(crash.statement, ast.Assign):
        value = crash.text(crash.statement.value)
        return Culprit(
            happened=f"unpacking `{value}` fails ({_quoted(crash.exception.message)})",
            value=crash.statement.value,
            remedy=f"check how many parts `{value}` has before unpacking it",
        )
    found = _call_of(
        crash, "refuses its argument", "check or convert the argument before", with_message=True
    )
    if found is not None and "empty" in crash.exception.message:
        return replace(
            found,
            about="is empty",
            remedy="decide what the answer is where there is nothing, and return that",
        )
    return found


def _stop(crash: Crash) -> Culprit | None:
    return _call_of(crash, "finds nothing left", "give `next` a default")


def _file(crash: Crash) -> Culprit | None:
    return _call_of(
        crash, "finds no such file", "decide what to do when the file is missing", with_message=True
    )


def _decoding(crash: Crash) -> Culprit | None:
    return _call_of(
        crash,
        "meets bytes that are not of the expected encoding",
        "name the encoding of the data, or say how to treat what does not fit",
        with_message=True,
    )


def _call_of(crash: Crash, what: str, remedy: str, *, with_message: bool = False) -> Culprit | None:
    node = crash.expression
    if not isinstance(node, ast.Call):
        return None
    said = f" ({_quoted(crash.exception.message)})" if with_message else ""
    parts = [part for part in _parts(node) if not isinstance(part, ast.Constant)]
    return Culprit(
        happened=f"`{crash.text(node)}` {what}{said}",
        value=parts[0] if parts else None,
        remedy=remedy,
    )


def _quoted(message: str) -> str:
    return one_line(message, max_chars=120)


_FINDERS: dict[str, _Finder] = {
    "ZeroDivisionError": _division,
    "KeyError": _key,
    "IndexError": _index,
    "AttributeError": _attribute,
    "TypeError": _type,
    "NameError": _unbound,
    "UnicodeError": _decoding,
    "ValueError": _bad_value,
    "ArithmeticError": _bad_value,
    "StopIteration": _stop,
    "FileNotFoundError": _file,
}
