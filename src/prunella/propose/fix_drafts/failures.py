"""Templates of fixes that act after a failure: call again, or let something else answer."""

from collections.abc import Iterator
from typing import Any

from prunella.propose.fix_drafts.draft import Draft
from prunella.propose.fix_fitting import (
    ENOUGH,
    Observed,
    budget_for,
    durations_s,
    quantile,
    recoveries_s,
    repeats_ratio,
    retries_for,
    siblings,
    usual,
)
from prunella.taxonomy import CODES

#: Share of the recoveries that all retries together wait for.
_COVERED = 0.9
_LONGEST_DELAY_MS = 30_000
#: Share of calls that repeat others' inputs from which remembered results are worth it.
_WORTH_REMEMBERING = 0.3


def retries(code: str, observed: Observed) -> Iterator[Draft]:
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


def fallbacks(_code: str, observed: Observed) -> Iterator[Draft]:
    for other in siblings(observed)[:2]:
        config: dict[str, Any] = {"chain": [{"site": other.site_id}]}
        reason = f"{other.site_id} is of the same kind and takes the same parameters."
        yield Draft("fallback", f"fall back to {other.qualname}", config, reason)
    ratio = repeats_ratio(observed.passing)
    if len(observed.passing) >= ENOUGH and ratio >= _WORTH_REMEMBERING:
        config = {"chain": [{"last_good": {"max_age_s": 300.0}}]}
        reason = f"{ratio:.0%} of the recorded calls repeat others' arguments."
        yield Draft("fallback", "fall back to the last good value", config, reason)
