"""From an incident to fixes that may heal it: templates per error code, numbers from the records."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from prunella.codec import render
from prunella.fixes import parse
from prunella.model.errors import FixError
from prunella.model.hypotheses import Experience, FixHypothesis
from prunella.model.incidents import Incident
from prunella.propose.fix_fitting import (
    ENOUGH,
    Observed,
    budget_for,
    durations_s,
    outliers,
    quantile,
    recoveries_s,
    repeats_ratio,
    retries_for,
    siblings,
    usual,
    values_of,
)
from prunella.propose.fix_priors import posterior, types_for
from prunella.taxonomy import CODES

#: Hypotheses of one incident, the model's included.
MOST = 8
#: A model's word alone is never sure enough to start anything by itself.
MODEL_CEILING = 0.79
#: Share of the recoveries that all retries together wait for.
_COVERED = 0.9
_LONGEST_DELAY_MS = 30_000
#: Share of calls that repeat others' inputs from which remembered results are worth it.
_WORTH_REMEMBERING = 0.3


class Draft(NamedTuple):
    """A fix's config with its title and reasons."""

    fix_type: str
    title: str
    config: dict[str, Any]
    reasoning: str


def propose_fixes(
    incident: Incident, observed: Observed, experience: Iterable[Experience] = ()
) -> tuple[FixHypothesis, ...]:
    """Return the fixes that may heal an incident, the most likely first; none where none fits.

    Only fixes whose numbers the records give, or whose defaults hold without records.
    """
    known = tuple(experience)
    found: list[FixHypothesis] = []
    for fix_type in types_for(incident.error_code):
        for draft in _DRAFTERS.get(fix_type, _nothing)(incident.error_code, observed):
            found.append(_hypothesis(incident, observed, draft, known, len(found)))
    found.sort(key=lambda item: -item.prior)
    return tuple(found[:MOST])


def with_models_fixes(
    own: Sequence[FixHypothesis],
    answer: Iterable[Mapping[str, Any]],
    incident: Incident,
    *,
    made_by: str,
) -> tuple[tuple[FixHypothesis, ...], tuple[str, ...]]:
    """Return `own` with what a model added or ordered anew, and why parts of its answer were refused.

    Each part is an object with ``document`` (a fix document, or the ``fix_id`` of one of `own`),
    ``prior`` and ``reasoning``. It is data: what isn't valid by `prunella.fixes.parse`, aims at
    another site, or approves what only people may approve, is refused.
    """
    by_id = {str(item.document["fix_id"]): item for item in own}
    refused = []
    for number, part in enumerate(list(answer)[:MOST]):
        try:
            item = _of_model(part, by_id, incident, number, made_by)
        except (FixError, ValueError) as error:
            refused.append(f"fix {number + 1}: {error}"[:300])
        else:
            by_id[str(item.document["fix_id"])] = item
    ranked = sorted(by_id.values(), key=lambda item: -item.prior)
    return tuple(ranked[:MOST]), tuple(refused)


def _of_model(
    part: Mapping[str, Any],
    known: Mapping[str, FixHypothesis],
    incident: Incident,
    number: int,
    made_by: str,
) -> FixHypothesis:
    if not isinstance(part, Mapping):
        raise ValueError("no object")
    document, prior = part.get("document"), part.get("prior")
    reasoning = part.get("reasoning")
    if type(prior) not in (int, float) or not 0 <= prior <= 1:  # type: ignore[operator]
        raise ValueError(f"prior {prior!r:.40} is no number from 0 to 1")
    chance = min(float(prior), MODEL_CEILING)  # type: ignore[arg-type]
    text = reasoning[:1_000] if isinstance(reasoning, str) else ""
    if isinstance(document, str):
        if document not in known:
            raise ValueError(f"there is no fix {document!r:.60}")
        own = known[document]
        return _replaced(own, chance, f"{own.reasoning} {made_by}: {text}")
    if not isinstance(document, Mapping):
        raise ValueError("document is no object")
    target = {"sites": [incident.site_id], "error_codes": [incident.error_code]}
    fix_id = f"fix-{incident.incident_id.rpartition('_')[2]}-model-{number}"
    fix = parse({**document, "fix_id": fix_id, "target": target})
    if getattr(fix.config, "approved_non_idempotent", False):
        raise ValueError("approved_non_idempotent is for people to say")
    if _invents(fix.document()):
        raise ValueError("a value in place of a result is for people to say")
    return FixHypothesis(
        incident_id=incident.incident_id,
        title=fix.description[:80] or fix.fix_type,
        reasoning=text,
        document=fix.document(),
        prior=chance,
        made_by=made_by,
    )


