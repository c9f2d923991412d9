"""What a fix makes of one argument: put together when it is installed."""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

from prunella.fixes.checks import clamped, problem, to_type
from prunella.fixes.configs import Check, Parameter, Range, Tool
from prunella.fixes.plain import copied, is_same
from prunella.fixes.steps import SiteView

Makes = Callable[[Any], Any]
"""Of an argument's value: what takes its place, the value itself where the fix leaves it alone.

What it raises is the fix's fault.
"""
Touches = Callable[[Any], object]
"""Of a value: truthy where the fix would act on it. What it raises is the fix's fault."""

_NUMBERS = (int, float)


def made_by_parameter(config: Parameter, site: SiteView) -> Iterator[tuple[str, Makes]]:
    """Yield the parameters that a parameter fix changes, each with what it makes of them.

    Raises `LookupError` where one is to be left out that has no default.
    """
    for name in config.drop:
        yield name, _instead(site.defaults[site.roles.get(name, name)])
    for name, wanted in config.set.items():
        yield name, _copy_of(wanted) if type(wanted) in (list, dict) else _instead(wanted)
    for name, factor in config.scale.items():
        yield name, _scaled(factor)
    for name, limits in config.clamp.items():
        yield name, _within(limits)


def _copy_of(wanted: Any) -> Makes:
    return lambda _value: copied(wanted)  # one for each call, so that none is what stands there


def _instead(wanted: Any) -> Makes:
    return lambda value: value if is_same(value, wanted) else wanted


def _scaled(factor: float) -> Makes:
    def makes(value: Any) -> Any:
        if type(value) not in _NUMBERS:
            return value
        scaled = round(value * factor) if type(value) is int else value * factor
        return value if is_same(value, scaled) else scaled

    return makes


def _within(limits: Range) -> Makes:
    low, high = _ends(limits)

    def makes(value: Any) -> Any:
        if type(value) not in _NUMBERS or low <= value <= high:
            return value
        # As `clamped`, which refuses what is no number.
        return limits.max if value > high else limits.min if value < low else clamped(limits, value)

    return makes


def made_by_tool(config: Tool, site: SiteView) -> Iterator[tuple[str, Makes]]:
    """Yield the parameters that a tool fix changes, each with what it makes of them."""
    for name, default in config.arg_defaults.items():
        yield name, _where_none(default)
    for name, kind in config.coerce.items():
        yield name, _converted(kind)
    if config.timeout_ms is not None and site.shape in ("sync", "generator"):
        yield "timeout", _at_most(config.timeout_ms / 1_000)


def _where_none(default: Any) -> Makes:
    return lambda value: copied(default) if value is None else value


def _at_most(limit_s: float) -> Makes:
    return lambda value: value if type(value) in _NUMBERS and value <= limit_s else limit_s


def _converted(kind: str) -> Makes:
    def makes(value: Any) -> Any:
        if value is None or type(value).__name__ == kind:
            return value
        if kind == "json" and not isinstance(value, str):
            return value
        try:
            found = to_type(kind, value)
        except ValueError:
            return value
        return value if is_same(value, found) else found

    return makes


def fails(check: Check) -> Touches:
    """Return what tells whether a value fails a check; most ranges are decided at a glance."""
    others = (check.format, check.schema, check.length, check.pattern)
    if check.range is None or any(each is not None for each in others):
        return lambda value: problem(check, value)
    low, high = _ends(check.range)

    def touches(value: Any) -> object:
        return not low <= value <= high if type(value) in _NUMBERS else problem(check, value)

    return touches


def _ends(limits: Range) -> tuple[float, float]:
    return (
        -inf if limits.min is None else limits.min,
        inf if limits.max is None else limits.max,
    )
