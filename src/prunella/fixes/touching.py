"""Whether a fix would change one argument: its questions, put together when it is installed."""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

from prunella.fixes.checks import problem, to_type
from prunella.fixes.configs import Check, Parameter, Range, Tool
from prunella.fixes.plain import is_same
from prunella.fixes.steps import SiteView

Touches = Callable[[Any], object]
"""Of an argument's value: truthy where the fix would change it. What it raises is the fix's fault."""

_NUMBERS = (int, float)


def touched_by_parameter(config: Parameter, site: SiteView) -> Iterator[tuple[str, Touches]]:
    """Yield the parameters that a parameter fix changes, each with when it does.

    Raises `LookupError` where one is to be left out that has no default.
    """
    for name in config.drop:
        yield name, _unlike(site.defaults[site.roles.get(name, name)])
    for name, wanted in config.set.items():
        # A list or dict is copied for each call, so that none is the one that stands there.
        yield name, _always if type(wanted) in (list, dict) else _unlike(wanted)
    for name, factor in config.scale.items():
        yield name, _scaled(factor)
    for name, limits in config.clamp.items():
        yield name, _beyond(limits)


def _always(_value: Any) -> bool:
    return True


def _unlike(wanted: Any) -> Touches:
    return lambda value: value is not wanted and not is_same(value, wanted)


def _scaled(factor: float) -> Touches:
    return lambda value: type(value) in _NUMBERS and value * factor != value


def _beyond(limits: Range) -> Touches:
    low, high = _ends(limits)

    def touches(value: Any) -> bool:
        return type(value) in _NUMBERS and not low <= value <= high

    return touches


def touched_by_tool(config: Tool, site: SiteView) -> Iterator[tuple[str, Touches]]:
    """Yield the parameters that a tool fix changes, each with when it does."""
    for name, default in config.arg_defaults.items():
        if default is not None:
            yield name, _is_none
    for name, kind in config.coerce.items():
        yield name, _converts(kind)
    if config.timeout_ms is not None and site.shape in ("sync", "generator"):
        limit_s = config.timeout_ms / 1_000
        yield "timeout", lambda value: not (type(value) in _NUMBERS and value <= limit_s)


def _is_none(value: Any) -> bool:
    return value is None


def _converts(kind: str) -> Touches:
    def touches(value: Any) -> bool:
        if value is None or type(value).__name__ == kind:
            return False
        if kind == "json" and not isinstance(value, str):
            return False
        try:
            return not is_same(to_type(kind, value), value)
        except ValueError:
            return False

    return touches


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