def _invents(document: Mapping[str, Any]) -> bool:
    """Tell whether a fix makes up what the function would have returned."""
    config = document["config"]
    links = config.get("chain", ())
    return (
        any("constant" in link for link in links)
        or bool(config.get("error_map"))
        or config.get("on_fail") == "default"
    )


def _replaced(own: FixHypothesis, prior: float, reasoning: str) -> FixHypothesis:
    # What outcomes say weighs more than an opinion: it moves the estimate half-way.
    return replace(own, prior=(own.prior + prior) / 2, reasoning=reasoning)


def _hypothesis(
    incident: Incident,
    observed: Observed,
    draft: Draft,
    experience: Sequence[Experience],
    number: int,
) -> FixHypothesis:
    chance, helped, failed = posterior(
        incident.error_code, draft.fix_type, observed.site.kind, experience
    )
    document: dict[str, Any] = {
        "fix_id": f"fix-{incident.incident_id.rpartition('_')[2]}-{draft.fix_type}-{number}",
        "fix_type": draft.fix_type,
        "target": {"sites": [incident.site_id], "error_codes": [incident.error_code]},
        "incident_id": incident.incident_id,
        "description": draft.title,
        "confidence": round(chance, 3),
        "config": draft.config,
    }
    if draft.fix_type not in ("retry", "fallback"):  # the others don't act on errors
        document["target"] = {"sites": [incident.site_id]}
    return FixHypothesis(
        incident_id=incident.incident_id,
        title=draft.title,
        reasoning=f"{draft.reasoning} {_experience(helped, failed)}",
        document=parse(document).document(),
        prior=chance,
        helped=helped,
        failed=failed,
    )


def _experience(helped: int, failed: int) -> str:
    if not helped + failed:
        return "No such fix was tried before; the chance is the template's."
    return f"Of {helped + failed} such fixes before, {helped} helped."


# --- the templates' drafts


def _nothing(_code: str, _observed: Observed) -> Iterator[Draft]:
    return iter(())


def _retry(code: str, observed: Observed) -> Iterator[Draft]:
    retry_on = [] if CODES[code].transient else [code]
    recoveries = recoveries_s(observed)
    if retry_on:
        yield _ask_again(observed, retry_on)
        return
    if len(recoveries) < ENOUGH:
        config = {"retry_on": retry_on, **_budget(observed, 3)}
        reason = (
            f"{code} is transient; {len(recoveries)} recoveries are recorded, too few to fit the "
            "waits to, so that they are the usual ones."
        )
        yield Draft("retry", "retry with backoff", config, reason)
        return
    first_s = min(max(usual(recoveries) / 2, 0.05), _LONGEST_DELAY_MS / 1_000)
    covered_s = quantile(recoveries, _COVERED)
    retries, waited_s = 1, first_s
    while waited_s < covered_s and retries < 5:
        waited_s += first_s * 2**retries
        retries += 1
    attempts_s = quantile(durations_s(observed.passing), 0.99) * (retries + 1)
    config = {
        "max_retries": retries,
        "initial_delay_ms": round(first_s * 1_000),
        "exponential_base": 2.0,
        "max_delay_ms": _LONGEST_DELAY_MS,
        # Full jitter halves the waits on average.
        "jitter": waited_s / 2 >= covered_s,
        "retry_on": retry_on,
        "deadline_ms": round((waited_s + attempts_s) * 2_000) + 1_000,
        **_budget(observed, retries),
    }
    reason = (
        f"After {len(recoveries)} recorded failures the site worked again within "
        f"{usual(recoveries):.2f} s in half of the cases, {covered_s:.2f} s in nine of ten; "
        f"{retries} retries wait {waited_s:.2f} s together."
    )
    yield Draft("retry", "retry with backoff", config, reason)


