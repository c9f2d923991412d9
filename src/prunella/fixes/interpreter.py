"""The one interpreter of fixes: what happens around one call, step by step.

`interpret` is a generator without I/O. It yields what is to be done (`prunella.fixes.steps`) and is
sent how that ended; the SDK's drivers run it around real calls, offline validation around recorded
ones. Whatever goes wrong in a fix is counted and skipped; what the function raised is passed on as
data and comes out at the end.

The order: routing, parameter, prompt, tool and guard before the call; the call; after a failure
retry, fallback and the tool's error map; on a result the tool's limit and the guard.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from prunella.fixes import changes
from prunella.fixes.arguments import put
from prunella.fixes.configs import Fallback, Goal, Guard, Parameter, Prompt, Routing, Tool
from prunella.fixes.fallback import along_chain, fall_back, invoked, visited
from prunella.fixes.guarding import guard_input, guard_output, limited
from prunella.fixes.patterns import TooMuch
from prunella.fixes.plain import copied
from prunella.fixes.plan import Installed, Plan
from prunella.fixes.retry import is_for, retry
from prunella.fixes.run import Run, World, is_healable, names_error
from prunella.fixes.steps import STREAMS, Attempt, Healing, Outcome, Steps
from prunella.model.interruption import pass_on

_CHANGES: tuple[tuple[str, Any], ...] = (
    ("parameter", changes.by_parameter),
    ("prompt", changes.by_prompt),
    ("tool", changes.by_tool),
)


def interpret(
    plan: Plan,
    arguments: dict[str, Any],
    world: World,
    unit: Callable[[], str],
    *,
    began_s: float,
    first: Outcome | None = None,
) -> Steps:
    """Run the fixes of `plan` around one call.

    `arguments` are parameter name to value, `unit` names what the call is allocated by, `began_s`
    is when it began. `first` is the outcome of the first attempt where that was made already, which
    is right only where no fix would have acted before it (`prunella.fixes.calm`).
    """
    run = Run(plan, arguments, world, unit, began_s=began_s)
    outcome = before(run) if first is None else first
    return (yield from proceed(run, outcome, is_first=first is not None))


def proceed(run: Run, outcome: Outcome | None, *, is_first: bool) -> Steps:
    """Run the fixes of a call from the first attempt on.

    `outcome` is ``None`` where that is to be made, or what takes its place; `is_first` says that it
    is its own outcome.
    """
    if outcome is None:
        outcome = yield from _attempt(run)
    elif is_first:
        _tell_circuits(run, run.paid(outcome))
    if outcome.error is not None:
        outcome = yield from _after_failure(run, outcome)
    if outcome.error is None:
        outcome = yield from _after_success(run, outcome)
        if outcome.error is not None:  # a guard has rejected the result
            outcome = yield from _fall_back(run, outcome)
    return run.finish(outcome)


# --- before


def before(run: Run) -> Outcome | None:
    """Let fixes change the call; return an outcome where a guard rejects it."""
    of = run.plan.of
    for installed in of["routing"]:
        if installed.is_on and not run.has_met("routing"):
            run.safely(installed, _route, run, installed, installed.fix.config)
    for fix_type, change in _CHANGES:
        for installed in of[fix_type]:
            if installed.is_on and not run.has_met(fix_type):
                run.safely(installed, _change, run, installed, change)
    for installed in of["guard"]:
        config = installed.fix.config
        if not installed.is_on or not isinstance(config, Guard) or config.stage != "input":
            continue
        if not run.has_met("guard"):
            rejected = run.safely(installed, guard_input, run, installed, config)
            if rejected is not None:
                return rejected
    return None


def _route(run: Run, installed: Installed, config: Routing) -> None:
    if len(visited.get()) // 2 >= config.max_hops:
        run.skipped(installed, f"the call was sent on {config.max_hops} times already")
        return
    goal = changes.destination(config, run.site, run.arguments)
    if goal is None or not run.meets(installed, f"route to {_named(goal)}"):
        return
    if goal.model is not None:
        run.arguments = put(run.site, run.arguments, "model", goal.model)
    elif goal.site is not None:
        run.goal = goal.site
    run.acted(installed, f"routed to {_named(goal)}", altered=True)
    run.router = installed


def _named(goal: Goal) -> str:
    return goal.site or goal.model or "itself"


def _change(run: Run, installed: Installed, change: Any) -> None:
    config: Parameter | Prompt | Tool = installed.fix.config  # type: ignore[assignment]
    changed = change(config, run.site, run.arguments)
    if changed is None:
        return
    names = changes.names_of(run.arguments, changed)
    if run.meets(installed, f"change {names}"):
        run.arguments = changed
        run.acted(installed, f"changed {names}", altered=True)


# --- the call


def _attempt(run: Run) -> Healing:
    if run.goal and run.router is not None:
        found: Outcome | None = yield from invoked(run, run.router, run.goal)
        if found is not None:
            return found
    for installed in run.plan.active("fallback"):
        steps = _around_open_circuit(run, installed)
        answered: Outcome | None = yield from _guarded(run, installed, steps, None)
        if answered is not None:
            return answered
    outcome = run.paid((yield Attempt(run.arguments, *_time_limit(run))))
    _tell_circuits(run, outcome)
    return outcome


def _time_limit(run: Run) -> tuple[Any, ...]:
    if run.site.shape not in ("async", "async_generator"):
        return ()
    for installed in run.plan.active("tool"):
        config = installed.fix.config
        if isinstance(config, Tool) and config.timeout_ms is not None:
            limit_s = config.timeout_ms / 1_000
            return limit_s, partial(_exceeded, run, installed, limit_s)
    return ()


def _exceeded(run: Run, installed: Installed, limit_s: float) -> bool:
    """Tell whether a call that has taken this long is to be ended."""
    met = run.safely(installed, run.meets, installed, f"end it after {limit_s} s")
    if met:
        run.acted(installed, f"ended after {limit_s} s")
    return bool(met)


def _around_open_circuit(run: Run, installed: Installed) -> Any:
    """Return the chain's answer where the site counts as down; ``None`` to call it all the same."""
    config = installed.fix.config
    if not isinstance(config, Fallback):
        return None
    circuit = installed.circuit(run.site.site_id)
    if run.has_met("fallback") or circuit.allows(run.world.clock_s()):
        return None
    if not run.meets(installed, "fall back, because the site is down"):
        return None
    return (yield from along_chain(run, installed, config))


