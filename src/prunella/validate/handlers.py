"""Whether the answers of new exception handlers are anybody's.

Catching the very exception that was reported and answering with nothing removes every crash, and
replay can't tell. Elsewhere an empty value is neutral; behind a new ``except`` it has to be what the
function returns already, what its docstring names, or what other handlers of the file answer with.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from prunella.validate.policy import Edit, Function

_EMPTY = frozenset({"empty", "nothing"})
#: Words by which a docstring names a value.
NAMES = {
    "''": _EMPTY,
    "b''": _EMPTY,
    "[]": _EMPTY,
    "{}": _EMPTY,
    "()": _EMPTY,
    "set()": _EMPTY,
    "0": frozenset({"zero"}),
    "0.0": frozenset({"0", "zero"}),
}


def unfounded_answers(edit: Edit) -> list[str]:
    """Return the values that new handlers answer with and nobody else does, as source text."""
    if edit.functions is None:
        return []
    old, new = edit.functions
    gained = Counter(_answers(new)) - Counter(_answers(old))
    if not gained:
        return []
    given = {*_returned(old), *_answers(edit.before)}
    words = set(re.findall(r"-?\w+(?:\.\w+)?", ast.get_docstring(old) or ""))
    lowered = {word.lower() for word in words}
    return sorted(
        text
        for text in gained
        if text not in given
        and text.strip("'\"") not in words
        and not NAMES.get(text, frozenset()) & lowered
    )


def _answers(tree: ast.AST) -> Iterator[str]:
    """Yield the literals that handlers return; ``None`` where one ends a function by passing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            yield from _returned(node)
        elif isinstance(node, Function) and isinstance(node.body[-1], (ast.Try, ast.TryStar)):
            for handler in node.body[-1].handlers:
                if all(isinstance(item, ast.Pass) for item in handler.body):
                    yield "None"


def _returned(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            yield from _literal(node.value)


def _literal(value: ast.expr | None) -> Iterator[str]:
    if value is None:
        yield "None"
        return
    if ast.unparse(value) == "set()":
        yield "set()"
        return
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return
    yield ast.unparse(value)
