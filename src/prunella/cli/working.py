"""How a worker's command is stopped, and says what it does."""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from prunella.cli.session import Session
from prunella.model.errors import PrunellaError

if TYPE_CHECKING:
    from prunella.wiring.bot import Round
    from prunella.wiring.healer import Healer


def on_signals(stop: Callable[[], object]) -> None:
    """Stop cleanly on Ctrl-C and SIGTERM; a second one ends at once."""

    def handle(number: int, _frame: object) -> None:
        stop()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def say_round(session: Session, healer: "Healer", done: "Round | PrunellaError") -> None:
    """Print how a project's round went."""
    from prunella.cli.views.bot import plain_round, show_error, show_round

    root = str(healer.root)
    if isinstance(done, PrunellaError):
        session.line(
            {"root": root, "error": {"type": type(done).__name__, "message": str(done)}},
            lambda console: show_error(console, done),
        )
    else:
        session.line({"root": root, **plain_round(done)}, lambda console: show_round(console, done))
