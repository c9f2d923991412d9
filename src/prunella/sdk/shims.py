"""What stands below a site's wrapper while fixes are installed: the function with its fixes.

A shim takes the place of the function in the wrapper's closure cell, so that a site without fixes
has none of this. Like the wrapper it is compiled from a template with the function's own parameters,
so that nobody packs arguments up to look at them. Where fixes act on failures alone, a call that
succeeds costs a ``try`` and a clock; where they act on arguments or results, also the questions
whether they would. A call that one fix changes before it is made is dealt to its arm, counted and
made right there; all else is in `FixedCalls`.
"""

from functools import cache, partial
from time import perf_counter
from types import CellType, CodeType, FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.fixes import Arm, Outcome, Plan
from prunella.fixes.calm import UNSURE
from prunella.fixes.run import PAID
from prunella.sdk.counters import note_fault
from prunella.sdk.drivers import run_now
from prunella.sdk.fixed_calls import FixedCalls, given
from prunella.sdk.fixed_streams import async_generator, generator
from prunella.sdk.site import Site
from prunella.sdk.trace import current
from prunella.sdk.wrapper import (
    FILENAME,
    argument_list,
    check_identifiers,
    only_code,
    parameter_list,
    parameter_names,
    prefix_for,
    value_tuple,
)

if TYPE_CHECKING:
    from prunella.sdk.fixing import Fixing

#: On a shim: the function that it stands for.
BARE = "__prunella_bare__"
_STREAMS = {"generator": generator, "async_generator": async_generator}

_TEMPLATE = """
def {p}make({cells}):
    {keyword} fixed({parameters}):
{body}
"""

_STREAM = """
        return {p}hooks.stream({values})
"""

#: With a retry: what earns its budget.
_COUNTED = """
        {p}plan.calls += 1
"""

_TIMED = """
        {p}began_s = {p}clock()
"""

#: With a fallback: while a target is down, a call may not even be made.
_WARY = """
        if {p}plan.is_wary:
            return {p}hooks.given({wait}({p}hooks.interpret({values}, {p}began_s)))
"""

#: With fixes that look at arguments. A call that isn't changed leaves this block at its end.
_ASKED = """
        if {p}began_s >= {p}fixing.on_until_s and {p}fixing.is_off({p}began_s):
            return {call}
        {p}values = {values}
        {p}changed = {p}ask({p}values)
        if {p}changed is not None:
            {p}unit = None
            if {p}changed is not {p}unsure:
                {p}made, {p}what, {p}account = {p}changed
                try:
                    if {p}account.deal is not None:
                        {p}unit = {p}account.deal({p}began_s)
                    if {p}unit is None or {p}unit.arm is {p}treatment:
                        {p}account.counted.at_once += 1
                        {p}account.tally.latest_act = {p}what
                        {values} = {p}made
                    else:
                        {p}made = None
                except {p}hooks.failure as {p}error:
                    {p}hooks.note_fault("fixes", {p}error)
                    {p}changed = {p}unsure
            if {p}changed is {p}unsure:
                return {p}hooks.given({wait}({p}hooks.interpret({p}values, {p}began_s)))
            try:
                {p}result = {call}
            except {p}hooks.anything as {p}error:
                {p}outcome = {p}hooks.outcome(None, {p}error)
            else:
                if {p}after is None or {p}after({p}result):
                    try:
                        if {p}unit is not None:
                            {p}unit.end(False, {p}clock() - {p}began_s, {cost})
                        if {p}account.breaker.listens or {p}remembers or {p}current() is not None:
                            {p}hooks.ended({p}account, {p}made, {p}values, {p}result)
                    except {p}hooks.failure as {p}error:
                        {p}hooks.note_fault("fixes", {p}error)
                    return {p}result
                {p}outcome = {p}hooks.outcome({p}result)
            try:
                return {p}hooks.given({wait}({p}hooks.resume(
                    {p}account, {p}unit, {p}made, {p}values, {p}began_s, {p}outcome
                )))
            finally:
                del {p}outcome
"""

