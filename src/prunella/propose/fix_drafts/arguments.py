"""Templates of fixes that change what goes into a call: parameter, guard and tool."""

from collections.abc import Iterator
from typing import Any

from prunella.propose.fix_contrasts import (
    JSON_TYPES,
    Odd,
    missing,
    mistyped,
    odd_text,
    outliers,
    shown,
    wrapped_json,
)
from prunella.propose.fix_drafts.draft import Draft
from prunella.propose.fix_fitting import ENOUGH, Observed, durations_s, quantile, usual, values_of
from prunella.taxonomy import CODES

#: Parameters that say how many steps an agent may take.
_STEPS = ("max_steps", "max_turns", "max_iterations", "max_rounds", "recursion_limit")


def parameters(code: str, observed: Observed) -> Iterator[Draft]:
    """Yield changes of named arguments."""
    if code.endswith("TIMEOUT") or code == "SYS.TIME.DEADLINE":
        yield from _longer_timeout(observed)
    elif code in ("LLM.LIMIT.OUTPUT", "OUTPUT.JSON.TRUNCATED"):
        name = observed.role("max_tokens")
        yield from _scaled(observed, name, 2.0, "The answer was cut off at its limit.")
    elif code == "LLM.LIMIT.CONTEXT":
        reason = "Prompt and answer share the context: a shorter answer leaves it more room."
        yield from _scaled(observed, observed.role("max_tokens"), 0.5, reason)
    elif code == "LLM.MODEL.NOT_FOUND":
        yield from _usual_text(observed, observed.role("model"))
    elif code in ("LLM.PARAMETER.INVALID", "LLM.CALL.REJECTED"):
        yield from _clamped(observed)
        for name in observed.site.parameters:
            if name not in [observed.role(role) for role in ("prompt", "messages", "system")]:
                yield from _usual_text(observed, name)
    elif code == "AGENT.LOOP.RUNAWAY":
        reason = "The agent did not come to an end within its steps."
        for name in _STEPS:
            yield from _scaled(observed, name, 2.0, reason)


def _longer_timeout(observed: Observed) -> Iterator[Draft]:
    name = observed.role("timeout")
    limits = [item for item in values_of(observed.failing, name) if type(item) in (int, float)]
    durations = durations_s(observed.passing)
    if not name or not limits or len(durations) < ENOUGH:
        return
    limit_s = float(usual(limits))
    slowest_s = quantile(durations, 0.95)
    if limit_s <= 0 or slowest_s < limit_s / 2:
        return  # successes are nowhere near the limit: it isn't what cuts them off
    longer_s = round(max(limit_s * 2, quantile(durations, 0.99) * 1.5), 3)
    reason = (
        f"The limit is {limit_s:g} s, and one in twenty of {len(durations)} recorded successes "
        f"takes {slowest_s:.2f} s or more: it cuts off calls that would have succeeded. {longer_s:g} "
        "s is the double of it, or one and a half times what all but one in a hundred need."
    )
    yield Draft("parameter", "increase timeout", {"set": {name: longer_s}}, reason)


def _scaled(observed: Observed, name: str, factor: float, reason: str) -> Iterator[Draft]:
    values = values_of(observed.failing, name) if name else []
    if values and all(type(item) is int for item in values):
        title = f"{'raise' if factor > 1 else 'lower'} {name}"
        yield Draft("parameter", title, {"scale": {name: factor}}, reason)


def _clamped(observed: Observed) -> Iterator[Draft]:
    for name, low, high, failing, source in outliers(observed):
        config = {"clamp": {name: {"min": low, "max": high}}}
        reason = (
            f"All {len(failing)} failing calls had {name} outside {low:g} to {high:g} "
            f"({shown(failing)}), where {source} had it."
        )
        yield Draft("parameter", f"keep {name} within {low:g} to {high:g}", config, reason)


