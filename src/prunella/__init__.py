"""Prunella makes Python programs heal."""

from __future__ import annotations

from prunella._version import __version__
from prunella.sdk.decorator import heal
from prunella.sdk.init import init
from prunella.sdk.install import install_fix, remove_fix
from prunella.sdk.kinds import agent, llm, tool
from prunella.sdk.runtime import disable, enable, flush, set_drain
from prunella.sdk.trace import carry

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from prunella.wiring.bot import start_scheduler
    from prunella.wiring.healer import Healer

__all__ = [
    "Healer",
    "__version__",
    "agent",
    "carry",
    "disable",
    "enable",
    "flush",
    "heal",
    "init",
    "install_fix",
    "llm",
    "remove_fix",
    "start_scheduler",
    "tool",
]


def __getattr__(name: str) -> Any:
    """Reach what stands above the SDK only when it is asked for."""
    if name == "Healer":
        from prunella.wiring.healer import Healer

        return Healer
    if name == "start_scheduler":
        from prunella.wiring.bot import start_scheduler

        return start_scheduler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _drain(root: Path) -> None:
    from prunella import wiring

    wiring.drain(root)


set_drain(_drain)
