"""Whether any fix of a plan would act on a call: asked before the interpreter is set up.

Most calls meet no trigger. For them the questions that fixes ask are all there is to pay; only where
one of them is answered with yes, or can't be answered, the interpreter takes over and asks again.
"""

from collections.abc import Callable
from typing import Any

from prunella.fixes import changes
from prunella.fixes.arguments import get
from prunella.fixes.checks import problem
from prunella.fixes.configs import Guard, Parameter, Prompt, Routing, Tool
from prunella.fixes.guarding import limited, place_in
from prunella.fixes.plan import Installed, Plan
from prunella.fixes.steps import SiteView

Question = Callable[[Any], object]
"""Of the arguments before the call, or of its result: truthy where the fix would act."""


class Calm:
    """The questions of one plan."""

    def __init__(self, plan: Plan) -> None:
        site = plan.site
        self._before = _all(plan, lambda each: _before(each, site))
        self._after = _all(plan, _after)
        #: No fix asks about the arguments.
        self.asks_nothing_before = not self._before
        is_async = site.shape in ("async", "async_generator")
        #: No call is calm where its time is to be limited.
        self.is_possible = not any(
            isinstance(each.fix.config, Tool) and each.fix.config.timeout_ms is not None
            for each in plan.installed
        ) or (not is_async)

    def before(self, arguments: dict[str, Any]) -> bool:
        """Tell whether no fix would change, send on or reject a call with these arguments."""
        return not _any(self._before, arguments)

    def after(self, result: Any) -> bool:
        """Tell whether no fix would change or reject this result."""
        return not _any(self._after, result)


Questions = tuple[tuple[Installed, Question], ...]


def _all(plan: Plan, asked: Callable[[Installed], Question | None]) -> Questions:
    return tuple(
        (each, question) for each in plan.installed if (question := asked(each)) is not None
    )


def _any(questions: Questions, value: Any) -> bool:
    for installed, question in questions:
        try:
            if installed.is_on and question(value):
                return True
        except Exception:  # noqa: BLE001 - the interpreter asks again, and counts the fault
            return True
    return False


def _before(installed: Installed, site: SiteView) -> Question | None:
    config = installed.fix.config
    if isinstance(config, Parameter):
        return lambda arguments: changes.by_parameter(config, site, arguments)
    if isinstance(config, Prompt):
        return lambda arguments: changes.by_prompt(config, site, arguments)
    if isinstance(config, Tool):
        return lambda arguments: changes.by_tool(config, site, arguments)
    if isinstance(config, Routing):
        return lambda arguments: changes.destination(config, site, arguments)
    if isinstance(config, Guard) and config.stage == "input":
        name = config.parameter or ""
        return lambda arguments: problem(config.check, get(site, arguments, name))
    return None


def _after(installed: Installed) -> Question | None:
    config = installed.fix.config
    if isinstance(config, Guard) and config.stage == "output":
        return lambda result: problem(config.check, place_in(result, config.path))
    if isinstance(config, Tool) and (limit := config.result_limit) is not None:
        return lambda result: limited(limit, result) is not result
    return None
