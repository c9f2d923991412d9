"""StopIteration: `next` of an iterator that has no more."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, adding_argument
from prunella.propose.rules.flow import calls_to
from prunella.propose.rules.precedents import default_of_call
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("StopIteration", "RuntimeError", "StopAsyncIteration")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose a default for `next`."""
    crash = scene.crash
    if not calls_to(crash, "next", "anext") or not isinstance(crash, ast.Call):
        return
    if len(crash.args) != 1:
        return
    found = [("None", "none", 0.5, "")]
    if isinstance(scene.parents.get(crash), ast.Return):
        found = [
            (item.text or "None", item.basis, item.weight, f"; {item.why}")
            for item in answers(scene)
        ] or found
    elif (precedent := default_of_call(scene, "next")) is not None:
        found.insert(0, (precedent.text, "sibling", 1.0, f"; {precedent.function} has it so"))
    for literal, basis, weight, why in found:
        yield Proposal(
            rule=f"iteration.{basis}",
            weight=weight,
            edits=(adding_argument(scene, crash, literal),),
            description=f"Take {literal} where nothing is left",
            reason=f"`{scene.segment(crash)}` finds nothing in "
            f"{describe_failures(scene.failures)}{why}",
        )