def _ask_again(observed: Observed, retry_on: list[str]) -> Draft:
    failed = observed.failed_ratio
    retries = 2 if failed is None else retries_for(failed, most=4)
    config = {
        "max_retries": retries,
        "initial_delay_ms": 200,
        "retry_on": retry_on,
        **_budget(observed, retries),
    }
    reason = "The same question may get a usable answer."
    if failed is not None:
        reason += f" {failed:.0%} of the site's calls failed: with {retries} further tries"
        reason += f" {failed ** (retries + 1):.0%} would, if each fails anew."
    return Draft("retry", "ask again", config, reason)


def _budget(observed: Observed, retries: int) -> dict[str, Any]:
    budget = budget_for(observed.failed_ratio, retries)
    return {"budget": budget} if budget else {}


def _parameter(code: str, observed: Observed) -> Iterator[Draft]:
    if code.endswith("TIMEOUT") or code == "SYS.TIME.DEADLINE":
        yield from _longer_timeout(observed)
    elif code in ("LLM.LIMIT.OUTPUT", "OUTPUT.JSON.TRUNCATED"):
        yield from _scaled(observed, "max_tokens", 2.0, "The answer was cut off at its limit.")
    elif code == "LLM.LIMIT.CONTEXT":
        reason = "Prompt and answer share the context: a shorter answer leaves it more room."
        yield from _scaled(observed, "max_tokens", 0.5, reason)


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


def _scaled(observed: Observed, role: str, factor: float, reason: str) -> Iterator[Draft]:
    name = observed.role(role)
    values = values_of(observed.failing, name) if name else []
    if values and all(type(item) is int for item in values):
        title = f"{'raise' if factor > 1 else 'lower'} {name}"
        yield Draft("parameter", title, {"scale": {name: factor}}, reason)


def _guard(_code: str, observed: Observed) -> Iterator[Draft]:
    for name, low, high, failing in outliers(observed):
        config = {
            "stage": "input",
            "parameter": name,
            "check": {"range": {"min": low, "max": high}},
            "on_fail": "clamp",
        }
        reason = (
            f"All {len(failing)} failing calls had {name} outside {low:g} to {high:g}, where all of "
            f"{len(observed.passing)} passing calls had it ({name} = {render(failing[0])})."
        )
        yield Draft("guard", f"keep {name} within {low:g} to {high:g}", config, reason)


def _fallback(_code: str, observed: Observed) -> Iterator[Draft]:
    for other in siblings(observed)[:2]:
        config: dict[str, Any] = {"chain": [{"site": other.site_id}]}
        reason = f"{other.site_id} is of the same kind and takes the same parameters."
        yield Draft("fallback", f"fall back to {other.qualname}", config, reason)
    ratio = repeats_ratio(observed.passing)
    if len(observed.passing) >= ENOUGH and ratio >= _WORTH_REMEMBERING:
        config = {"chain": [{"last_good": {"max_age_s": 300.0}}]}
        reason = f"{ratio:.0%} of the recorded calls repeat others' arguments."
        yield Draft("fallback", "fall back to the last good value", config, reason)


_DRAFTERS: Mapping[str, Callable[[str, Observed], Iterator[Draft]]] = {
    "retry": _retry,
    "parameter": _parameter,
    "guard": _guard,
    "fallback": _fallback,
}
