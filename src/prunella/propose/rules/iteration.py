"""StopIteration: `next` of an iterator that has no more."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import Proposal, adding_argument
from prunella.propose.rules.flow import calls_to
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import EMPTY_LITERALS, kinds

EXCEPTIONS = ("StopIteration", "RuntimeError", "StopAsyncIteration")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose a default for `next`."""
    crash = scene.crash
    if not calls_to(crash, "next", "anext") or not isinstance(crash, ast.Call):
        return
    if len(crash.args) != 1:
        return
    literals = {"None": "next_none"}
    if isinstance(scene.parents.get(crash), ast.Return):
        for name in kinds(scene.passing_results) & set(EMPTY_LITERALS):
            literals.setdefault(EMPTY_LITERALS[name], "next_typed")
    for literal, rule in literals.items():
        yield Proposal(
            rule=f"iteration.{rule}",
            edits=(adding_argument(scene, crash, literal),),
            description=f"Take {literal} where nothing is left",
            reason=f"`{scene.segment(crash)}` finds nothing in {describe_failures(scene.failures)}",
        )
