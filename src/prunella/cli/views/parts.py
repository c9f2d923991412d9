"""Pieces that several views are made of."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from prunella.codec import entries, render, type_name
from prunella.model.incidents import IncidentStatus
from prunella.model.records import Frame
from prunella.model.repair import Accepted, Candidate, CheckOutcome, Inconclusive, Rejected, Verdict
from prunella.model.tree import Tree
from prunella.model.wording import block, class_name, failed_function, one_line

__all__ = [
    "STATUS_STYLES",
    "candidate_line",
    "changed_lines",
    "checks",
    "class_name",
    "diff_lines",
    "facts",
    "failed_function",
    "frame_line",
    "values",
    "verdict_line",
    "words",
]

STATUS_STYLES = {
    IncidentStatus.OPEN: "red",
    IncidentStatus.REGRESSED: "bold red",
    IncidentStatus.MITIGATED: "yellow",
    IncidentStatus.CURED: "green",
    IncidentStatus.IGNORED: "dim",
}

_VERDICTS = {
    Accepted: ("✓", "proven", "green"),
    Inconclusive: ("?", "not proven", "yellow"),
    Rejected: ("✗", "rejected", "red"),
}
_CHECKS = {
    CheckOutcome.PASSED: ("✓", "green"),
    CheckOutcome.FAILED: ("✗", "red"),
    CheckOutcome.NOT_SHOWN: ("-", "yellow"),
}
_DIFF_STYLES = {"+++": "bold", "---": "bold", "@@ ": "cyan", "+": "green", "-": "red"}


def words(text: str, style: str = "", max_chars: int = 1000) -> Text:
    """Return untrusted `text` on one line."""
    return Text(one_line(text, max_chars), style)


def facts(rows: Sequence[tuple[str, Text]], *, indent: int = 2) -> Table:
    """Return labels with what they are labels of, one pair a line."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=indent)
    grid.add_column(style="dim", no_wrap=True, min_width=9)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row("", label, value)
    return grid


def diff_lines(diff: str, *, indent: int = 2) -> Text:
    """Return a unified diff in colours."""
    text = Text()
    for line in block(diff).rstrip("\n").split("\n"):
        style = next((style for start, style in _DIFF_STYLES.items() if line.startswith(start)), "")
        text.append(f"{' ' * indent}{line}\n", style)
    text.right_crop(1)
    return text


def changed_lines(diff: str) -> Text:
    """Return the lines that a diff takes out and puts in, without their surroundings."""
    lines = [line for line in block(diff).split("\n") if line.startswith(("-", "+"))]
    text = Text()
    for line in lines:
        if not line.startswith(("---", "+++")):
            text.append(f"{line}\n", _DIFF_STYLES[line[0]])
    text.right_crop(1)
    return text


def values(tree: Tree, *, indent: int, max_chars: int = 200) -> Text:
    """Return the names and values of an inputs or locals tree, one a line."""
    text = Text()
    for name, value in entries(tree):
        shown = one_line(render(value, max_chars=max_chars), max_chars)
        text.append(f"{' ' * indent}{one_line(name, 80)} = {shown}")
        text.append(f"  {one_line(type_name(value), 60)}\n", "dim")
    text.right_crop(1)
    return text


def frame_line(frame: Frame) -> Text:
    """Return ``file:line in function`` of a frame, dim where it is not the project's."""
    place = f"{frame.file}:{frame.line} in {frame.qualname}"
    return words(place, "" if frame.in_project else "dim")


def verdict_line(verdict: Verdict | None) -> Text:
    """Return a verdict in two words and its summary."""
    if verdict is None:
        return Text("not judged", "dim")
    mark, word, style = _VERDICTS[type(verdict)]
    summary = one_line(verdict.summary, 1000)
    said = "" if summary.lower().startswith(word) else f"{word}: "
    return Text.assemble((f"{mark} {said}", style), summary)


def checks(verdict: Verdict, *, indent: int = 4) -> Table:
    """Return what a verdict looked at, one check a line."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=indent)
    grid.add_column()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", style="dim")
    for check in verdict.checks:
        mark, style = _CHECKS[check.outcome]
        name = one_line(check.name.replace("_", " "), 40)
        grid.add_row("", Text(mark, style), Text(name), words(check.detail))
    return grid


def candidate_line(candidate: Candidate) -> Text:
    """Return what a candidate does and who made it."""
    return Text.assemble(
        one_line(candidate.description, 500), (f"  {one_line(candidate.origin, 80)}", "dim")
    )
