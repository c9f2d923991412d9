"""Source and diffs, line by line."""

from collections.abc import Sequence
from dataclasses import dataclass

from prunella.model.incidents import Location
from prunella.model.records import Site
from prunella.model.wording import block, one_line
from prunella.ports import Repository

#: Lines of a long function that are shown before and after the one that failed.
_AROUND = 14
_MAX_LINES = 60
_MAX_LINE_CHARS = 400
_MAX_DIFF_LINES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """One line of source."""

    number: int
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A piece of a file, around the line that failed."""

    file: str
    lines: tuple[CodeLine, ...]
    #: What to know about it; empty where nothing.
    note: str = ""


def failing_code(place: Location | None, site: Site | None, repository: Repository) -> Code | None:
    """Return the source around the line that failed; ``None`` where none is kept.

    The recorded text of the site goes before the repository's: it is what ran.
    """
    if place is None:
        return None
    if site is not None and site.source and _is_of(site, place):
        lines = site.source.splitlines()
        if 0 <= place.line - site.first_line < len(lines):
            return _code(place.file, lines, site.first_line, place.line, "")
    content = repository.read(place.file)
    if content is None:
        return None
    lines = content.decode("utf-8", "replace").splitlines()
    if not 1 <= place.line <= len(lines):
        return None
    note = "from the repository; the line may have moved since it failed"
    return _code(place.file, lines, 1, place.line, note)


def _is_of(site: Site, place: Location) -> bool:
    return (site.module, site.qualname) == (place.module, place.qualname)


def _code(file: str, lines: Sequence[str], first: int, failed: int, note: str) -> Code:
    begin, end = first, first + len(lines)
    if note or len(lines) > _MAX_LINES:
        begin, end = max(begin, failed - _AROUND), min(end, failed + _AROUND + 1)
    return Code(
        file=file,
        lines=tuple(
            CodeLine(number=number, text=_line(lines[number - first]), failed=number == failed)
            for number in range(begin, end)
        ),
        note=note,
    )


def source_lines(site: Site) -> tuple[CodeLine, ...]:
    """Return the recorded text of a site."""
    lines = (site.source or "").splitlines()[:1000]
    return tuple(
        CodeLine(number=site.first_line + number, text=_line(text))
        for number, text in enumerate(lines)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line of a unified diff."""

    #: ``add``, ``cut``, ``same``, ``place`` (a hunk's head) or ``file``.
    kind: str
    #: Line numbers before and after; ``None`` where the line isn't there.
    before: int | None
    after: int | None
    text: str


def diff_lines(diff: str) -> tuple[DiffLine, ...]:
    """Return the lines of a unified diff with their numbers."""
    found: list[DiffLine] = []
    before = after = 0
    for line in block(diff).rstrip("\n").split("\n")[:_MAX_DIFF_LINES]:
        if line.startswith(("--- ", "+++ ")) and not before + after:
            found.append(DiffLine(kind="file", before=None, after=None, text=line))
        elif line.startswith("@@"):
            before, after = _numbers(line)
            found.append(DiffLine(kind="place", before=None, after=None, text=line))
        elif line.startswith("+"):
            found.append(DiffLine(kind="add", before=None, after=after, text=line[1:]))
            after += 1
        elif line.startswith("-"):
            found.append(DiffLine(kind="cut", before=before, after=None, text=line[1:]))
            before += 1
        else:
            found.append(DiffLine(kind="same", before=before, after=after, text=line[1:]))
            before, after = before + 1, after + 1
    return tuple(found)


def _numbers(head: str) -> tuple[int, int]:
    """Return the first line numbers of a hunk, ``@@ -12,5 +12,7 @@``."""
    numbers = []
    for part in head.split()[1:3]:
        digits = part.lstrip("+-").partition(",")[0]
        numbers.append(int(digits) if digits.isdigit() and len(digits) < 9 else 1)
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (1, 1)


def _line(text: str) -> str:
    return one_line(text.expandtabs(4), _MAX_LINE_CHARS)
