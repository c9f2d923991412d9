"""Alerts in a table, and what sending them did."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.views.parts import words
from prunella.model.alerts import Mute
from prunella.model.clock import now
from prunella.model.wording import ago, plural
from prunella.pipeline.deliver import SendReport, Told

_STYLES = {"sent": "green", "waiting": "yellow", "given up": "red"}


def show_list(console: Console, told: Sequence[Told], mutes: Sequence[Mute]) -> None:
    """Print one line an alert, and the mutes in force."""
    if told:
        console.print(_table(told))
    else:
        console.print("Nobody was told of anything in the last week.")
    for mute in mutes:
        console.print(
            Text.assemble(
                ("muted  ", "dim"),
                words(mute.what),
                (f" until {mute.until:%Y-%m-%d %H:%M} UTC, by ", "dim"),
                words(mute.by, "dim"),
            )
        )


def _table(told: Sequence[Told]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("when", "what", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("", overflow="fold")
    moment = now()
    for item in told:
        table.add_row(
            ago(item.alert.decided_at, moment),
            item.alert.kind.value.replace("_", " "),
            Text(item.standing, _STYLES.get(item.standing, "dim")),
            words(item.alert.title),
        )
    return table


def show_sent(console: Console, report: SendReport) -> None:
    """Print how many alerts arrived, and which places took none."""
    console.print(f"{plural(report.sent, 'alert')} sent.")
    for place, why in report.failed:
        console.print(words(f"{place}: {why}", "red"))
