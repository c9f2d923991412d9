"""What ``prunella doctor`` found."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.views.parts import words
from prunella.model.wording import plural
from prunella.pipeline.results import Finding, FindingLevel

_MARKS = {
    FindingLevel.OK: ("✓", "green"),
    FindingLevel.WARNING: ("!", "yellow"),
    FindingLevel.PROBLEM: ("✗", "red"),
}


def show_findings(console: Console, root: Path, findings: Sequence[Finding]) -> None:
    """Print the findings by area, with what to do under what doesn't work."""
    console.print(Text.assemble(("Prunella in ", ""), (str(root), "bold")))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    area = ""
    for finding in findings:
        mark, style = _MARKS[finding.level]
        name = "" if finding.area == area else finding.area
        area = finding.area
        grid.add_row(Text(mark, style), Text(name, "bold"), words(finding.statement))
        if finding.advice:
            grid.add_row("", "", words(f"→ {finding.advice}", style))
    console.print(grid)
    console.print(_conclusion(findings))


def _conclusion(findings: Sequence[Finding]) -> Text:
    problems = sum(finding.level is FindingLevel.PROBLEM for finding in findings)
    warnings = sum(finding.level is FindingLevel.WARNING for finding in findings)
    if problems:
        return Text(f"{plural(problems, 'problem')}, {plural(warnings, 'warning')}", "red")
    if warnings:
        return Text(f"Works, with {plural(warnings, 'warning')}", "yellow")
    return Text("Everything works", "green")
