"""Errors that say "this input can't be had": the statement may be guarded by a narrow `except`.

The least of repairs: it hides what it catches. It ranks behind everything that asks beforehand.
"""

import ast
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, anchor, replacing
from prunella.propose.rules.flow import loops_around
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("ValueError", "StopIteration", "FileNotFoundError", "UnicodeDecodeError")
#: Messages of a ValueError that other rules serve better.
_BETTER = ("empty sequence", "is empty", "values to unpack")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose to catch the error of this one statement, and to answer or to skip the item."""
    crash, error = scene.crash, _catchable(scene)
    if error is None or not isinstance(crash, ast.Call):
        return
    statement = anchor(scene, crash)
    simple = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)
    if not isinstance(statement, simple):
        return
    loops = loops_around(scene, crash)
    endings = [("continue", "skip", "skip the item", 1.0)] if loops else []
    endings += [
        (answer.statement, f"answer.{answer.basis}", answer.why, answer.weight)
        for answer in answers(scene)[:2]
    ]
    start, end = scene.text.span(statement)
    indent = scene.text.decode(scene.text.line_start(statement.lineno), start)
    newline = scene.text.newline(statement.lineno)
    step = "\t" if "\t" in indent else "    "
    body = scene.text.decode(start, end)
    if "\n" in body or indent.strip():
        return
    for ending, basis, why, weight in endings:
        text = newline.join(
            (
                "try:",
                f"{indent}{step}{body}",
                f"{indent}except {error}:",
                f"{indent}{step}{ending}",
            )
        )
        yield Proposal(
            rule=f"caught.{basis}",
            weight=weight,
            edits=(replacing(scene, statement, text),),
            description=f"Where `{body}` raises {error}: {ending}",
            reason=f"{error} in {describe_failures(scene.failures)}; {why}",
        )


def _catchable(scene: Scene) -> str | None:
    """Return the built-in class to catch: the exception's own, or the nearest it derives from."""
    if any(text in scene.exception.message for text in _BETTER):
        return None
    names = [item.removeprefix("builtins:") for item in scene.exception.mro]
    return next((name for name in names if name in EXCEPTIONS), None)
