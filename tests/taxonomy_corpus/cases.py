"""How cases are collected."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_MODULES = ("python", "data", "http", "wires", "llm", "sql", "postgres", "resp", "aws")


class Unavailable(BaseException):
    """This machine can't make that exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One exception."""

    name: str
    code: str
    #: Raises it.
    run: Callable[[], Any]


def cases(found: list[Case], code: str, **by_name: Callable[[], Any]) -> None:
    """Add cases of one code to `found`."""
    found.extend(Case(name=name, code=code, run=run) for name, run in by_name.items())


def every_case() -> list[Case]:
    """Return all cases; a name has its module in front."""
    return [
        Case(name=f"{module}.{case.name}", code=case.code, run=case.run)
        for module in _MODULES
        for case in import_module(f"taxonomy_corpus.{module}").CASES
    ]
