"""TypeError: a call with too few or too many arguments, or with one in the wrong place."""

import ast
import re
from collections.abc import Iterator

from prunella.propose.rules.edits import Proposal, replacing
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("TypeError",)
_MISSING = re.compile(r"missing (\d+) required positional arguments?: (.+)$")
_QUOTED = re.compile(r"'(\w+)'")
_TOO_MANY = re.compile(r"takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were)")
_KEY_BY_POSITION = re.compile(r"sort\(\) takes no positional|sorted expected 1 argument, got 2")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose the arguments that the function called can take."""
    call, message = scene.crash, scene.exception.message
    if not isinstance(call, ast.Call):
        return
    because = f"{message} in {describe_failures(scene.failures)}"
    if found := _MISSING.search(message):
        yield from _missing(scene, call, _QUOTED.findall(found[2]), because)
    elif _TOO_MANY.search(message):
        yield from _surplus(scene, call, because)
    elif _KEY_BY_POSITION.search(message) and call.args:
        last = call.args[-1]
        if isinstance(last, (ast.Lambda, ast.Name, ast.Attribute)):
            yield Proposal(
                rule="argument.key",
                edits=(replacing(scene, last, f"key={scene.segment(last)}"),),
                description=f"Give `{scene.segment(last)}` as the key",
                reason=because,
            )
    elif "takes exactly one argument" in message and len(call.args) > 1 and not call.keywords:
        yield from _as_one(scene, call, because)
    elif "insert expected 2 arguments, got 1" in message:
        yield _appended(scene, call, because)


def _missing(scene: Scene, call: ast.Call, names: list[str], because: str) -> Iterator[Proposal]:
    """The caller has variables of the names that are missing."""
    known = {name for failure in scene.failures for name in failure.local_values}
    if not names or not set(names) <= known | set(scene.parameters):
        return
    own = scene.segment(call)
    if any(isinstance(item, ast.Starred) for item in call.args) or not own.endswith(")"):
        return
    given = [scene.segment(item) for item in call.args]
    given += [f"{item.arg}={scene.segment(item.value)}" for item in call.keywords if item.arg]
    if len(given) != len(call.args) + len(call.keywords):
        return
    new = names if not call.keywords else [f"{name}={name}" for name in names]
    text = f"{scene.segment(call.func)}({', '.join([*given, *new])})"
    yield Proposal(
        rule="argument.missing",
        edits=(replacing(scene, call, text),),
        description=f"Give {', '.join(f'`{name}`' for name in names)} along",
        reason=f"{because}; the caller has it under that name",
    )


def _surplus(scene: Scene, call: ast.Call, because: str) -> Iterator[Proposal]:
    """Leave out one argument of a call with one too many."""
    if len(call.args) < 1 or any(isinstance(item, ast.Starred) for item in call.args):
        return
    for number, item in enumerate(call.args):
        kept = [scene.segment(other) for other in call.args if other is not item]
        kept += [scene.text.decode(*_keyword_span(scene, word)) for word in call.keywords]
        last = number == len(call.args) - 1
        text = f"{scene.segment(call.func)}({', '.join(kept)})"
        yield Proposal(
            rule="argument.surplus" if last else "argument.surplus_earlier",
            edits=(replacing(scene, call, text),),
            description=f"Leave out the argument `{scene.segment(item)}`",
            reason=because,
        )


def _keyword_span(scene: Scene, word: ast.keyword) -> tuple[int, int]:
    value_end = scene.text.span(word.value)[1]
    return scene.text.offset(word.lineno, word.col_offset), value_end


def _as_one(scene: Scene, call: ast.Call, because: str) -> Iterator[Proposal]:
    """`rows.append(a, b)` where the pair was meant."""
    inside = ", ".join(scene.segment(item) for item in call.args)
    yield Proposal(
        rule="argument.pair",
        edits=(replacing(scene, call, f"{scene.segment(call.func)}(({inside}))"),),
        description=f"Give `({inside})` as one argument",
        reason=because,
    )


def _appended(scene: Scene, call: ast.Call, because: str) -> Proposal:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    inside = ", ".join(scene.segment(item) for item in call.args)
    return Proposal(
        rule="argument.append",
        edits=(replacing(scene, call, f"{scene.segment(owner)}.append({inside})"),),
        description=f"Append `{inside}`: no place is named to insert it at",
        reason=because,
    )
