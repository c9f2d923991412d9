"""Fixes from a language model: it adds to those of the templates, or orders them anew, as data."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prunella.codec import entries, render
from prunella.model.errors import ModelError
from prunella.model.hypotheses import FixHypothesis
from prunella.model.incidents import Incident
from prunella.model.tree import Tree
from prunella.ports import KeptModel, ModelRequest
from prunella.prompting import DATA_RULE, fence
from prunella.propose.fix_fitting import Observed
from prunella.propose.fixes import MOST, with_models_fixes

#: JSON Schema of an answer.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "fixes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "fix_id": {"type": "string"},
                    "fix_type": {"type": "string"},
                    "config": {"type": "string"},
                    "description": {"type": "string"},
                    "prior": {"type": "number"},
                    "reasoning": {"type": "string"},
                },
                "required": ["fix_id", "fix_type", "config", "description", "prior", "reasoning"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["fixes"],
    "additionalProperties": False,
}

_SYSTEM = f"""\
You judge which runtime fixes may heal a failing Python function without a deployment. {DATA_RULE}

A fix has a type and a config, a JSON object of these keys:
retry: max_retries, initial_delay_ms, exponential_base, max_delay_ms, jitter, retry_on, deadline_ms
fallback: chain (items with one of site, model, last_good), on, max_hops, cooldown_s, open_after
guard: stage (input, output), parameter, check (range, length, pattern, schema, format), on_fail (reject, \
clamp, coerce, reask)
parameter: set, scale, clamp, drop, when
tool: timeout_ms, coerce, result_limit
routing: rules (when, to), default
Give no value that stands in for a result, and nobody's approval: those are for people to decide.

Answer as JSON: fixes, each with prior (the chance from 0 to 1 that it heals) and reasoning. To judge
a fix that is there already, give its fix_id and leave fix_type, config and description empty. To add
one, leave fix_id empty and give config as a text that is one JSON object.
"""
_EXAMPLES, _VALUE_CHARS, _CONFIG_CHARS = 3, 200, 10_000


def fixes_request(
    incident: Incident, observed: Observed, own: Sequence[FixHypothesis]
) -> ModelRequest:
    """Return the question: what failed, what passed, and which fixes there are."""
    site = observed.site
    facts = "\n".join(
        [
            f"{site.site_id}({', '.join(site.parameters)}), a {site.kind}",
            f"error code {incident.error_code}, {incident.count} failures",
            f"{incident.error_type}: {incident.message[:500]}",
            *(f"failed: {_call(item.inputs)}" for item in observed.failing[:_EXAMPLES]),
            *(f"passed: {_call(item.inputs)}" for item in observed.passing[:_EXAMPLES]),
        ]
    )
    there = "\n".join(
        f"{item.document['fix_id']}: {item.fix_type} {json.dumps(item.document['config'])} "
        f"(prior {item.prior:.2f}) {item.reasoning}"
        for item in own
    )
    parts = [fence("what was recorded", facts), fence("fixes that are there", there or "none")]
    return ModelRequest(
        purpose="fixes",
        system=_SYSTEM,
        prompt="\n\n".join([*parts, "Answer as JSON in the form described."]),
        schema=SCHEMA,
        max_output_tokens=2_000,
    )


def ask_for_fixes(
    model: KeptModel, incident: Incident, observed: Observed, own: Sequence[FixHypothesis]
) -> tuple[FixHypothesis, ...]:
    """Return `own` with what the model adds to it or orders anew; `own` where it says nothing usable.

    Never raises for anything the model does; what was refused is kept with its answer.
    """
    try:
        answer = model.ask(fixes_request(incident, observed, own))
    except ModelError:
        return tuple(own)  # the exchange is kept with the reason
    said = answer.data.get("fixes") if isinstance(answer.data, Mapping) else None
    if not isinstance(said, list):
        model.unusable("no_fixes: the answer has no list of fixes")
        return tuple(own)
    made_by = f"model:{model.name}"
    found, refused = with_models_fixes(own, list(_parts(said)), incident, made_by=made_by)
    if refused:
        model.unusable("refused: " + "; ".join(refused))
    return found


def _parts(said: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield the answer's parts as `with_models_fixes` takes them."""
    for item in said[:MOST]:
        if not isinstance(item, Mapping):
            yield {}
            continue
        document: Any = item.get("fix_id")
        if not document:
            document = {
                "fix_type": item.get("fix_type"),
                "config": _config(item.get("config")),
                "description": str(item.get("description", ""))[:80],
            }
        yield {
            "document": document,
            "prior": item.get("prior"),
            "reasoning": item.get("reasoning"),
        }


def _config(text: Any) -> Any:
    if not isinstance(text, str) or len(text) > _CONFIG_CHARS:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _call(inputs: Tree) -> str:
    return ", ".join(
        f"{name}={render(value, max_chars=_VALUE_CHARS)}" for name, value in entries(inputs)
    )