_CALLED = """
        try:
            {p}result = {call}
        except {p}hooks.exhausted:
            raise
        except {p}hooks.failure as {p}error:
            if {p}hooks.is_off():
                raise
            {p}outcome = {p}hooks.outcome(None, {p}error)
        else:
            if {p}after is None or {p}after({p}result) or {p}hooks.is_off():
                if {p}remembers:
                    {p}hooks.remember({values}, {p}result)
                return {p}result
            {p}outcome = {p}hooks.outcome({p}result)
        try:
            return {p}hooks.given({wait}({p}hooks.go_on({values}, {p}began_s, {p}outcome)))
        finally:
            del {p}outcome
"""

#: What every shim finds in ``hooks``, beside what belongs to its site.
_FIXED: dict[str, Any] = {
    "anything": BaseException,
    "exhausted": (RecursionError, MemoryError),
    "failure": Exception,
    "given": given,
    "note_fault": note_fault,
    "outcome": Outcome,
    "run_now": run_now,
}
#: What a shim finds in cells of its own, beside ``hooks``: calls pay for each that they use.
_CELLS = (
    "after", "ask", "clock", "current", "fixing", "function", "hooks", "plan", "remembers",
    "treatment", "unsure",
)  # fmt: skip


class _Form(NamedTuple):
    """What distinguishes the code of shims."""

    names: tuple[str, ...]
    positional_only: int
    positional: int
    shape: str
    prefix: str
    #: Which blocks it consists of.
    counts: bool
    may_be_wary: bool
    asks: bool
    #: Results may say what they have cost.
    is_paid: bool


def shim_of(fixing: "Fixing", site: Site, plan: Plan, function: FunctionType) -> FunctionType:
    """Return what takes the place of `function` while the fixes of `plan` are in force."""
    calls = FixedCalls(fixing, site, plan, function)
    code = function.__code__
    form = _Form(
        names=parameter_names(code),
        positional_only=code.co_posonlyargcount,
        positional=code.co_argcount,
        shape=plan.site.shape,
        prefix=prefix_for(code),
        counts=bool(plan.of["retry"]),
        may_be_wary=bool(plan.of["fallback"]),
        asks=calls.ask is not None,
        is_paid=plan.site.kind in PAID,
    )
    values = _values_of(calls, function)
    compiled = _compile(form)
    closure = tuple(
        CellType(values[name.removeprefix(form.prefix)]) for name in compiled.co_freevars
    )
    shim = FunctionType(compiled, function.__globals__, compiled.co_name, None, closure)
    setattr(shim, BARE, function)
    return shim


def _values_of(calls: FixedCalls, function: FunctionType) -> dict[str, Any]:
    """Return what the cells of a shim hold."""
    hooks = SimpleNamespace(
        **_FIXED,
        cost_of=calls.fixing.world.cost_of,
        ended=calls.ended,
        go_on=calls.go_on,
        interpret=calls.interpret,
        is_off=calls.is_off,
        remember=calls.remember,
        resume=calls.resume,
    )
    stream = _STREAMS.get(calls.plan.site.shape)
    if stream is not None:
        hooks.stream = partial(stream, calls)
    return {
        "after": calls.calm_after,
        "ask": calls.ask,
        "clock": perf_counter,
        "current": current.get,
        "fixing": calls.fixing,
        "function": function,
        "hooks": hooks,
        "plan": calls.plan,
        "remembers": bool(calls.plan.remembers_s),
        "treatment": Arm.TREATMENT,
        "unsure": UNSURE,
    }


@cache
def _compile(form: _Form) -> CodeType:
    """Return the code of a shim; functions of one signature with like fixes share it."""
    check_identifiers(form.names)
    p, is_async = form.prefix, form.shape == "async"
    blocks = (
        (_COUNTED, form.counts),
        (_TIMED, True),
        (_WARY, form.may_be_wary),
        (_ASKED, form.asks),
        (_CALLED, True),
    )
    body = "".join(block for block, is_needed in blocks if is_needed)
    call = f"{p}function({argument_list(form.names, form.positional)})"
    text = _TEMPLATE.format(
        p=p,
        cells=", ".join(p + name for name in _CELLS),
        keyword="async def" if is_async else "def",
        parameters=parameter_list(form.names, form.positional_only, form.positional),
        body=(_STREAM if form.shape in _STREAMS else body).format(
            p=p,
            call=f"await {call}" if is_async else call,
            cost=f"{p}hooks.cost_of({p}result)" if form.is_paid else "None",
            values=value_tuple(form.names),
            wait="await " if is_async else f"{p}hooks.run_now",
        ),
    )
    return only_code(only_code(compile(text, FILENAME, "exec")))
