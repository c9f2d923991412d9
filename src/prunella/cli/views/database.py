"""Schemas of a database, one a line."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from prunella.cli.views.parts import words
from prunella.model.wording import plural
from prunella.wiring.stores import SchemaReport


def show_schemas(console: Console, reports: Sequence[SchemaReport]) -> None:
    """Print how far each project's schema is, and what to do where it can't be used."""
    for report in reports:
        console.print(_line(report))


def show_migrated(console: Console, reports: Sequence[SchemaReport], *, dry_run: bool) -> None:
    """Print what was run, or with `dry_run` the statements that would be."""
    for report in reports:
        if not report.steps:
            console.print(_line(report))
        elif dry_run:
            console.print(words(f"{report.project}: {plural(len(report.steps), 'step')} to run"))
            for number, statements in report.steps:
                console.print(Text(f"  -- step {number}", "dim"))
                for statement in statements:
                    console.print(Text(f"{_indented(statement)};"))
        else:
            ran = f"{plural(len(report.steps), 'step')} run"
            console.print(Text("✓ ", "green") + words(f"{_said(report)}, {ran}"))


def _line(report: SchemaReport) -> Text:
    if report.is_usable:
        return Text("✓ ", "green") + words(_said(report))
    if not report.version:
        why = "not there; run `prunella database migrate`"
    elif report.version < report.known:
        why = f"this release needs {report.known}; run `prunella database migrate`"
    else:
        why = f"needs a release that knows {report.least}; this one knows {report.known}"
    return Text("✗ ", "red") + words(f"{_said(report)}: {why}")


def _said(report: SchemaReport) -> str:
    return f"{report.project}  schema {report.schema}, version {report.version}"


def _indented(statement: str) -> str:
    lines = [line.strip() for line in statement.strip().splitlines()]
    return "\n".join(f"  {line}" for line in lines)
