"""Whether any fix of a plan would act on a call: asked before the interpreter is set up.

Most calls meet no trigger. For them the questions that fixes ask are all there is to pay; only where
one of them is answered with yes, or can't be answered, the interpreter takes over and asks again.

The questions are put together when a plan is made: each knows where its argument stands in a call, so
that nobody has to name all arguments for one of them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prunella.fixes import changes
from prunella.fixes.arguments import get, place_of
from prunella.fixes.checks import problem
from prunella.fixes.configs import Guard, Parameter, Prompt, Routing, Tool
from prunella.fixes.guarding import limited, place_in
from prunella.fixes.plan import Installed, Plan
from prunella.fixes.steps import SiteView
from prunella.fixes.touching import Touches, fails, touched_by_parameter, touched_by_tool

Named = Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any]]
"""The arguments by name of a call as the site's wrapper makes it."""
Ask = Callable[[tuple[Any, ...], dict[str, Any]], object]
"""Of such a call: truthy where the fix would act."""
IsCalm = Callable[[tuple[Any, ...], dict[str, Any]], bool]


class Calm:
    """The questions of one plan."""

    def __init__(self, plan: Plan, named: Named, positional: int) -> None:
        #: Tells of a call whether no fix would change, send on or reject it; ``None``: none asks.
        self.before: IsCalm | None = None
        #: Tells of a result whether no fix would change or reject it; ``None``: none asks.
        self.after: Callable[[Any], bool] | None = None
        asking = _Asking(plan.site, named, positional)
        before = [(each, ask) for each in plan.installed if (ask := asking.of(each)) is not None]
        after = [(each, asks) for each in plan.installed if (asks := _after(each)) is not None]
        #: The time of any call is to be limited from outside, so that none is calm.
        self.is_timed = plan.site.shape == "async" and any(map(_is_timed, plan.installed))
        if self.is_timed:
            self.before = lambda _args, _kwargs: False
        elif before:
            self.before = _calm_before(before)
        if after:
            self.after = _calm_after(after)


def _is_timed(installed: Installed) -> bool:
    config = installed.fix.config
    return isinstance(config, Tool) and config.timeout_ms is not None


def _calm_before(asked: Sequence[tuple[Installed, Ask]]) -> IsCalm:
    def before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        for installed, ask in asked:
            try:
                if installed.is_on and ask(args, kwargs):
                    return False
            except Exception:  # noqa: BLE001 - the interpreter asks again, and counts the fault
                return False
        return True

    return before


def _calm_after(asked: Sequence[tuple[Installed, Touches]]) -> Callable[[Any], bool]:
    def after(result: Any) -> bool:
        for installed, touches in asked:
            try:
                if installed.is_on and touches(result):
                    return False
            except Exception:  # noqa: BLE001 - as before the call
                return False
        return True

    return after


def _after(installed: Installed) -> Touches | None:
    config = installed.fix.config
    if isinstance(config, Guard) and config.stage == "output":
        touches, path = fails(config.check), config.path
        return (lambda result: touches(place_in(result, path))) if path else touches
    if isinstance(config, Tool) and (limit := config.result_limit) is not None:
        return lambda result: limited(limit, result) is not result
    return None


class _Asking:
    """Puts together what fixes ask of the calls of one site."""

    def __init__(self, site: SiteView, named: Named, positional: int) -> None:
        self._site = site
        self._named = named
        self._positional = positional

    def of(self, installed: Installed) -> Ask | None:
        """Return what a fix asks of a call, ``None`` for one that looks at how calls end."""
        config, site = installed.fix.config, self._site
        if isinstance(config, Parameter):
            return self._of_parameter(config)
        if isinstance(config, Tool):
            found = self._at_places(touched_by_tool(config, site))
            return found or self._by_names(lambda named: changes.by_tool(config, site, named))
        if isinstance(config, Guard) and config.stage == "input":
            name = config.parameter or ""
            found = self._at_places([(name, fails(config.check))])
            return found or self._by_names(lambda it: problem(config.check, get(site, it, name)))
        if isinstance(config, Prompt):
            return self._by_names(lambda named: changes.by_prompt(config, site, named))
        if isinstance(config, Routing):
            return self._by_names(lambda named: changes.destination(config, site, named))
        return None

    def _of_parameter(self, config: Parameter) -> Ask:
        try:
            acts = self._at_places(touched_by_parameter(config, self._site))
        except LookupError:  # nothing stands there to be restored: the interpreter finds that out
            acts = None
        unless = self._at_places([(name, fails(check)) for name, check in config.when.items()])
        if acts is None or (config.when and unless is None):
            return self._by_names(lambda named: changes.by_parameter(config, self._site, named))
        if unless is None:
            return acts
        return lambda args, kwargs: not unless(args, kwargs) and acts(args, kwargs)

    def _by_names(self, question: Callable[[dict[str, Any]], object]) -> Ask:
        named = self._named
        return lambda args, kwargs: question(named(args, kwargs))

    def _at_places(self, asked: Iterable[tuple[str, Touches]]) -> Ask | None:
        """Return whether any of these arguments is touched.

        ``None`` where one is inside ``**kwargs``, or is asked for twice: what the first question
        would change, the second would have to see.
        """
        found: dict[int | str, Touches] = {}
        for name, touches in asked:
            key = self._place(name)
            if key is None or key in found:
                return None
            found[key] = touches
        if not found:
            return None
        parts = [_at(key, touches) for key, touches in found.items()]
        if len(parts) == 1:
            return parts[0]
        return lambda args, kwargs: any(part(args, kwargs) for part in parts)

    def _place(self, name: str) -> int | str | None:
        place = place_of(self._site, name)
        if place is None or place[1]:
            return None
        index = self._site.parameters.index(place[0])
        return index if index < self._positional else place[0]


def _at(key: int | str, touches: Touches) -> Ask:
    if isinstance(key, int):
        return lambda args, _kwargs: touches(args[key])
    return lambda _args, kwargs: touches(kwargs[key])
