"""Errors that say "this input can't be had": the statement may be guarded by a narrow `except`.

The least of repairs: it hides what it catches. It ranks behind everything that asks beforehand.
"""

import ast
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, anchor, trying
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
    endings = [("continue", "skip", "skip the item")] if loops else []
    endings += [
        (answer.statement, f"answer.{answer.basis}", answer.why) for answer in answers(scene)[:2]
    ]
    body = scene.segment(statement)
    for ending, basis, why in endings:
        edit = trying(scene, statement, error, ending)
        if edit is None:
            return
        yield Proposal(
            rule=f"caught.{basis}",
            edits=(edit,),
            description=f"Where `{body}` raises {error}: {ending}",
            reason=f"{error} in {describe_failures(scene.failures)}; {why}",
        )


def _catchable(scene: Scene) -> str | None:
    """Return the built-in class to catch: the exception's own, or the nearest it derives from."""
    if any(text in scene.exception.message for text in _BETTER):
        return None
    names = [item.removeprefix("builtins:") for item in scene.exception.mro]
    return next((name for name in names if name in EXCEPTIONS), None)
