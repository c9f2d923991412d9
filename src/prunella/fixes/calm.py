"""What the fixes of a plan do about a call, asked before the interpreter is set up.

Most calls meet no trigger. For them the questions that fixes ask are all there is to pay. Where a
single fix acts on a call before it is made, and what it changes is known at once, the answer is the
changed call. Only where several would act, or a question can't be answered, the interpreter takes
over and asks again.

The questions are put together when a plan is made: each knows where its argument stands in a call, so
that nobody has to name all arguments for one of them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from prunella.fixes import changes
from prunella.fixes.arguments import get, place_of, put
from prunella.fixes.checks import problem
from prunella.fixes.configs import Guard, Parameter, Prompt, Routing, Tool
from prunella.fixes.fallback import visited
from prunella.fixes.guarding import limited, place_in, repaired
from prunella.fixes.plan import Installed, Plan
from prunella.fixes.steps import SiteView
from prunella.fixes.touching import Makes, Touches, fails, made_by_parameter, made_by_tool
from prunella.model.interruption import pass_on

Arguments = dict[str, Any]
Passed = tuple[Sequence[Any], dict[str, Any]]
"""The arguments of a call as the site's wrapper makes it, by position and by name."""
Changed = tuple[Sequence[Any], dict[str, Any], str, Installed | None]
"""The arguments as a fix has changed them, what it did in words, and the fix."""
Ask = Callable[[tuple[Any, ...], dict[str, Any]], Changed | None]
"""Of a call: how the fix changes it, ``None`` where it leaves it alone."""

#: Instead of a changed call: the interpreter has to be asked.
UNSURE: Changed = ((), {}, "the interpreter has to be asked", None)


class Passing(NamedTuple):
    """How a site's wrapper passes arguments on."""

    #: The arguments of such a call by name, and back.
    named: Callable[[tuple[Any, ...], dict[str, Any]], Arguments]
    unnamed: Callable[[Arguments], Passed]
    #: How many are passed by position.
    positional: int


class Calm:
    """The questions of one plan."""

    def __init__(self, plan: Plan, passing: Passing) -> None:
        #: Tells of a call how it is changed before it is made, `UNSURE` where the interpreter has to
        #: say, ``None`` if no fix would change, send on or reject it. Raises nothing. Is itself
        #: ``None`` where no fix asks.
        self.before: Ask | None = None
        #: Tells of a result whether no fix would change or reject it; ``None``: none asks.
        self.after: Callable[[Any], bool] | None = None
        found = [(each, _Asking(each, plan.site, passing).ask()) for each in plan.installed]
        before = [(each, ask) for each, ask in found if ask is not None]
        after = [(each, asks) for each in plan.installed if (asks := _after(each)) is not None]
        #: The time of any call is to be limited from outside, so that none is calm.
        self.is_timed = plan.site.shape == "async" and any(map(_is_timed, plan.installed))
        if self.is_timed:
            self.before = lambda _args, _kwargs: UNSURE
        elif len(before) == 1:
            self.before = _asked_alone(*before[0])
        elif before:
            self.before = _asked_of_several(before)
        if after:
            self.after = _calm_after(after)


def _is_timed(installed: Installed) -> bool:
    config = installed.fix.config
    return isinstance(config, Tool) and config.timeout_ms is not None


def _asked_alone(installed: Installed, ask: Ask) -> Ask:
    def before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
        try:
            return ask(args, kwargs) if installed.is_on else None
        except Exception as error:  # noqa: BLE001 - the interpreter asks again, and counts the fault
            pass_on(error)
            return UNSURE

    return before


def _asked_of_several(asked: Sequence[tuple[Installed, Ask]]) -> Ask:
    """Return what asks all these fixes.

    One alone may act: on the call as it came in no other one would, nor on what that one makes of it.
    """
    asks = [_asked_alone(*each) for each in asked]

    def before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
        found = None
        for ask in asks:
            changed = ask(args, kwargs)
            if changed is not None:
                if found is not None or changed is UNSURE:
                    return UNSURE
                found = changed
        if found is not None:
            args, kwargs = tuple(found[0]), found[1]
            for each, ask in zip(asked, asks, strict=True):
                if each[0] is not found[3] and ask(args, kwargs) is not None:
                    return UNSURE
        return found

    return before


