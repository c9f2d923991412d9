"""Templates of guards on what others answered: a function that failed on an answer returned nothing."""

from collections.abc import Iterator
from typing import Any

from prunella.fixes.checks import converted, problem
from prunella.fixes.configs import Check
from prunella.fixes.patterns import TooMuch
from prunella.propose.fix_drafts.draft import Draft
from prunella.propose.fix_drafts.language import shared_keys
from prunella.propose.fix_fitting import ENOUGH, Asked, Observed

#: Keys that a check asks for, at most.
_MOST_KEYS = 20


def answer_guards(code: str, observed: Observed) -> Iterator[Draft]:
    """Yield guards on the answers that failing calls got, and no passing call did."""
    if not code.startswith("OUTPUT."):
        return
    for asked in observed.asked:
        answers = [call.result for call in asked.passing]
        bad = [call.result for call in asked.failing]
        if len(answers) < ENOUGH or not bad:
            continue
        if not all(isinstance(answer, str) for answer in (*answers, *bad)):
            continue
        keys = shared_keys(answers)[:_MOST_KEYS]
        check = Check(format="json", schema={"type": "object", "required": keys} if keys else None)
        failing = [answer for answer in bad if _fails(check, answer)]
        if failing and not any(_fails(check, answer) for answer in answers):
            yield _draft(asked, check, keys, failing)


def _draft(asked: Asked, check: Check, keys: list[str], failing: list[Any]) -> Draft:
    site = asked.site
    holds_it = all(_can_be_converted(check, answer) for answer in failing)
    on_fail = "coerce" if holds_it else "reask"
    what = f"a JSON object with {', '.join(map(repr, keys[:5]))}" if keys else "JSON"
    reason = (
        f"All {len(asked.passing)} answers of {site.site_id} that calls passed with were {what}; "
        f"{len(failing)} of {len(asked.failing)} that calls failed with were not. "
    )
    reason += (
        "Each of these holds it, among other words."
        if holds_it
        else "Asked again, with what is wrong, it may answer better."
    )
    config: dict[str, Any] = {"stage": "output", "check": {"format": "json"}, "on_fail": on_fail}
    if check.schema is not None:
        config["check"]["schema"] = check.schema
    if on_fail == "reask":
        config["max_reasks"] = 2
    title = (
        f"{'take the JSON out of' if holds_it else 'ask again after'} what {site.qualname} answers"
    )
    return Draft("guard", title[:80], config, reason, site.site_id)


def _fails(check: Check, answer: Any) -> bool:
    try:
        return bool(problem(check, answer))
    except TooMuch:
        return False


def _can_be_converted(check: Check, answer: Any) -> bool:
    try:
        return not problem(check, converted(check, answer))
    except (ValueError, TooMuch):
        return False
