"""What replaying a function's recorded calls showed."""

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.views.parts import words
from prunella.model.wording import one_line, plural
from prunella.pipeline.results import Difference, ReplayReport

_STYLES = {
    Difference.SAME: ("same", ""),
    Difference.CHANGED: ("changed", "yellow"),
    Difference.HEALED: ("healed", "green"),
    Difference.BROKEN: ("broken", "red"),
    Difference.NOT_REPLAYED: ("not replayed", "dim"),
}


def show_report(console: Console, report: ReplayReport) -> None:
    """Print every call that differs, and how many of each sort there were."""
    console.print(
        Text.assemble(
            (one_line(report.site_id), "bold cyan"),
            f": {plural(len(report.rows), 'recorded call')} replayed on the {report.against}, ",
            "isolation: ",
            (report.sandbox, "bold red" if report.sandbox == "none" else ""),
        )
    )
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, style="cyan")
    grid.add_column(overflow="fold")
    for row in report.rows:
        if row.difference is not Difference.SAME:
            name, style = _STYLES[row.difference]
            grid.add_row(Text(name, style), words(row.request_id), words(row.detail))
    if grid.row_count:
        console.print(grid)
    numbers = Counter(row.difference for row in report.rows)
    parts = [f"{numbers[kind]} {name}" for kind, (name, _) in _STYLES.items() if numbers[kind]]
    console.print(", ".join(parts))