def _calm_after(asked: Sequence[tuple[Installed, Touches]]) -> Callable[[Any], bool]:
    def after(result: Any) -> bool:
        for installed, touches in asked:
            try:
                if installed.is_on and touches(result):
                    return False
            except Exception as error:  # noqa: BLE001 - as before the call
                pass_on(error)
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
    """Puts together what a fix asks of the calls of one site."""

    def __init__(self, installed: Installed, site: SiteView, passing: Passing) -> None:
        self._installed = installed
        self._site = site
        self._passing = passing

    def ask(self) -> Ask | None:
        """Return what the fix asks of a call, ``None`` for one that looks at how calls end."""
        config, site = self._installed.fix.config, self._site
        if isinstance(config, Parameter):
            return self._of_parameter(config)
        if isinstance(config, Tool):
            made = list(made_by_tool(config, site))
            if not made:
                return None
            return self._at_places(made) or self._by_names(
                lambda named: changes.by_tool(config, site, named)
            )
        if isinstance(config, Guard) and config.stage == "input":
            return self._of_guard(config)
        if isinstance(config, Prompt):
            return self._by_names(lambda named: changes.by_prompt(config, site, named))
        if isinstance(config, Routing):
            return self._of_routing(config)
        return None

    def _of_parameter(self, config: Parameter) -> Ask:
        try:
            acts = self._at_places(made_by_parameter(config, self._site))
        except LookupError:  # nothing stands there to be restored: the interpreter finds that out
            acts = None
        unless = [(self._key(name), fails(check)) for name, check in config.when.items()]
        places = [(key, touches) for key, touches in unless if key is not None]
        if acts is None or len(places) < len(unless):
            return self._by_names(lambda named: changes.by_parameter(config, self._site, named))
        return _unless(places, acts) if places else acts

    def _of_guard(self, config: Guard) -> Ask:
        name = config.parameter or ""
        key, touches = self._key(name), fails(config.check)
        site, installed, (named, unnamed, _) = self._site, self._installed, self._passing

        def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
            if key is not None and not touches(args[key] if isinstance(key, int) else kwargs[key]):
                return None
            given = named(args, kwargs)
            value = get(site, given, name)
            reason = problem(config.check, value)
            if not reason:
                return None
            changed = put(site, given, name, repaired(config, value))
            return (*unnamed(changed), f"{config.on_fail}: {name}: {reason}", installed)

        return ask

    def _of_routing(self, config: Routing) -> Ask:
        site, installed, (named, unnamed, _) = self._site, self._installed, self._passing

        def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
            given = named(args, kwargs)
            goal = changes.destination(config, site, given)
            if goal is None:
                return None
            if goal.model is None or visited.get():
                return UNSURE
            changed = put(site, given, "model", goal.model)
            return (*unnamed(changed), f"routed to {goal.model}", installed)

        return ask

    def _by_names(self, change: Callable[[Arguments], Arguments | None]) -> Ask:
        installed, (named, unnamed, _) = self._installed, self._passing

        def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
            given = named(args, kwargs)
            changed = change(given)
            if changed is None:
                return None
            return (*unnamed(changed), f"changed {changes.names_of(given, changed)}", installed)

        return ask

    def _at_places(self, made: Iterable[tuple[str, Makes]]) -> Ask | None:
        """Return how these arguments are changed.

        ``None`` where one is inside ``**kwargs``, or is asked for twice: what the first question
        would change, the second would have to see.
        """
        found: dict[int, tuple[int | str, Makes, str]] = {}
        for name, makes in made:
            key = self._key(name)
            parameter = self._site.parameters[key] if isinstance(key, int) else key or ""
            order = self._site.parameters.index(parameter) if parameter else -1
            if key is None or order in found:
                return None
            found[order] = (key, makes, parameter)
        parts = [found[order] for order in sorted(found)]
        if len(parts) == 1 and isinstance(parts[0][0], int):
            return _at_one(parts[0][0], parts[0][1], f"changed {parts[0][2]}", self._installed)
        return _at_several(parts, self._installed)

    def _key(self, name: str) -> int | str | None:
        """Return where an argument stands in a call; ``None`` for one inside ``**kwargs``."""
        place = place_of(self._site, name)
        if place is None or place[1]:
            return None
        index = self._site.parameters.index(place[0])
        return index if index < self._passing.positional else place[0]


def _at_one(at: int, makes: Makes, what: str, installed: Installed) -> Ask:
    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
        value = args[at]
        made = makes(value)
        if made is value:
            return None
        changed = [*args]
        changed[at] = made
        return changed, kwargs, what, installed

    return ask


def _at_several(parts: Sequence[tuple[int | str, Makes, str]], installed: Installed) -> Ask:
    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
        changed, named, names = [*args], kwargs, []
        for key, makes, name in parts:
            value = args[key] if isinstance(key, int) else kwargs[key]
            made = makes(value)
            if made is value:
                continue
            names.append(name)
            if isinstance(key, int):
                changed[key] = made
            else:
                named = {**named, key: made}
        return (changed, named, f"changed {', '.join(names)}", installed) if names else None

    return ask


def _unless(fail: Sequence[tuple[int | str, Touches]], acts: Ask) -> Ask:
    """Return what asks `acts` only of calls whose arguments pass these checks."""

    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Changed | None:
        for key, fails_check in fail:
            if fails_check(args[key] if isinstance(key, int) else kwargs[key]):
                return None
        return acts(args, kwargs)

    return ask
