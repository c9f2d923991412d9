"""What the fixes of a plan do about a call, asked before the interpreter is set up.

Most calls meet no trigger. For them the questions that fixes ask are all there is to pay. Where a
single fix acts on a call before it is made, and what it changes is known at once, the answer is the
changed call. Only where several would act, or a question can't be answered, the interpreter takes
over and asks again.

The questions are put together when a plan is made: each knows where its argument stands among the
values of a call, so that nobody has to name all arguments for one of them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
Values = Sequence[Any]
"""The arguments of a call in the order of the parameters; ``*args`` a tuple, ``**kwargs`` a dict."""
Changed = tuple[Values, str, Any]
"""The arguments as a fix has changed them, what it did in words, and what stands for the fix."""
Ask = Callable[[Values], Changed | None]
"""Of a call: how a fix changes it, ``None`` where it leaves it alone."""

#: Instead of a changed call: the interpreter has to be asked.
UNSURE: Changed = ((), "the interpreter has to be asked", None)


def itself(installed: Installed) -> Any:
    """Let a fix stand for itself."""
    return installed


class Calm:
    """The questions of one plan.

    `standing` gives what stands for a fix in the answers, ``None`` where the interpreter has to be
    asked about each call on which it would act.
    """

    def __init__(self, plan: Plan, standing: Callable[[Installed], Any] = itself) -> None:
        #: Tells of a call how it is changed before it is made, `UNSURE` where the interpreter has to
        #: say, ``None`` if no fix would change, send on or reject it. Raises nothing. Is itself
        #: ``None`` where no fix asks.
        self.before: Ask | None = None
        #: Tells of a result whether no fix would change or reject it; ``None``: none asks.
        self.after: Callable[[Any], bool] | None = None
        asking = [_Asking(each, plan.site, standing(each)) for each in plan.installed]
        before = [ask for each in asking if (ask := each.ask()) is not None]
        after = [(each, asks) for each in plan.installed if (asks := _after(each)) is not None]
        #: The time of any call is to be limited from outside, so that none is calm.
        self.is_timed = plan.site.shape == "async" and any(map(_is_timed, plan.installed))
        if self.is_timed:
            self.before = lambda _values: UNSURE
        elif len(before) == 1:
            self.before = before[0]
        elif before:
            self.before = _asked_of_several(before)
        if after:
            self.after = _calm_after(after)


def _is_timed(installed: Installed) -> bool:
    config = installed.fix.config
    return isinstance(config, Tool) and config.timeout_ms is not None


def _asked_of_several(asks: Sequence[Ask]) -> Ask:
    """Return what asks all these questions, each of another fix.

    One fix alone may act: on the call as it came in no other one would, nor on what that one makes
    of it.
    """

    def before(values: Values) -> Changed | None:
        found = actor = None
        for ask in asks:
            changed = ask(values)
            if changed is not None:
                if found is not None or changed is UNSURE:
                    return UNSURE
                found, actor = changed, ask
        if found is not None:
            for ask in asks:
                if ask is not actor and ask(found[0]) is not None:
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

    def __init__(self, installed: Installed, site: SiteView, by: Any) -> None:
        self._installed = installed
        self._site = site
        #: What stands for the fix in answers.
        self._by = by

    def ask(self) -> Ask | None:
        """Return what the fix asks of a call, ``None`` for one that looks at how calls end.

        That raises nothing, and leaves calls alone while the fix is off.
        """
        ask = self._ask()
        if ask is None or self._by is not None:
            return ask
        return lambda values: None if ask(values) is None else UNSURE

    def _ask(self) -> Ask | None:
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
        unless = [(self._place(name), fails(check)) for name, check in config.when.items()]
        places = [(at, touches) for at, touches in unless if at is not None]
        if acts is None or len(places) < len(unless):
            return self._by_names(lambda named: changes.by_parameter(config, self._site, named))
        return _safe(self._installed, _unless(places, acts)) if places else acts

    def _of_guard(self, config: Guard) -> Ask:
        name, by = config.parameter or "", self._by
        at = self._place(name)
        if at is not None:
            return _safe(self._installed, _guarded_at(at, config, by))
        site, parameters = self._site, self._site.parameters

        def ask(values: Values) -> Changed | None:
            given = dict(zip(parameters, values, strict=True))
            value = get(site, given, name)
            reason = problem(config.check, value)
            if not reason:
                return None
            changed = put(site, given, name, repaired(config, value))
            return tuple(changed.values()), f"{config.on_fail}: {name}: {reason}", by

        return _safe(self._installed, ask)

    def _of_routing(self, config: Routing) -> Ask:
        site, by, parameters = self._site, self._by, self._site.parameters

        def ask(values: Values) -> Changed | None:
            given = dict(zip(parameters, values, strict=True))
            goal = changes.destination(config, site, given)
            if goal is None:
                return None
            if goal.model is None or visited.get():
                return UNSURE
            changed = put(site, given, "model", goal.model)
            return tuple(changed.values()), f"routed to {goal.model}", by

        return _safe(self._installed, ask)

    def _by_names(self, change: Callable[[Arguments], Arguments | None]) -> Ask:
        by, parameters = self._by, self._site.parameters

        def ask(values: Values) -> Changed | None:
            given = dict(zip(parameters, values, strict=True))
            changed = change(given)
            if changed is None:
                return None
            return tuple(changed.values()), f"changed {changes.names_of(given, changed)}", by

        return _safe(self._installed, ask)

    def _at_places(self, made: Iterable[tuple[str, Makes]]) -> Ask | None:
        """Return how these arguments are changed.

        ``None`` where one is inside ``**kwargs``, or is asked for twice: what the first question
        would change, the second would have to see.
        """
        found: dict[int, Makes] = {}
        for name, makes in made:
            at = self._place(name)
            if at is None or at in found:
                return None
            found[at] = makes
        names = self._site.parameters
        parts = [(at, found[at], names[at]) for at in sorted(found)]
        if len(parts) == 1:
            return _at_one(*parts[0], self._installed, self._by)
        return _safe(self._installed, _at_several(parts, self._by))

    def _place(self, name: str) -> int | None:
        """Return where an argument stands in a call; ``None`` for one inside ``**kwargs``."""
        place = place_of(self._site, name)
        return None if place is None or place[1] else self._site.parameters.index(place[0])


def _safe(installed: Installed, ask: Ask) -> Ask:
    """Return a question that raises nothing, of a fix that is on."""

    def safe(values: Values) -> Changed | None:
        try:
            return ask(values) if installed.is_on else None
        except Exception as error:  # noqa: BLE001 - the interpreter asks again, and counts the fault
            pass_on(error)
            return UNSURE

    return safe


def _at_one(at: int, makes: Makes, name: str, installed: Installed, by: Any) -> Ask:
    """Return what changes one argument, as `_safe` makes it: most fixes do no more."""
    what = f"changed {name}"

    def ask(values: Values) -> Changed | None:
        try:
            value = values[at]
            made = makes(value)
        except Exception as error:  # noqa: BLE001 - as in `_safe`
            pass_on(error)
            return UNSURE if installed.is_on else None
        if made is value or not installed.is_on:
            return None
        changed = [*values]
        changed[at] = made
        return changed, what, by

    return ask


def _at_several(parts: Sequence[tuple[int, Makes, str]], by: Any) -> Ask:
    def ask(values: Values) -> Changed | None:
        changed, names = [*values], []
        for at, makes, name in parts:
            value = values[at]
            made = makes(value)
            if made is not value:
                names.append(name)
                changed[at] = made
        return (changed, f"changed {', '.join(names)}", by) if names else None

    return ask


def _guarded_at(at: int, config: Guard, by: Any) -> Ask:
    touches, check = fails(config.check), config.check
    said = f"{config.on_fail}: {config.parameter}: "

    def ask(values: Values) -> Changed | None:
        value = values[at]
        if not touches(value):  # which is said faster than in words
            return None
        reason = problem(check, value)
        if not reason:
            return None
        changed = [*values]
        changed[at] = repaired(config, value)
        return changed, said + reason, by

    return ask


def _unless(fail: Sequence[tuple[int, Touches]], acts: Ask) -> Ask:
    """Return what asks `acts` only of calls whose arguments pass these checks."""

    def ask(values: Values) -> Changed | None:
        for at, fails_check in fail:
            if fails_check(values[at]):
                return None
        return acts(values)

    return ask
