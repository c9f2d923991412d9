"""``prunella bot``"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.interval import Interval
from prunella.cli.session import Session

if TYPE_CHECKING:
    from prunella.wiring.bot import Bot


@click.command(short_help="Heal what fails, round after round, unattended.")
@click.option(
    "--every",
    type=Interval(),
    default="5m",
    show_default=True,
    metavar="TIME",
    help="Time between two rounds: 30s, 5m, 1h.",
)
@click.option("--once", is_flag=True, help="One round, and end: for cron and CI.")
@click.option("--dry-run", is_flag=True, help="Say what a round would heal; heal nothing.")
@click.option(
    "--model",
    metavar="PROVIDER:NAME",
    help="Language model to ask, such as openai:gpt-4.1.  [default: the setting model]",
)
@options.root
@options.as_json
@click.pass_obj
def bot(
    session: Session,
    every: timedelta,
    once: bool,
    dry_run: bool,
    model: str | None,
    root: Path | None,
) -> ExitCode:
    """Heal what fails, the worst first, and open pull requests, round after round.

    Looks at incidents of the last 60 minutes (the setting lookback_minutes), leaves each alone for
    60 minutes after an attempt (cooldown_minutes), and stays within the day's limits. Two bots never
    heal one incident twice. Ctrl-C or SIGTERM: what is under way is finished, nothing more is begun.
    With --json each round is one line.
    """
    from prunella.cli.views.bot import plain_round, show_agenda, show_error, show_round
    from prunella.pipeline.rounds import agenda
    from prunella.wiring.bot import Bot

    with session.healer(root, model) as healer:
        if dry_run:
            todo = agenda(healer.store, healer.pending(), healer.settings)
            session.result(
                {
                    "due": [item.incident_id for item in todo.due],
                    "waiting": {item.incident_id: why for item, why in todo.waiting},
                },
                lambda console: show_agenda(console, todo),
            )
            return ExitCode.DONE
        worker = Bot(healer)
        if once:
            with session.progress("Healing"):
                done = worker.round()
            session.result(plain_round(done), lambda console: show_round(console, done))
            return ExitCode.DONE
        _stop_on_signals(worker)
        worker.run(
            every,
            on_round=lambda done: session.line(
                plain_round(done), lambda console: show_round(console, done)
            ),
            on_error=lambda error: session.line(
                {"error": {"type": type(error).__name__, "message": str(error)}},
                lambda console: show_error(console, error),
            ),
        )
    return ExitCode.DONE


def _stop_on_signals(worker: "Bot") -> None:
    """Stop cleanly on Ctrl-C and SIGTERM; a second one ends at once."""
    import signal

    def stop(number: int, _frame: object) -> None:
        worker.stop()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
