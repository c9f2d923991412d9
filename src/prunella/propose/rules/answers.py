"""What a function may answer where it has nothing to work on, and where that answer comes from.

An answer that nobody ever gave is an invention: it ranks so low that it isn't offered unless tests
speak for it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from prunella.propose.rules.flow import is_generator, returns
from prunella.propose.rules.precedents import early_answers, literal_kind
from prunella.propose.rules.said import said
from prunella.propose.rules.scene import Scene
from prunella.propose.rules.values import EMPTY_LITERALS, is_nothing, kinds

_MAX_ANSWERS = 4
_SENTINELS = ("", *EMPTY_LITERALS.values())

#: Factor on a rule's prior, by what the answer rests on.
WEIGHTS = {
    "own": 1.0,
    "docstring": 1.2,
    "sibling_same": 1.2,
    "sibling": 0.9,
    "annotation": 1.0,
    "results_none": 1.0,
    "results_seen": 0.9,
    "own_other": 0.5,
    "results_type": 0.3,
    "none": 0.2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A value that the function may give early."""

    #: Its source; ``""`` for a bare ``return``.
    text: str
    why: str
    #: What kind of evidence it rests on: a key of `WEIGHTS`.
    basis: str

    @property
    def statement(self) -> str:
        """The statement that gives it."""
        return f"return {self.text}".rstrip()

    @property
    def weight(self) -> float:
        """Factor on the prior of the rule that uses it."""
        return WEIGHTS[self.basis]


def answers(scene: Scene, condition: str = "") -> list[Answer]:
    """Return the early answers that the evidence allows, best first.

    `condition` is what they are given under: a sibling that asks the same counts for more.
    """
    if is_generator(scene):
        return [Answer(text="", why="a generator may yield nothing", basis="own")]
    found: dict[str, Answer] = {}
    for source in (_own, _said, _annotated, _of_results, _nothing):
        for answer in source(scene):
            found.setdefault(answer.text, answer)
    for answer in _of_siblings(scene, condition):
        rival = found.get(answer.text)
        if rival is None or rival.weight < answer.weight:
            found[answer.text] = answer
    ranked = sorted(found.values(), key=lambda answer: -answer.weight)
    return ranked[:_MAX_ANSWERS]


def expected_kinds(scene: Scene) -> frozenset[str]:
    """Return the kinds that the function's results have, or else those of its annotation."""
    seen = kinds(scene.passing_results)
    annotation = _annotation(scene)
    if annotation is None:
        return seen
    parts = [part.strip() for part in annotation.replace("Optional[", "None |").split("|")]
    named = {part.partition("[")[0].rpartition(".")[2].rstrip("]") for part in parts}
    named = {"NoneType" if name == "None" else name for name in named}
    return seen | (named if not seen else named & {"NoneType"})


def _annotation(scene: Scene) -> str | None:
    node = scene.node.returns
    return None if node is None else scene.segment(node).strip("'\"")


def _own(scene: Scene) -> Iterator[Answer]:
    """Literals that the function returns elsewhere, if its recorded results are of that kind."""
    seen = kinds(scene.passing_results)
    for node in returns(scene):
        own_kind = literal_kind(node.value)
        if own_kind is not None and (own_kind in seen or not seen):
            text = "" if node.value is None else scene.segment(node.value)
            yield Answer(
                text=text,
                why=f"the function already returns {text or 'None'}",
                # `0`, `[]`, `None` stand for "nothing there"; 7 or "x" answers something else.
                basis="own" if text in _SENTINELS else "own_other",
            )


def _said(scene: Scene) -> Iterator[Answer]:
    """What the docstring promises."""
    wanted = expected_kinds(scene)
    for literal in said(scene):
        texts = [literal]
        if literal == "empty":
            sized = wanted & {"str", "list", "dict", "tuple", "set"}
            texts = [EMPTY_LITERALS[name] for name in sorted(sized)]
        if literal == "0" and "float" in wanted and "int" not in wanted:
            texts = ["0.0"]
        for text in texts:
            own_kind = literal_kind(ast.parse(text, mode="eval").body)
            if not wanted or text == "None" or own_kind in wanted:
                why = f"the docstring says so of {'None' if text == 'None' else text}"
                yield Answer(text=text, why=why, basis="docstring")


def _of_siblings(scene: Scene, condition: str) -> Iterator[Answer]:
    """What other functions of the file answer early, if it is of the right kind."""
    wanted = expected_kinds(scene)
    for item in early_answers(scene):
        node = ast.parse(item.text, mode="eval").body if item.text else None
        if item.text not in _SENTINELS or literal_kind(node) not in wanted:
            continue
        same = bool(condition) and item.condition == condition
        yield Answer(
            text=item.text,
            why=f"{item.function} returns {item.text or 'None'} when `{item.condition}`",
            basis="sibling_same" if same else "sibling",
        )


def _annotated(scene: Scene) -> Iterator[Answer]:
    """`None`, where the annotation allows it."""
    annotation = _annotation(scene)
    if annotation and "NoneType" in expected_kinds(scene):
        text = "" if annotation == "None" else "None"
        why = f"the function is annotated to return {annotation}"
        yield Answer(text=text, why=why, basis="annotation")


def _of_results(scene: Scene) -> Iterator[Answer]:
    """The empty value of the kind that all recorded results have."""
    seen = kinds(scene.passing_results)
    if "NoneType" in seen:
        only = seen == {"NoneType"}
        yield Answer(
            text="" if only and not _gives_none(scene) else "None",
            why=f"{'every' if only else 'a'} recorded result is None",
            basis="results_none",
        )
        return
    if len(seen) != 1 or next(iter(seen)) not in EMPTY_LITERALS:
        return
    name = next(iter(seen))
    literal = EMPTY_LITERALS[name]
    count = len(scene.passing_results)
    if any(is_nothing(item) or item in (0, False) for item in scene.passing_results):
        why = f"{literal} is among the {count} recorded results"
        yield Answer(text=literal, why=why, basis="results_seen")
    elif "NoneType" not in expected_kinds(scene):
        why = f"all {count} recorded results are of type {name}"
        yield Answer(text=literal, why=why, basis="results_type")


def _gives_none(scene: Scene) -> bool:
    return any(isinstance(node.value, ast.Constant) for node in returns(scene))


def _nothing(scene: Scene) -> Iterator[Answer]:
    """`None`, where nothing is known of the results."""
    if kinds(scene.passing_results) or scene.node.returns is not None:
        return
    if any(node.value is not None for node in returns(scene)):
        yield Answer(text="None", why="no result is known", basis="none")
    else:
        yield Answer(text="", why="the function returns nothing", basis="own")
