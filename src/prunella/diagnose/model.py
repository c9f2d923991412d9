"""Diagnosis by a language model: structured, and by reference to given facts only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.errors import ModelError
from prunella.model.ids import DiagnosisId, new_id
from prunella.model.incidents import Diagnosis, Evidence, Hypothesis
from prunella.ports import LanguageModel, ModelRequest
from prunella.prompting import DATA_RULE, Fact, facts_of, fence, lay_out

#: What the answer has to look like; every key required, as strict endpoints demand.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "root_cause": {"type": "string"},
        "expected_behaviour": {"type": "string"},
        "remedy": {"type": "string"},
        "confidence": {"type": "number"},
        "evidence": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "fact": {"type": "string"},
                    "statement": {"type": "string"},
                    "supports": {"type": "boolean"},
                },
                "required": ["fact", "statement", "supports"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["root_cause", "expected_behaviour", "remedy", "confidence", "evidence"],
    "additionalProperties": False,
}

_SYSTEM = f"""\
You find out why a Python function fails in production. {DATA_RULE}

Answer as JSON:
- root_cause: one or two sentences for the person on call: which expression fails, which value is at
  fault, where that value comes from.
- expected_behaviour: what the function should do with the failing input, judged by its name,
  docstring, tests, callers and the passing calls. Say "unclear" if they don't decide.
- remedy: the smallest change that makes it so, in the imperative, one sentence.
- evidence: what supports or contradicts this. Each item names one fact by its number, such as "F2".
  Only facts you were given count.
- confidence: from 0 to 1. Stay below 0.5 where the expected behaviour is unclear.
"""

_TEXT_CHARS, _STATEMENT_CHARS, _EVIDENCE = 600, 300, 8
#: Nothing that was given supports it: it may be a guess.
_UNSUPPORTED = 0.3
_UNCLEAR = 0.5


def diagnosis_request(dossier: Dossier, fallback: Diagnosis) -> tuple[ModelRequest, list[Fact]]:
    """Return the question that `diagnose_with_model` asks, and the facts that it shows."""
    text, facts = lay_out(facts_of(dossier))
    rules = fence("what the built-in rules found, which may be wrong", _rules_view(fallback))
    prompt = (
        f"{text}\n\n{rules}\n\nWhy does {dossier.incident.error_type.partition(':')[2]} come up? "
        "Answer in the form described, by reference to the facts above."
    )
    request = ModelRequest(
        purpose="diagnosis", system=_SYSTEM, prompt=prompt, schema=SCHEMA, max_output_tokens=1500
    )
    return request, facts


def diagnose_with_model(
    dossier: Dossier,
    model: LanguageModel,
    fallback: Diagnosis,
    *,
    unusable: Callable[[str], None] = lambda why: None,
) -> Diagnosis:
    """Return the model's diagnosis, with those of `fallback` behind it.

    `fallback` itself comes back where the model gives no usable answer. References to facts that
    were not given are dropped; a diagnosis that keeps none has a confidence of at most 0.3. `unusable` is
    told ``reason: message`` of an answer that can't be used.
    """
    request, facts = diagnosis_request(dossier, fallback)
    try:
        data = model.ask(request).data
    except ModelError:
        return fallback
    cause, remedy = _text(data, "root_cause"), _text(data, "remedy")
    if data is None or not cause:
        unusable("no_cause: the answer names no root cause")
        return fallback
    expected = _text(data, "expected_behaviour")
    evidence = _evidence(data.get("evidence"), facts)
    confidence = _confidence(data.get("confidence"), evidence, expected)
    own = Hypothesis(cause=cause, remedy=remedy, prior=confidence, evidence=evidence)
    return replace(
        fallback,
        diagnosis_id=DiagnosisId(new_id("dia")),
        root_cause=cause,
        expected_behaviour=expected,
        hypotheses=(own, *fallback.hypotheses)[:4],
        confidence=confidence,
        abstention=None,
        made_by=f"model:{model.name}",
        made_at=now(),
    )


def _rules_view(fallback: Diagnosis) -> str:
    missing = f"\nThey abstain: {fallback.abstention}" if fallback.abstention else ""
    return f"{fallback.root_cause}{missing}"


def _text(data: Mapping[str, Any] | None, key: str) -> str:
    value = None if data is None else data.get(key)
    if not isinstance(value, str):
        return ""
    return _plain(value, _TEXT_CHARS)


def _plain(text: str, chars: int) -> str:
    """Return a model's sentence on one line without control characters, bounded."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * chars]).split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"


def _evidence(data: object, facts: Sequence[Fact]) -> tuple[Evidence, ...]:
    references = {fact.number: fact.reference for fact in facts}
    found = []
    for item in data[:50] if isinstance(data, list) else ():
        if not isinstance(item, Mapping):
            continue
        number, statement = item.get("fact"), item.get("statement")
        if not isinstance(number, str) or not isinstance(statement, str):
            continue
        reference = references.get(number.strip().upper())
        if reference is not None and statement.strip():
            found.append(
                Evidence(
                    statement=_plain(statement, _STATEMENT_CHARS),
                    reference=reference,
                    supports=item.get("supports") is not False,
                )
            )
    return tuple(found[:_EVIDENCE])


def _confidence(data: object, evidence: Sequence[Evidence], expected: str) -> float:
    claimed = data if isinstance(data, (int, float)) and data >= 0 else 0.0  # NaN isn't
    bound = 1.0
    if not any(item.supports for item in evidence):
        bound = _UNSUPPORTED
    if expected.lower().rstrip(".") in ("", "unclear"):
        bound = min(bound, _UNCLEAR)
    return round(float(min(claimed, bound)), 3)