def _tell_circuits(run: Run, outcome: Outcome) -> None:
    if not run.plan.of["fallback"]:
        return
    wary = False
    for installed in run.plan.active("fallback"):
        config = installed.fix.config
        if not isinstance(config, Fallback) or installed.is_shadow:
            continue
        circuit = installed.circuit(run.site.site_id)
        error = outcome.error
        if error is None:
            circuit.succeeded()
        elif run.safely(installed, is_for, run, installed, error, config.on):
            circuit.failed(run.world.clock_s())
        else:
            circuit.gave_no_sign()
        wary = wary or circuit.failures > 0
    run.plan.is_wary = wary


# --- after a failure


def _after_failure(run: Run, outcome: Outcome) -> Healing:
    run.first_error = error = outcome.error
    if error is None or not is_healable(error):
        return outcome
    for installed in run.plan.active("retry"):
        if outcome.error is not None and not run.has_met("retry"):
            config: Any = installed.fix.config
            steps = retry(run, installed, config, outcome)
            outcome = yield from _guarded(run, installed, steps, outcome)
    outcome = yield from _fall_back(run, outcome)
    for installed in run.plan.active("tool"):
        if outcome.error is not None and is_healable(outcome.error):
            outcome = run.safely(installed, _mapped, run, installed, outcome) or outcome
    return outcome


def _fall_back(run: Run, outcome: Outcome) -> Healing:
    run.first_error = run.first_error or outcome.error
    for installed in run.plan.active("fallback"):
        if outcome.error is not None and not run.has_met("fallback"):
            config: Any = installed.fix.config
            steps = fall_back(run, installed, config, outcome)
            outcome = yield from _guarded(run, installed, steps, outcome)
    return outcome


def _guarded(run: Run, installed: Installed, steps: Any, otherwise: Any) -> Any:
    """Run a part of the interpretation; what goes wrong in it is the fix's fault."""
    try:
        return (yield from steps)
    except TooMuch as error:
        run.skipped(installed, str(error))
        return otherwise
    except Exception as error:  # noqa: BLE001 - the function's own errors come as data
        pass_on(error)
        run.fault(installed, error)
        return otherwise


def _mapped(run: Run, installed: Installed, outcome: Outcome) -> Outcome:
    config = installed.fix.config
    error = outcome.error
    if not isinstance(config, Tool) or not config.error_map or error is None:
        return outcome
    code = run.code_of(error).code
    for pattern, value in config.error_map.items():
        if names_error((pattern,), error, code):
            if run.meets(installed, f"answer instead of {code}", error=error):
                run.acted(installed, f"answered instead of {code}", degraded=True)
                return Outcome(copied(value))
            break
    return outcome


# --- on a result


def _after_success(run: Run, outcome: Outcome) -> Healing:
    if run.plan.remembers_s and not run.degraded and not run.altered:
        now_s = run.world.clock_s()
        run.plan.memory.keep(run.arguments, outcome.value, now_s, run.plan.remembers_s)
    if run.site.shape in STREAMS:
        return outcome
    for installed in run.plan.active("tool"):
        outcome = run.safely(installed, _limited, run, installed, outcome) or outcome
    for installed in run.plan.active("guard"):
        config = installed.fix.config
        if isinstance(config, Guard) and config.stage == "output" and not run.has_met("guard"):
            steps = guard_output(run, installed, config, outcome)
            outcome = yield from _guarded(run, installed, steps, outcome)
    return outcome


def _limited(run: Run, installed: Installed, outcome: Outcome) -> Outcome:
    config = installed.fix.config
    if not isinstance(config, Tool) or config.result_limit is None:
        return outcome
    cut = limited(config.result_limit, outcome.value)
    if cut is not outcome.value and run.meets(installed, "cut the result off"):
        run.acted(installed, "cut the result off", degraded=True)
        return Outcome(cut)
    return outcome
