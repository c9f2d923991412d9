"""Times as people write them on a command line."""

import re
from datetime import timedelta
from typing import Any

import click

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Interval(click.ParamType):  # type: ignore[type-arg]  # not generic in every click
    """``30s``, ``5m``, ``1h``, ``2d``; a bare number is minutes."""

    name = "interval"

    def __init__(self, *, most: timedelta = timedelta(days=7)) -> None:
        self._most = most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhd]?)", str(value).strip())
        seconds = float(match[1]) * _UNITS_S[match[2] or "m"] if match else 0.0
        if not 1 <= seconds <= self._most.total_seconds():
            self.fail(
                f"{value!r} is no time from 1s to {self._most.days}d; write 30s, 5m, 1h or 2d",
                param,
                ctx,
            )
        return timedelta(seconds=seconds)
