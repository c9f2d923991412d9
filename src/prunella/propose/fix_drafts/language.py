"""Templates of fixes for language models and agents: another system message, another model or site."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from prunella.codec import entries
from prunella.fixes import prompt_hash
from prunella.fixes.changes import system_message
from prunella.fixes.recorded import arguments_of, site_view
from prunella.propose.fix_contrasts import longer, odd_text, shown
from prunella.propose.fix_drafts.draft import Draft
from prunella.propose.fix_fitting import ENOUGH, Observed, siblings

_ONLY_JSON = (
    "Answer with one JSON document and nothing else: no words before or after it, no code fences."
)
#: What a system message is made to say; the keys are added where recorded results have them.
_SENTENCES = {
    "OUTPUT.JSON.MALFORMED": _ONLY_JSON,
    "OUTPUT.JSON.ABSENT": _ONLY_JSON,
    "OUTPUT.JSON.TRUNCATED": f"{_ONLY_JSON} Keep it short.",
    "OUTPUT.SCHEMA.INVALID": _ONLY_JSON,
    "OUTPUT.SCHEMA.MISSING_FIELD": f"{_ONLY_JSON} Leave no key out.",
    "OUTPUT.SCHEMA.WRONG_TYPE": f"{_ONLY_JSON} Keep to the types that were asked for.",
    "OUTPUT.SCHEMA.OUT_OF_RANGE": f"{_ONLY_JSON} Keep to the values that were asked for.",
    "LLM.LIMIT.OUTPUT": "Answer briefly.",
    "AGENT.LOOP.RUNAWAY": (
        "Never repeat a step that has failed. Where you can't get further, give the best answer that "
        "you have."
    ),
    "AGENT.STEP.REPEATED": "Never repeat a step that has failed in the same way: try another.",
    "AGENT.OUTPUT.UNUSABLE": "Answer in exactly the form that was asked for, and nothing else.",
    "TOOL.REGISTRY.UNKNOWN": "Call only the tools that you were given, by their exact names.",
}
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_MOST_KEYS = 20
#: Characters of a token, as the interpreter counts them.
_CHARACTERS_PER_TOKEN = 3


def prompts(code: str, observed: Observed) -> Iterator[Draft]:
    """Yield an addition to the system message that most failing calls have."""
    sentence = _SENTENCES.get(code)
    view = site_view(observed.site)
    if sentence is None or view.kind not in ("llm", "agent"):
        return
    if not {"system", "messages"} & view.roles.keys():
        return  # a prompt without a system message is another text in each call
    bases = Counter(
        base
        for item in observed.failing
        if (base := system_message(view, arguments_of(item.inputs))) is not None
    )
    if not bases:
        return
    base, calls = bases.most_common(1)[0]
    keys = _keys(observed) if code.startswith("OUTPUT.") else []
    text = f"{sentence} Its keys are {', '.join(keys)}." if keys else sentence
    config = {
        "op": "append",
        "text": text,
        "base_hash": prompt_hash(base),
        "max_added_tokens": len(text) // _CHARACTERS_PER_TOKEN + 10,
    }
    reason = (
        f"{calls} of {len(observed.failing)} failing calls have this system message "
        f"({len(base)} characters); the fix acts on no other."
    )
    if keys:
        reason += f" The keys are those that all of {len(observed.passing)} recorded results have."
    yield Draft("prompt", "say in the system message what is wanted", config, reason)


def _keys(observed: Observed) -> list[str]:
    """Return the keys that every recorded result has, if they are harmless names."""
    if len(observed.passing) < ENOUGH:
        return []
    shared = shared_keys([call.result for call in observed.passing])
    harmless = all(_KEY.fullmatch(key) for key in shared)
    return shared if harmless and len(shared) <= _MOST_KEYS else []


def shared_keys(results: Sequence[Any]) -> list[str]:
    """Return the keys that all these recorded results have: dicts, or texts that are JSON objects."""
    found = [_keys_of(result) for result in results]
    return [key for key in found[0] if all(key in each for each in found)] if found else []


def _keys_of(result: Any) -> list[str]:
    if isinstance(result, str):
        try:
            result = json.loads(result[:100_000])
        except (ValueError, RecursionError):
            return []
        return list(result) if isinstance(result, dict) else []
    if isinstance(result, list) and result[:1] == ["d"]:
        return [name for name, _ in entries(result) if isinstance(name, str)]
    return []


def routes(code: str, observed: Observed) -> Iterator[Draft]:
    """Yield other ways for the calls that fail, and only for those."""
    model = observed.role("model")
    odd = odd_text(observed, model) if model else None
    if odd is not None and odd.usual_calls >= ENOUGH:
        config = _only({model: {"schema": {"enum": odd.failing}}}, {"model": odd.usual})
        reason = (
            f"Every failing call asked {shown(odd.failing)}, and none that passed did; "
            f"{odd.usual_calls} of {len(observed.passing)} passing calls asked {shown([odd.usual])}."
        )
        yield Draft("routing", f"ask {shown([odd.usual])} instead", config, reason)
    others = siblings(observed)[:1]
    for other in others:
        if code == "LLM.LIMIT.CONTEXT":
            yield from _by_length(observed, other.site_id, other.qualname)
        elif not observed.passing:
            config = {"default": {"site": other.site_id}}
            reason = (
                f"No passing call is recorded; {other.site_id} is of the same kind and takes the "
                "same parameters."
            )
            yield Draft("routing", f"send calls to {other.qualname}", config, reason)


def _by_length(observed: Observed, site_id: str, name: str) -> Iterator[Draft]:
    for role in ("messages", "prompt"):
        parameter = observed.role(role)
        lengths = longer(observed, parameter) if parameter else None
        if lengths is None:
            continue
        passing, failing = lengths
        least = (passing + failing + 1) // 2
        config = _only({parameter: {"length": {"min": least}}}, {"site": site_id})
        reason = (
            f"Every failing call had {parameter} of {failing} or more, and every passing call of "
            f"{passing} or less: those of {least} or more go to {site_id}."
        )
        yield Draft("routing", f"send long questions to {name}", config, reason)
        return


def _only(when: dict[str, Any], to: dict[str, Any]) -> dict[str, Any]:
    return {"rules": [{"when": when, "to": to}], "default": {"self": True}}
