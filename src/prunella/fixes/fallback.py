"""Fallback: something else answers in place of a call that failed, or whose target is down."""

from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from prunella.fixes.arguments import put
from prunella.fixes.configs import Fallback, Link
from prunella.fixes.plain import copied
from prunella.fixes.plan import Installed
from prunella.fixes.retry import is_for
from prunella.fixes.run import Run
from prunella.fixes.steps import Attempt, Healing, Invoke, Outcome, Unreachable

#: Sites that the present call was sent on from, by fallback or routing: it never comes back.
visited: ContextVar[tuple[str, ...]] = ContextVar("prunella_visited", default=())


def fall_back(run: Run, installed: Installed, config: Fallback, outcome: Outcome) -> Healing:
    """Return what the chain answers, or the failed outcome itself where nothing of it does."""
    error = outcome.error
    if error is None or not is_for(run, installed, error, config.on):
        return outcome
    if not run.meets(installed, f"fall back after {type(error).__name__}", error=error):
        return outcome
    found = yield from along_chain(run, installed, config)
    return found or outcome


def along_chain(run: Run, installed: Installed, config: Fallback) -> Any:
    """Return the outcome of the first link that answers, ``None`` if none does."""
    for hop, link in enumerate(config.chain[: config.max_hops]):
        target = link.site or (f"{run.site.site_id}@{link.model}" if link.model else "")
        circuit = installed.circuit(target) if target else None
        if circuit is not None and not circuit.allows(run.world.clock_s()):
            continue
        found = yield from _follow(run, installed, link)
        if circuit is not None:
            _tell(circuit, found, run.world.clock_s())
        if found is not None and found.error is None:
            run.acted(installed, f"link {hop} answered", degraded=True)
            return found
        if found is not None and not isinstance(found.error, Exception):
            return found  # called off
    return None


def _tell(circuit: Any, found: Outcome | None, now_s: float) -> None:
    if found is None or isinstance(found.error, Unreachable):
        circuit.gave_no_sign()
    elif found.error is None:
        circuit.succeeded()
    else:
        circuit.failed(now_s)


def _follow(run: Run, installed: Installed, link: Link) -> Any:
    if link.site is not None:
        return (yield from invoked(run, installed, link.site))
    if link.model is not None:
        changed = put(run.site, run.arguments, "model", link.model)
        return run.paid((yield Attempt(changed)))
    if link.last_good is not None:
        try:
            value = run.plan.memory.find(
                run.arguments, run.world.clock_s(), link.last_good.max_age_s
            )
        except LookupError as error:
            run.skipped(installed, str(error))
            return None
        return Outcome(value)
    return Outcome(copied(link.constant))


def invoked(run: Run, installed: Installed, site: str) -> Any:
    """Return the outcome of another site with this call's arguments, ``None`` if there is no way.

    A site that the call came through already is no way: fixes never send a call in circles.
    """
    path = visited.get()
    if site in path or site in (run.site.site_id, run.site.name):
        run.skipped(installed, f"{site} is where the call came from")
        return None
    token = visited.set((*path, run.site.site_id, run.site.name))
    try:
        found = run.paid((yield Invoke(site, run.arguments)))
    finally:
        with suppress(ValueError):  # closed in another context, whose path is its own
            visited.reset(token)
    if isinstance(found.error, Unreachable):
        run.skipped(installed, str(found.error))
        return None
    return found
