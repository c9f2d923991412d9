"""``prunella worker``"""

from datetime import timedelta
from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.interval import Interval
from prunella.cli.session import Session


@click.command(short_help="Work for a server: do jobs, heal what fails, round after round.")
@click.option(
    "--every",
    type=Interval(),
    default="5m",
    show_default=True,
    metavar="TIME",
    help="Time between two rounds in which what fails is healed: 30s, 5m, 1h.",
)
@click.option("--jobs-only", is_flag=True, help="Only do what people ask for; make no rounds.")
@click.option(
    "--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Jobs at once."
)
@options.database
@options.root
@options.as_json
@click.pass_obj
def worker(
    session: Session,
    every: timedelta,
    jobs_only: bool,
    threads: int,
    database: str | None,
    root: Path | None,
) -> ExitCode:
    """Work for all projects of a server: do the jobs that people ask for, and heal what fails.

    Several may run at once, on one machine or many: leases and claims share the work, and what one
    that was killed has left is taken up by the others. Ctrl-C or SIGTERM: a job is laid down for
    another worker. With --json each round is one line.
    """
    from prunella.cli.working import on_signals, say_round
    from prunella.server.opening import open_workspaces, worker_for

    workspaces, _ = open_workspaces(root, database)
    found = worker_for(
        workspaces,
        threads=threads,
        every=None if jobs_only else every,
        on_round=lambda healer, done: say_round(session, healer, done),
    )
    try:
        with found:
            on_signals(found.stop_soon)
            found.wait()
    finally:
        workspaces.close()
    return ExitCode.DONE