def _usual_text(observed: Observed, name: str) -> Iterator[Draft]:
    odd = odd_text(observed, name) if name else None
    if odd is None or odd.usual_calls < ENOUGH:
        return
    config = {
        "set": {name: odd.usual},
        "when": {name: {"schema": {"enum": odd.failing}}},
    }
    reason = (
        f"No passing call had {name} = {shown(odd.failing)}, as every failing one; "
        f"{odd.usual_calls} of {len(observed.passing)} passing calls had {shown([odd.usual])}."
    )
    yield Draft("parameter", f"use {name} {shown([odd.usual])}", config, reason)


def guards(_code: str, observed: Observed) -> Iterator[Draft]:
    """Yield checks of arguments that put right what failing calls alone had."""
    for name, low, high, failing, source in outliers(observed):
        config = _guard(name, {"range": {"min": low, "max": high}}, "clamp")
        reason = (
            f"All {len(failing)} failing calls had {name} outside {low:g} to {high:g}, where {source} "
            f"had it ({name} = {shown(failing[:1])})."
        )
        yield Draft("guard", f"keep {name} within {low:g} to {high:g}", config, reason)
    for odd in mistyped(observed):
        config = _guard(odd.parameter, {"schema": {"type": JSON_TYPES[odd.kind]}}, "coerce")
        yield Draft(
            "guard", f"convert {odd.parameter} to {odd.kind}", config, _of_type(odd, observed)
        )
    for odd in missing(observed):
        config = _guard(odd.parameter, {"schema": {"type": JSON_TYPES[odd.kind]}}, "default")
        config["default"] = odd.usual
        title = f"take {shown([odd.usual])} for a missing {odd.parameter}"
        yield Draft("guard", title, config, _of_none(odd, observed))
    for name in wrapped_json(observed):
        reason = (
            f"All {len(observed.failing)} failing calls had words around the JSON in {name}; all of "
            f"{len(observed.passing)} passing calls had JSON alone."
        )
        config = _guard(name, {"format": "json"}, "coerce")
        yield Draft("guard", f"take the JSON out of {name}", config, reason)


def _guard(parameter: str, check: dict[str, Any], on_fail: str) -> dict[str, Any]:
    return {"stage": "input", "parameter": parameter, "check": check, "on_fail": on_fail}


def tools(code: str, observed: Observed) -> Iterator[Draft]:
    """Yield what makes a tool forgiving: of its arguments, and towards the agent that calls it."""
    converted, filled = list(mistyped(observed)), list(missing(observed))
    if converted or filled:
        config: dict[str, Any] = {}
        if converted:
            config["coerce"] = {odd.parameter: odd.kind for odd in converted}
        if filled:
            config["arg_defaults"] = {odd.parameter: odd.usual for odd in filled}
        reasons = [
            *(_of_type(odd, observed) for odd in converted),
            *(_of_none(odd, observed) for odd in filled),
        ]
        yield Draft("tool", "put the tool's arguments right", config, " ".join(reasons))
    if observed.site.kind != "tool" or CODES[code].transient:
        return  # what may pass by itself is worth a retry
    texts = [type(call.result) is str for call in observed.passing]
    if len(texts) >= ENOUGH and all(texts):
        words = CODES[code].sentence
        name = observed.site.qualname.rpartition(".")[2][:60]
        answer = f"{name} failed: {words} Go on without it, or try other arguments."
        reason = (
            f"All of {len(texts)} recorded results are texts, which an agent reads: told what went "
            "wrong, it can go on. The answer is made up, so that people have to want it."
        )
        config = {"error_map": {code: answer}}
        yield Draft("tool", "tell the agent what went wrong", config, reason)


def _of_type(odd: Odd, observed: Observed) -> str:
    return (
        f"All {len(odd.failing)} failing calls had {odd.parameter} as "
        f"{type(odd.failing[0]).__name__} ({shown(odd.failing)}), all of {len(observed.passing)} "
        f"passing calls as {odd.kind}; what failed can be converted."
    )


def _of_none(odd: Odd, observed: Observed) -> str:
    return (
        f"All {len(odd.failing)} failing calls had no {odd.parameter}; {odd.usual_calls} of "
        f"{len(observed.passing)} passing calls had {shown([odd.usual])}, and none was without."
    )
