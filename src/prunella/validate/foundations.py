"""Whether the results that a patch brings in are anybody's: written down, or made up.

Replay can't tell ``return 0`` from ``return 42`` for a call that never returned. What tells them
apart is the source: neutral values, and those that the function, its docstring or its siblings'
results name, have somebody behind them; where the annotation or the docstring has ``None``, that is
the neutral one. So have answers that recorded calls share, and what a test asks for; anything else
is made up, and no patch may make up an answer.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from prunella.model.repair import Baseline, Check, CheckOutcome, ReplayEnding
from prunella.model.tree import Tree
from prunella.validate.handlers import NAMES
from prunella.validate.policy import Edit, Function

#: A value of nothing: empty, zero, no.
_NEUTRAL = frozenset({"None", "0", "0.0", "''", "b''", "True", "False", "Ellipsis"})
#: A docstring that says when the answer is None; one that a parameter may have says no such thing.
_ANSWERS_NONE = re.compile(
    r"\bNone`{0,2},? (?:for|when|while|if|where|before|until|unless|without|as long)\b"
    r"|\b(?:or|[Rr]eturns?) `{0,2}None\b"
)
#: Calls that have an answer where there is none, and how many arguments come before it.
_FALLBACKS = {"get": 1, "pop": 1, "setdefault": 1, "next": 1, "getenv": 1, "getattr": 2}
#: So many recorded calls with different inputs have to share an answer.
_SHARED = 2


def unfounded(edit: Edit) -> list[str]:
    """Return the constants that the edit answers with and nothing names, as source text."""
    if edit.functions is None:
        return []
    old, new = edit.functions
    gained = Counter(_answers(new)) - Counter(_answers(old))
    given = {_text(node) for node in ast.walk(old) if isinstance(node, ast.expr)}
    given |= {answer for node in _functions(edit.before) for answer in _results(node)}
    said = re.sub(r"\{[^{}]*\}", "", ast.get_docstring(old) or "")  # an example of an argument
    words = set(re.findall(r"-?\w+(?:\.\w+)?", said))
    nobodys = {
        text
        for text in gained
        if text not in _NEUTRAL and text not in given and _plain(text) not in words
    }
    return sorted(nobodys | _instead_of_none(old, new, words))


def _instead_of_none(old: Function, new: Function, words: Collection[str]) -> set[str]:
    """Return neutral values that the edit returns from a function whose word for nothing is None."""
    said = _ANSWERS_NONE.search(ast.get_docstring(old) or "")
    if not said and "None" not in _alternatives(old.returns):
        return set()
    lowered = {word.lower() for word in words}
    gained = Counter(_returned(new)) - Counter(_returned(old))
    return {
        text
        for text in gained
        if text in _NEUTRAL - {"None"}
        and _plain(text) not in words
        and not NAMES.get(text, frozenset()) & lowered
    }


def _alternatives(annotation: ast.expr | None) -> list[str]:
    """Return the members of a union such as ``str | None`` or ``Optional[str]``, as source text."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return [*_alternatives(annotation.left), *_alternatives(annotation.right)]
    if isinstance(annotation, ast.Subscript):
        return ["None"] if _text(annotation.value).endswith("Optional") else []
    return [] if annotation is None else [_text(annotation)]


def _returned(function: ast.AST) -> Iterator[str]:
    """Yield the constants that a function returns as they are, its fallbacks included."""
    left = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    while left:
        node = left.pop()
        if isinstance(node, ast.IfExp):
            left += [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            left += node.values
        elif isinstance(node, ast.Call):
            yield from _fallbacks(node)
        elif isinstance(node, ast.Constant):
            yield _text(node)


def missing(made_up: Sequence[str]) -> Check:
    """Return the check ``foundations`` for values that nothing in the source names."""
    detail = f"nothing in the source names the value it answers with: {', '.join(made_up)}"
    return Check(name="foundations", outcome=CheckOutcome.NOT_SHOWN, detail=detail[:300])


def weighed(made_up: Sequence[str], baseline: Baseline) -> Check:
    """Return the check ``foundations`` of a patch with such values that no failing test asks for.

    It fails unless each of them is an answer that recorded passing calls share.
    """
    shared = shared_answers(baseline)
    nobodys = [text for text in made_up if text not in shared]
    if not nobodys:
        return missing(made_up)
    detail = (
        f"it makes up the value that it answers with: {', '.join(nobodys)} is named nowhere in the "
        "source as an answer, no recorded calls share it, and no test that failed before asks for it"
    )
    return Check(name="foundations", outcome=CheckOutcome.FAILED, detail=detail[:300])


def shared_answers(baseline: Baseline) -> set[str]:
    """Return the plain values, as source text, that passing calls with different inputs returned."""
    inputs: dict[str, set[str]] = defaultdict(set)
    for call, outcome in baseline.passing:
        if outcome.ending is ReplayEnding.RETURNED:
            for text in set(_plain_values(outcome.result)):
                inputs[text].add(repr(call.inputs))
    return {text for text, seen in inputs.items() if len(seen) >= _SHARED}


def _plain_values(tree: Tree) -> Iterator[str]:
    """Yield a number or text, or those that a tuple is made of."""
    if isinstance(tree, (int, float, str)):
        yield repr(tree)
    elif isinstance(tree, list) and tree[:1] == ["t"]:
        for item in tree[1:]:
            yield from _plain_values(item)


def _functions(module: ast.Module) -> Iterator[ast.AST]:
    return (n for n in ast.walk(module) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _results(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from _constants(node.value)


def _answers(function: ast.AST) -> Iterator[str]:
    """Yield the constants that stand where a result or a variable gets its value."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Return, ast.Assign, ast.AnnAssign, ast.Yield)) and node.value:
            yield from _constants(node.value)
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            yield from (text for item in node.values[1:] for text in _constants(item))
        elif isinstance(node, ast.IfExp):
            yield from (*_constants(node.body), *_constants(node.orelse))
        elif isinstance(node, ast.Call):
            yield from _fallbacks(node)


def _fallbacks(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else _text(call.func)
    if name in _FALLBACKS:
        at = _FALLBACKS[name]
        yield from (text for item in call.args[at:] for text in _constants(item))
    for keyword in call.keywords:
        if keyword.arg == "default":
            yield from _constants(keyword.value)


def _constants(node: ast.expr) -> Iterator[str]:
    """Yield a constant, or those that a display such as ``(0, 'x')`` is made of."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for item in node.elts:
            yield from _constants(item)
    elif isinstance(node, ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    ):
        yield _text(node)


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _plain(text: str) -> str:
    return text.strip("'\"")
