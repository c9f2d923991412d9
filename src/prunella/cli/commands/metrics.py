"""``prunella metrics``"""

from datetime import timedelta
from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Show how well healing works, in numbers.")
@click.option(
    "--since",
    "since_days",
    type=click.FloatRange(min=0, min_open=True, max=36_500),
    metavar="DAYS",
    help="Only what happened within so many days.  [default: everything that is kept]",
)
@options.root
@options.as_json
@click.pass_obj
def metrics(session: Session, since_days: float | None, root: Path | None) -> ExitCode:
    """Show fix rate, success rate, time to recovery, error reduction, effects and cost.

    What nothing is known of yet is shown as –, and is null in JSON: it isn't 0.
    """
    from prunella.cli.views.metrics import show_metrics
    from prunella.codec.plain import to_plain

    within = None if since_days is None else timedelta(days=since_days)
    with session.healer(root) as healer:
        found = healer.metrics(within=within)
    session.result(to_plain(found), lambda console: show_metrics(console, found))
    return ExitCode.DONE
