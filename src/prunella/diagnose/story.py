"""How the offending value came about, told from the failing expression back to its sources."""

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from prunella.codec import render
from prunella.diagnose.contrast import Contrast
from prunella.diagnose.crash import Crash, source_of
from prunella.diagnose.culprit import Culprit
from prunella.diagnose.dataflow import Definition, Source, definitions, names_in, origins, reaching
from prunella.diagnose.values import Unknown
from prunella.model.incidents import Evidence

_VALUE_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The sentence's second half and the facts behind it."""

    #: "`count` is `len(rows)` and `rows` is empty in all 3 failing calls, …"; may be empty.
    because: str
    evidence: tuple[Evidence, ...]
    #: What separates failing from passing calls and has to do with the offending value.
    contrast: Contrast | None
    #: Parameters that the offending value goes back to.
    parameters: tuple[str, ...]
    #: Functions that it goes back to, as source text; built-in ones left out.
    calls: tuple[str, ...]


def tell(crash: Crash, culprit: Culprit, contrasts: Sequence[Contrast]) -> Story:
    """Follow the offending value back to parameters, assignments and calls."""
    known = definitions(crash.function.node)
    names = [] if culprit.value is None else names_in(culprit.value)
    steps = [step for name in names for step in origins(known, name, crash.frame.line)]
    parameters = tuple(
        dict.fromkeys(step.name for step in steps if step.source is Source.PARAMETER)
    )
    contrast = _relevant(contrasts, culprit, parameters)
    clauses = [_origin_clause(crash, known, culprit.value)]
    clauses.append(contrast.sentence() if contrast is not None else _value_clause(crash, culprit))
    evidence = [*_step_evidence(crash, steps), *_value_evidence(crash, names)]
    if contrast is not None:
        evidence.append(Evidence(statement=contrast.sentence(), reference=crash.reference))
    return Story(
        because=" and ".join(clause for clause in clauses if clause),
        evidence=tuple(evidence),
        contrast=contrast,
        parameters=parameters,
        calls=_calls(steps, culprit.value),
    )


def _relevant(
    contrasts: Sequence[Contrast], culprit: Culprit, parameters: Sequence[str]
) -> Contrast | None:
    """Return the clearest contrast about a parameter that the value goes back to.

    One that fits the kind of failure comes first. Where no value is at fault (a name without one),
    any parameter may decide the path taken.
    """
    related = [
        item
        for item in contrasts
        if item.parameter in parameters or (culprit.value is None and item.clean)
    ]
    fitting = [item for item in related if culprit.about and culprit.about in item.statement]
    return next(iter(fitting or related), None)


def _origin_clause(crash: Crash, known: Sequence[Definition], value: ast.expr | None) -> str:
    if not isinstance(value, ast.Name):
        return ""
    found = reaching(known, value.id, crash.frame.line)
    if len(found) > 1:
        lines = " or ".join(str(item.line) for item in reversed(found))
        return f"`{value.id}` was set on line {lines}"
    if not found or found[0].value is None:
        return ""
    step = found[0]
    assert step.value is not None  # noqa: S101 - narrows for the type checker
    text = source_of(step.value)
    said = {
        Source.ASSIGNED: f"`{value.id}` is `{text}`",
        Source.UPDATED: f"`{value.id}` was last changed by `{text}`",
        Source.ITEM: f"`{value.id}` is an item of `{text}`",
        Source.UNPACKED: f"`{value.id}` is a part of `{text}`",
        Source.ENTERED: f"`{value.id}` is what `with {text}` gives",
    }
    return said.get(step.source, "")


def _value_clause(crash: Crash, culprit: Culprit) -> str:
    if culprit.value is None or isinstance(culprit.value, ast.Constant):
        return ""
    value = crash.scope.evaluate(culprit.value)
    if isinstance(value, Unknown):
        return ""
    shown = render(value, max_chars=_VALUE_CHARS)
    if value is None and "is None" in culprit.happened:
        return ""
    return f"`{source_of(culprit.value)}` was {shown}"


def _step_evidence(crash: Crash, steps: Sequence[Definition]) -> list[Evidence]:
    found = []
    for step in steps[:4]:
        if step.value is None:
            continue
        found.append(
            Evidence(
                statement=f"`{step.name}` comes from `{source_of(step.value)}`",
                reference=f"{crash.module.path}:{step.line}",
            )
        )
    return found


def _value_evidence(crash: Crash, names: Sequence[str]) -> list[Evidence]:
    return [
        Evidence(
            statement=f"`{name}` was "
            f"{render(crash.scope.resolve(crash.scope.names[name]), max_chars=_VALUE_CHARS)}",
            reference=crash.reference,
        )
        for name in names[:4]
        if name in crash.scope.names
    ]


def _calls(steps: Sequence[Definition], value: ast.expr | None) -> tuple[str, ...]:
    expressions = [step.value for step in steps if step.value is not None]
    if value is not None:
        expressions.insert(0, value)
    calls = [
        node
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Call)
    ]
    named = dict.fromkeys(source_of(node.func) for node in calls)
    return tuple(name for name in named if not hasattr(builtins, name))
