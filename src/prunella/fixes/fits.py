"""Whether a fix can act at a site at all: its parameters, its shape, whether it may repeat a call."""

from collections.abc import Iterator

from prunella.fixes.arguments import place_of
from prunella.fixes.configs import Fallback, Guard, Parameter, Prompt, Retry, Routing, Tool
from prunella.fixes.document import Fix, Target
from prunella.fixes.steps import STREAMS, SiteView

_PROMPT_ROLES = ("system", "messages", "prompt")


def is_aimed_at(target: Target, site: SiteView, environment: str) -> bool:
    """Tell whether a target names this site, in this environment."""
    if target.environments and environment not in target.environments:
        return False
    return not target.sites or any(_names(name, site) for name in target.sites)


def _names(name: str, site: SiteView) -> bool:
    if name.endswith("*"):
        return site.site_id.startswith(name[:-1]) or site.name.startswith(name[:-1])
    return name in (site.site_id, site.name)


def misfit(fix: Fix, site: SiteView) -> str:
    """Return in words why a fix can't act at a site, ``""`` if it can."""
    return next(_misfits(fix, site), "")


def _misfits(fix: Fix, site: SiteView) -> Iterator[str]:
    config = fix.config
    for name in _names_used(fix, site):
        if place_of(site, name) is None:
            yield f"it has no parameter {name!r}"
    repeats = isinstance(config, Retry) or (isinstance(config, Guard) and config.on_fail == "reask")
    if repeats and not (site.idempotent or getattr(config, "approved_non_idempotent", False)):
        yield (
            "it isn't declared idempotent (idempotent=True), and nobody approved that it is "
            "repeated (approved_non_idempotent)"
        )
    if isinstance(config, Prompt) and not any(role in site.roles for role in _PROMPT_ROLES):
        yield "it has no parameter for messages, a system message or a prompt"
    if site.shape in STREAMS and _needs_a_result(fix):
        yield "its result is a stream"


def _needs_a_result(fix: Fix) -> bool:
    """Tell whether the fix checks, changes or gives a result, which a stream never is."""
    config = fix.config
    if isinstance(config, Guard):
        return config.stage == "output"
    if isinstance(config, Fallback):
        return any(link.site is None and link.model is None for link in config.chain)
    return isinstance(config, Tool) and (config.result_limit is not None or bool(config.error_map))


def _names_used(fix: Fix, site: SiteView) -> Iterator[str]:
    config = fix.config
    if fix.target.sticky_key is not None:
        yield fix.target.sticky_key
    if isinstance(config, Guard):
        if config.stage == "input" and config.parameter is not None:
            yield config.parameter
    elif isinstance(config, Parameter):
        yield from (*config.drop, *config.set, *config.scale, *config.clamp, *config.when)
    elif isinstance(config, Tool):
        yield from (*config.arg_defaults, *config.coerce)
        if config.timeout_ms is not None and site.shape in ("sync", "generator"):
            yield "timeout"  # from outside, only what is asynchronous can be stopped
    elif isinstance(config, Routing):
        goals = [config.default, *(rule.to for rule in config.rules)]
        yield from (name for rule in config.rules for name in rule.when)
        yield from ("model" for goal in goals if goal.model is not None)
    elif isinstance(config, Fallback):
        yield from ("model" for link in config.chain if link.model is not None)
