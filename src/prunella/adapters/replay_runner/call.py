"""Runs one recorded call and describes what it did."""

import importlib
import inspect
import random
import sys
import time
from collections.abc import Callable, Mapping
from types import MethodType, ModuleType
from typing import Any

from prunella.adapters.replay_runner import clock, frames, standins
from prunella.adapters.replay_runner.job import CallJob
from prunella.adapters.replay_runner.target import Unreplayable, as_recorded
from prunella.adapters.replay_runner.watch import Watch
from prunella.codec import decode, encode, encode_mapping
from prunella.codec.plain import to_plain
from prunella.model.errors import RecordError

_MAX_YIELDED = 10_000


def run(function: Callable[..., Any], call: CallJob, tree: str) -> dict[str, Any]:
    """Return the outcome as the fields of `ReplayOutcome` without its id."""
    try:
        inputs = _inputs(call)
        function = as_recorded(function, inputs)
        arguments, named = _bind(function, inputs)
    except Unreplayable as error:
        return {"ending": "not_run", "reason": str(error)}
    _make_repeatable(call)
    watch = Watch(call.watch, tree)
    started = time.perf_counter_ns()
    try:
        with watch:
            value = _perform(function, arguments, named)
    except standins.NoAnswer as error:
        return {"ending": "not_run", "reason": str(error)}
    except BaseException as error:  # noqa: BLE001 - what it raises is the result
        outcome: dict[str, Any] = {"ending": "raised"}
        took_us = (time.perf_counter_ns() - started) // 1000
        outcome["exception"] = to_plain(frames.describe(error, tree))
    else:
        took_us = (time.perf_counter_ns() - started) // 1000
        encoded = encode(value)
        outcome = {"ending": "returned", "result": encoded.tree, "complete": encoded.complete}
    outcome["inputs_after"] = encode_mapping(inputs).tree
    outcome["duration_us"] = took_us
    outcome["watched_calls"], outcome["watched_failures"] = watch.calls, watch.failures
    return outcome


def _inputs(call: CallJob) -> Mapping[str, Any]:
    try:
        inputs = decode(call.inputs, resolve=import_by_path)
    except (RecordError, ImportError, AttributeError) as error:
        raise Unreplayable(f"the inputs can't be rebuilt: {error}") from None
    if not isinstance(inputs, dict) or not all(isinstance(name, str) for name in inputs):
        raise Unreplayable("no inputs were recorded")
    return inputs


def import_by_path(path: str) -> Any:
    """Return what ``module:qualname`` names; ``__main__`` is the program's main script.

    Raises `RecordError` where there is no such thing.
    """
    module_name, _, qualname = path.partition(":")
    try:
        found: Any = sys.modules.get(module_name) or importlib.import_module(module_name)
        for name in qualname.split("."):
            found = inspect.getattr_static(found, name)
    except Exception as error:  # noqa: BLE001 - importing runs the project's code
        raise RecordError(f"{path} can't be imported: {type(error).__name__}: {error}") from None
    if isinstance(found, (staticmethod, classmethod)):
        return found.__func__
    if isinstance(found, ModuleType):
        raise RecordError(f"{path} names a module")
    return found


def _bind(
    function: Callable[..., Any], inputs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and keyword arguments for `function` as it is now."""
    plain = function.__func__ if isinstance(function, MethodType) else function
    try:
        parameters = list(inspect.signature(plain, follow_wrapped=False).parameters.values())
    except (ValueError, TypeError):
        raise Unreplayable("the function's signature is unknown") from None
    left = dict(inputs)
    arguments: list[Any] = []
    named: dict[str, Any] = {}
    by_position = True
    for index, parameter in enumerate(parameters):
        name, kind = parameter.name, parameter.kind
        if kind is parameter.VAR_POSITIONAL:
            arguments.extend(_extra(left, f"*{name}", "*args", ()) if by_position else ())
        elif kind is parameter.VAR_KEYWORD:
            named.update(_extra(left, f"**{name}", "**kwargs", {}))
        elif name in left and kind is not parameter.KEYWORD_ONLY and by_position:
            arguments.append(left.pop(name))
        elif name in left:
            named[name] = left.pop(name)
        elif index == 0 and isinstance(function, MethodType):
            arguments.append(function.__self__)
        elif parameter.default is parameter.empty:
            raise Unreplayable(f"no value of the parameter {name!r} was recorded")
        else:
            by_position = by_position and kind is parameter.KEYWORD_ONLY
    if left:
        raise Unreplayable(f"the function no longer takes {', '.join(sorted(left))}")
    return arguments, named


def _extra(left: dict[str, Any], name: str, usual: str, default: Any) -> Any:
    return left.pop(name, None) or left.pop(usual, None) or default


def _perform(function: Callable[..., Any], arguments: list[Any], named: dict[str, Any]) -> Any:
    if isinstance(function, MethodType):
        function = function.__func__
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return _perform_async(function, arguments, named)
    if inspect.isgeneratorfunction(function):
        return _drain(function(*arguments, **named))
    return function(*arguments, **named)


def _perform_async(
    function: Callable[..., Any], arguments: list[Any], named: dict[str, Any]
) -> Any:
    import asyncio  # most projects do without, and each process forked is dearer with it

    if inspect.iscoroutinefunction(function):
        return asyncio.run(function(*arguments, **named))
    return asyncio.run(_drain_async(function(*arguments, **named)))


def _drain(generator: Any) -> list[Any]:
    items = []
    for item in generator:
        items.append(item)
        if len(items) >= _MAX_YIELDED:
            break
    return items


async def _drain_async(generator: Any) -> list[Any]:
    items = []
    async for item in generator:
        items.append(item)
        if len(items) >= _MAX_YIELDED:
            break
    return items


def _make_repeatable(call: CallJob) -> None:
    random.seed(0)
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(0)
    standins.install(call.answers)
    clock.freeze(call.started_us)
