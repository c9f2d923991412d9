"""How the offending value came about, told from the failing expression back to its sources."""

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from prunella.codec import render
from prunella.diagnose.contrast import GENERAL, Contrast
from prunella.diagnose.crash import Crash
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
    names = _names(crash, culprit)
    steps = [step for name in names for step in origins(known, name, crash.frame.line)]
    parameters = tuple(
        dict.fromkeys(step.name for step in steps if step.source is Source.PARAMETER)
    )
    contrast = _relevant(contrasts, culprit, parameters)
    clauses = [_origin_clause(crash, known, culprit.value, names)]
    if contrast is not None:
        clauses.append(contrast.sentence())
    else:
        clauses.extend(_value_clauses(crash, culprit, names))
    evidence = [*_step_evidence(crash, steps), *_value_evidence(crash, names)]
    if contrast is not None:
        evidence.append(Evidence(statement=contrast.sentence(), reference=crash.reference))
    return Story(
        because=_joined([clause for clause in clauses if clause]),
        evidence=tuple(evidence),
        contrast=contrast,
        parameters=parameters,
        calls=_calls(crash, steps, culprit.value),
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
    possible = [item for item in related if item.kind in GENERAL | culprit.kinds]
    return next(iter(fitting or possible), None)


def _names(crash: Crash, culprit: Culprit) -> list[str]:
    """Return the local names that the offending value (or the path taken) is made of."""
    node = culprit.value or culprit.decided_by
    if node is None:
        return []
    bound = {
        inner.id
        for item in ast.walk(node)
        if isinstance(item, ast.comprehension)
        for inner in ast.walk(item.target)
        if isinstance(inner, ast.Name)
    }
    return [name for name in names_in(node) if name not in bound]


def _origin_clause(
    crash: Crash, known: Sequence[Definition], value: ast.expr | None, names: Sequence[str]
) -> str:
    whole = isinstance(value, ast.Name)
    for name in names:
        found = reaching(known, name, crash.frame.line)
        if len(found) > 1 and whole:
            lines = " or ".join(str(item.line) for item in reversed(found))
            return f"`{name}` was set on line {lines}"
        if len(found) == 1 and found[0].value is not None:
            return _said(found[0], crash.text(found[0].value))
    return ""


def _said(step: Definition, text: str) -> str:
    said = {
        Source.ASSIGNED: f"`{step.name}` is `{text}`",
        Source.UPDATED: f"`{step.name}` was last changed by `{text}`",
        Source.ITEM: f"`{step.name}` is an item of `{text}`",
        Source.UNPACKED: f"`{step.name}` is a part of `{text}`",
        Source.ENTERED: f"`{step.name}` is what `with {text}` gives",
    }
    return said.get(step.source, "")


def _value_clauses(crash: Crash, culprit: Culprit, names: Sequence[str]) -> list[str]:
    value = culprit.value
    if value is not None and not isinstance(value, ast.Constant):
        known = crash.scope.evaluate(value)
        if known is None and culprit.about == "is None":
            return []
        if not isinstance(known, Unknown):
            return [f"`{crash.text(value)}` was {render(known, max_chars=_VALUE_CHARS)}"]
    shown = [name for name in names if name in crash.scope.names and name not in ("self", "cls")]
    return [f"`{name}` was {_shown(crash, name)}" for name in shown[:2]]


def _shown(crash: Crash, name: str) -> str:
    return render(crash.scope.resolve(crash.scope.names[name]), max_chars=_VALUE_CHARS)


def _joined(clauses: Sequence[str]) -> str:
    if len(clauses) < 3:
        return " and ".join(clauses)
    return f"{', '.join(clauses[:-1])} and {clauses[-1]}"


def _step_evidence(crash: Crash, steps: Sequence[Definition]) -> list[Evidence]:
    found = []
    for step in steps[:4]:
        if step.value is None:
            continue
        found.append(
            Evidence(
                statement=f"`{step.name}` comes from `{crash.text(step.value)}`",
                reference=f"{crash.module.path}:{step.line}",
            )
        )
    return found


def _value_evidence(crash: Crash, names: Sequence[str]) -> list[Evidence]:
    return [
        Evidence(statement=f"`{name}` was {_shown(crash, name)}", reference=crash.reference)
        for name in names[:4]
        if name in crash.scope.names
    ]


def _calls(crash: Crash, steps: Sequence[Definition], value: ast.expr | None) -> tuple[str, ...]:
    expressions = [step.value for step in steps if step.value is not None]
    if value is not None:
        expressions.insert(0, value)
    calls = [
        node
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Call)
    ]
    named = dict.fromkeys(crash.text(node.func) for node in calls)
    return tuple(name for name in named if not hasattr(builtins, name))
