"""Retry: the function is called again after a failure that may pass."""

from contextlib import suppress

from prunella.fixes.budgets import Layers, layers, mark_retried, retries_below
from prunella.fixes.configs import Retry
from prunella.fixes.plan import Installed
from prunella.fixes.retry_after import retry_after_s
from prunella.fixes.run import Run, is_healable, names_error
from prunella.fixes.steps import Attempt, Healing, Outcome, Sleep


def is_for(run: Run, installed: Installed, error: BaseException, on: tuple[str, ...]) -> bool:
    """Tell whether a retry or fallback acts on an error: its target names it, and so does `on`.

    With an empty `on`, retries are for what the taxonomy calls transient, and fallbacks for what
    the target names or else the taxonomy says that they heal.
    """
    if not is_healable(error):
        return False
    info = run.code_of(error)
    codes = installed.fix.target.error_codes
    if codes and not names_error(codes, error, info.code):
        return False
    if on:
        return names_error(on, error, info.code)
    if installed.fix.fix_type == "fallback":
        return bool(codes) or "fallback" in info.healable_by
    return info.transient


def retry(run: Run, installed: Installed, config: Retry, outcome: Outcome) -> Healing:
    """Call again until it works, or one of the limits is reached; return the last outcome.

    The limits: the retries of the fix and those left to all layers around and below, the deadline,
    the budgets of the site and of the process, and the longest wait a server may ask for.
    """
    error = outcome.error
    if error is None or not is_for(run, installed, error, config.retry_on):
        return outcome
    below = retries_below(error, run.began_s)
    around = layers.get()
    allowed = min(config.max_retries - below, config.max_retries if around is None else around.left)
    if allowed <= 0:
        run.skipped(installed, f"layers above or below have retried already ({below} below)")
        return outcome
    if not run.meets(installed, f"retry after {type(error).__name__}", error=error):
        return outcome
    shared = Layers(allowed) if around is None else around
    token = layers.set(shared)
    made = 0
    try:
        while made < allowed and shared.left > 0:
            wait_s = _wait_s(run, installed, config, made, error)
            if wait_s is None:
                break
            shared.left -= 1
            made += 1
            slept = yield Sleep(wait_s)
            if slept.error is not None:
                return slept  # called off while it waited
            outcome = run.paid((yield Attempt(run.arguments, _left_s(run, config), _always)))
            run.acted(installed, f"retry {made} after {wait_s:.3f} s")
            if outcome.error is None or not is_for(run, installed, outcome.error, config.retry_on):
                break
            error = outcome.error
    finally:
        with suppress(ValueError):  # closed in another context, whose layers are its own
            layers.reset(token)
    if outcome.error is not None:
        mark_retried(outcome.error, made + below, run.world.clock_s())
    return outcome


def _left_s(run: Run, config: Retry) -> float:
    return max(config.deadline_ms / 1_000 - (run.world.clock_s() - run.began_s), 0.0)


def _always() -> bool:
    """The deadline ends a retry, whatever else holds."""
    return True


def _wait_s(
    run: Run, installed: Installed, config: Retry, made: int, error: BaseException
) -> float | None:
    """Return the wait before the next retry, ``None`` where there may be none; take its tokens."""
    most_s = config.max_delay_ms / 1_000
    wait_s = min(most_s, config.initial_delay_ms / 1_000 * config.exponential_base**made)
    if config.jitter:
        wait_s *= run.world.random()
    asked_s = retry_after_s(error, run.world.now())
    if asked_s is not None:
        if asked_s > most_s:
            run.skipped(installed, f"the server asks for {asked_s:.0f} s, more than max_delay_ms")
            return None
        wait_s = max(wait_s, asked_s)
    now_s = run.world.clock_s()
    if now_s + wait_s - run.began_s >= config.deadline_ms / 1_000:
        run.skipped(installed, "the deadline would have passed")
        return None
    bucket = installed.bucket(run.site.site_id, now_s)
    calls = run.plan.take_calls()
    bucket.calls += calls
    run.world.budget.calls += calls
    if not bucket.take(now_s):
        run.skipped(installed, "the site's retry budget is spent")
        return None
    if not run.world.budget.take(now_s):
        bucket.give_back()
        run.skipped(installed, "the process's retry budget is spent")
        return None
    run.world.meter.noted(installed.fix_id, "added_s", repr(wait_s))
    return wait_s
