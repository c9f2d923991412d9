"""Guards: what goes into a call, or comes out of it, is checked, and put right or rejected."""

from typing import Any

from prunella.fixes.arguments import get, put
from prunella.fixes.changes import asked_again
from prunella.fixes.checks import clamped, converted, problem
from prunella.fixes.configs import Guard, ResultLimit
from prunella.fixes.fields import ABSENT
from prunella.fixes.plain import copied
from prunella.fixes.plan import Installed
from prunella.fixes.run import Run
from prunella.fixes.steps import Attempt, Healing, Outcome
from prunella.model.errors import GuardRejected


class _NoRepair(Exception):
    """A value can't be put right; the message goes on from what is wrong with it."""


def guard_input(run: Run, installed: Installed, config: Guard) -> Outcome | None:
    """Check an argument; put it right in `run`, or return the rejection of the call."""
    name = config.parameter or ""
    value = get(run.site, run.arguments, name)
    reason = problem(config.check, value)
    if not reason or not run.meets(installed, f"{config.on_fail}: {name}: {reason}"):
        return None
    try:
        found = repaired(config, value)
    except _NoRepair as error:
        return _rejected(run, installed, f"{name}: {reason}{error}")
    run.arguments = put(run.site, run.arguments, name, found)
    run.acted(installed, f"{config.on_fail}: {name}: {reason}", altered=True)
    return None


def guard_output(run: Run, installed: Installed, config: Guard, outcome: Outcome) -> Healing:
    """Check a result; return it put right, or its rejection."""
    value = place_in(outcome.value, config.path)
    reason = problem(config.check, value)
    acts = bool(reason) and run.meets(installed, f"{config.on_fail}: result: {reason}")
    if not acts:
        if acts is False and reason:
            run.stands(installed)
        return outcome
    if config.on_fail == "reask":
        return (yield from _reask(run, installed, config, reason))
    try:
        found = _replaced(outcome.value, config.path, repaired(config, value))
    except _NoRepair as error:
        return _rejected(run, installed, f"result: {reason}{error}")
    degraded = config.on_fail == "default"
    run.acted(installed, f"{config.on_fail}: result: {reason}", altered=True, degraded=degraded)
    return Outcome(found)


def _reask(run: Run, installed: Installed, config: Guard, reason: str) -> Healing:
    for number in range(config.max_reasks):
        outcome = run.paid((yield Attempt(asked_again(run.site, run.arguments, reason))))
        run.acted(installed, f"reask {number + 1}: {reason}", altered=True)
        if outcome.error is not None:
            return outcome
        reason = problem(config.check, place_in(outcome.value, config.path))
        if not reason:
            return outcome
    return _rejected(run, installed, f"result: {reason} (asked {config.max_reasks} times more)")


def repaired(config: Guard, value: Any) -> Any:
    """Return what takes the place of a value that failed its check; raises `_NoRepair`."""
    if config.on_fail == "default":
        return copied(config.default)
    try:
        if config.on_fail == "clamp" and config.check.range is not None:
            found = clamped(config.check.range, value)
        elif config.on_fail == "coerce":
            found = converted(config.check, value)
        else:
            raise _NoRepair("")
    except ValueError as error:
        raise _NoRepair(f" ({error})") from None
    still = problem(config.check, found)
    if still:
        raise _NoRepair(f", and after {config.on_fail} {still}")
    return found


def _rejected(run: Run, installed: Installed, reason: str) -> Outcome:
    run.acted(installed, f"reject: {reason}", altered=True)
    return Outcome(error=GuardRejected(installed.fix_id, run.site.site_id, reason))


def place_in(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path inside a result, or `ABSENT`."""
    for step in path:
        if type(value) is dict:
            value = value.get(step, ABSENT)
        elif type(value) in (list, tuple) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value


def _replaced(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """Return a copy of the result with another value at a path; raises `_NoRepair`."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if type(value) is dict and (rest == () or step in value):
        return {**value, step: _replaced(value.get(step), rest, new)}
    if type(value) is list and step.isdecimal() and int(step) < len(value):
        at = int(step)
        return [*value[:at], _replaced(value[at], rest, new), *value[at + 1 :]]
    raise _NoRepair(f" (it has no place {step!r})")


def limited(config: ResultLimit, value: Any) -> Any:
    """Return a result cut to its limit, or the result itself."""
    if config.max_chars is not None and type(value) is str and len(value) > config.max_chars:
        return value[: config.max_chars]
    most = config.max_items
    if most is not None and type(value) in (list, tuple) and len(value) > most:
        return value[:most]
    return value
