"""Where a fault is, by which lines failing and passing tests run.

The measure is Ochiai's (Abreu, Zoeteweij, van Gemund, TAICPART 2007): of a line that `f` of all
failing tests run and `p` passing ones, ``f / sqrt(failing × (f + p))``.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import PurePosixPath

from prunella.diagnose.source import Read, owner_name
from prunella.model.errors import SourceUnavailable
from prunella.model.records import Frame
from prunella.model.repair import SourceFunction
from prunella.model.trials import ObservedTest
from prunella.patching import SourceText, functions, locate

#: What a failing test's traceback adds: to the line where it was raised, and to the lines above it.
_RAISED_BONUS = 0.3
_CALLING_BONUS = 0.1
_TEST_FOLDER = re.compile(r"(^|[_-])test(s|ing|cases?)?($|[_-])")

Suspicion = Mapping[str, Mapping[int, float]]
"""Path → line → how suspicious it is, between 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A function that may hold the fault."""

    function: SourceFunction
    #: Its suspicious lines (of the file) and how suspicious each is, between 0 and 1.
    lines: Mapping[int, float]
    #: Passing tests that run it.
    passing: tuple[str, ...]

    @property
    def suspicion(self) -> float:
        """That of its most suspicious line."""
        return max(self.lines.values())


def is_test_code(path: str) -> bool:
    """The file is a test or helps tests, by its name or its folder's."""
    pure = PurePosixPath(path)
    if pure.name == "conftest.py" or is_test_module(path):
        return True
    return any(_TEST_FOLDER.search(folder) for folder in pure.parts[:-1])


def is_test_module(path: str) -> bool:
    """The file is one that pytest looks for tests in."""
    stem = PurePosixPath(path).stem
    return stem.startswith("test_") or stem.endswith("_test")


def suspicious_lines(failing: Sequence[ObservedTest], passing: Sequence[ObservedTest]) -> Suspicion:
    """Return how suspicious every line is that a failing test runs; code of tests is left out."""
    failed = Counter(place for test in failing for place in _places(test))
    passed = Counter(place for test in passing for place in _places(test))
    found: dict[str, dict[int, float]] = {}
    for (path, line), count in failed.items():
        value = count / sqrt(len(failing) * (count + passed[path, line]))
        found.setdefault(path, {})[line] = value
    for test in failing:
        for (path, line), bonus in _traceback(test).items():
            lines = found.setdefault(path, {})
            lines[line] = max(lines.get(line, 0.0), min(1.0, lines.get(line, 0.5) + bonus))
    return found


def suspects(
    suspicion: Suspicion, passing: Sequence[ObservedTest], read: Read, *, limit: int
) -> list[Suspect]:
    """Return the functions and methods that hold suspicious lines, the most suspicious first.

    A function inside another belongs to that. Files that can't be read or parsed are left out.
    """
    found: list[Suspect] = []
    for path, lines in suspicion.items():
        source = read(path)
        if source is None:
            continue
        try:
            text = SourceText(source)
            for qualname, node in functions(text.tree):
                last = node.end_lineno or node.lineno
                own = {line: value for line, value in lines.items() if node.lineno < line <= last}
                if own and "<locals>" not in qualname:
                    found.append(_suspect(path, text, qualname, node.lineno, own, passing))
        except SourceUnavailable:
            continue
    found.sort(key=lambda item: (-item.suspicion, len(item.passing), len(item.lines)))
    return found[:limit]


def _suspect(
    path: str,
    text: SourceText,
    qualname: str,
    line: int,
    lines: Mapping[int, float],
    passing: Sequence[ObservedTest],
) -> Suspect:
    span = locate(text, qualname, first_line=line)
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Suspect(
        function=SourceFunction(
            path=path,
            module=module.removeprefix("src."),
            qualname=owner_name(qualname),
            first_line=span.first_line,
            last_line=span.last_line,
            text=span.text,
            file_source=text.source,
        ),
        lines=lines,
        passing=tuple(
            test.test_id
            for test in passing
            if not lines.keys().isdisjoint(test.lines.get(path, ()))
        ),
    )


def _places(test: ObservedTest) -> list[tuple[str, int]]:
    return [
        (path, line)
        for path, lines in test.lines.items()
        if not is_test_code(path)
        for line in lines
    ]


def _traceback(test: ObservedTest) -> Mapping[tuple[str, int], float]:
    """Return what the frames of a test's exception add to their lines."""
    if test.exception is None:
        return {}
    frames = [item for item in test.exception.frames if _is_suspect(item)]
    found = {(frame.file, frame.line): _CALLING_BONUS for frame in frames[-6:]}
    if frames and frames[-1] is _last_in_project(test.exception.frames):
        found[frames[-1].file, frames[-1].line] = _RAISED_BONUS
    return found


def _is_suspect(frame: Frame) -> bool:
    return frame.in_project and not is_test_code(frame.file) and frame.qualname != "<module>"


def _last_in_project(frames: Sequence[Frame]) -> Frame | None:
    inside = [item for item in frames if item.in_project]
    return inside[-1] if inside else None
