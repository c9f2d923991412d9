"""What a function may answer where it has nothing to work on: the sentinels it already uses."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from prunella.propose.rules.flow import is_generator, returns
from prunella.propose.rules.scene import Scene
from prunella.propose.rules.values import EMPTY_LITERALS, is_nothing, kinds

_MAX_ANSWERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A statement that ends the function early."""

    #: ``return 0``
    statement: str
    why: str
    #: What kind of evidence it rests on; calibrated apart from each other.
    basis: str
    weight: float


def answers(scene: Scene) -> list[Answer]:
    """Return the early answers that the evidence allows, best first."""
    if is_generator(scene):
        return [
            Answer(statement="return", why="a generator may yield nothing", basis="own", weight=1.0)
        ]
    found: dict[str, Answer] = {}
    for answer in (*_own(scene), *_of_results(scene), *_of_annotation(scene), *_nothing(scene)):
        found.setdefault(answer.statement, answer)
    return list(found.values())[:_MAX_ANSWERS]


def _own(scene: Scene) -> list[Answer]:
    """Literals that the function returns elsewhere, if its recorded results are of that type."""
    seen = kinds(scene.passing_results)
    literals: dict[str, str] = {}
    for node in returns(scene):
        text = "" if node.value is None else scene.segment(node.value)
        literal = "NoneType" if not text else _literal_kind(node.value)
        if literal is not None and (literal in seen or not seen):
            literals.setdefault(text, literal)
    # `0`, `[]`, `None` stand for "nothing there"; 7 or "x" is an answer to something else.
    ranked = sorted(literals, key=lambda text: text not in ("", *EMPTY_LITERALS.values()))
    return [
        Answer(
            statement=f"return {text}".rstrip(),
            why=f"the function already returns {text or 'None'}",
            basis="own" if text in ("", *EMPTY_LITERALS.values()) else "own_other",
            weight=1.0 if text in ("", *EMPTY_LITERALS.values()) else 0.5,
        )
        for text in ranked
    ]


def _literal_kind(node: ast.expr | None) -> str | None:
    """Return the kind of an expression that is a literal without parts, else ``None``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    if isinstance(node, ast.Constant):
        return type(node.value).__name__
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and not node.elts:
        return type(node).__name__.lower()
    if isinstance(node, ast.Dict) and not node.keys:
        return "dict"
    return None


def _of_results(scene: Scene) -> list[Answer]:
    """The empty value of the type that all recorded results have."""
    seen = kinds(scene.passing_results)
    if "NoneType" in seen:
        only = seen == {"NoneType"}
        yes = Answer(
            statement="return" if only else "return None",
            why=f"{'every' if only else 'a'} recorded result is None",
            basis="results_none",
            weight=1.0,
        )
        return [yes]
    if len(seen) != 1 or next(iter(seen)) not in EMPTY_LITERALS:
        return []
    name = next(iter(seen))
    literal = EMPTY_LITERALS[name]
    occurs = any(is_nothing(result) or result in (0, False) for result in scene.passing_results)
    count = len(scene.passing_results)
    return [
        Answer(
            statement=f"return {literal}",
            why=f"all {count} recorded results are of type {name}"
            + (f", {literal} among them" if occurs else ""),
            basis="results_seen" if occurs else "results_type",
            weight=1.0 if occurs else 0.8,
        )
    ]


def _of_annotation(scene: Scene) -> list[Answer]:
    """The empty value of the annotated return type."""
    annotation = scene.node.returns
    if annotation is None:
        return []
    text = scene.segment(annotation).strip("'\"")
    if "None" in text or text.startswith("Optional"):
        return [_annotated("return None", text)]
    literal = EMPTY_LITERALS.get(text.partition("[")[0].lower())
    return [] if literal is None else [_annotated(f"return {literal}", text)]


def _annotated(statement: str, text: str) -> Answer:
    return Answer(
        statement=statement,
        why=f"the function is annotated to return {text}",
        basis="annotation",
        weight=0.9,
    )


def _nothing(scene: Scene) -> Sequence[Answer]:
    """`None`, where nothing is known of the results."""
    if kinds(scene.passing_results) or scene.node.returns is not None:
        return []
    if returns(scene):
        return [Answer(statement="return None", why="no result is known", basis="none", weight=0.4)]
    return [Answer(statement="return", why="the function returns nothing", basis="own", weight=1.0)]
