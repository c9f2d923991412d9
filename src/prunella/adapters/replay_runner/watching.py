"""Notes which lines of a project run, by Python's own trace function."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}", f"{os.sep}.venv")
#: Lines kept of one test; a test that runs more tells little about where a fault is.
_MAX_LINES = 20_000


class Watch:
    """Collects ``(file, line)`` of everything below a folder that runs while it is on."""

    def __init__(self, tree: str) -> None:
        self._tree = tree + os.sep
        self._known: dict[CodeType, set[int] | None] = {}
        self._lines: dict[str, set[int]] = {}

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch this thread while the block runs."""
        self._known, self._lines = {}, {}
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def lines(self) -> Mapping[str, list[int]]:
        """Return what ran while it was on last: path relative to the tree → lines, ascending."""
        found: dict[str, list[int]] = {}
        left = _MAX_LINES
        for name, lines in self._lines.items():
            path = os.path.relpath(name, self._tree).replace(os.sep, "/")
            found[path] = sorted(lines)[:left]
            left -= len(found[path])
            if left <= 0:
                break
        return found

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        if code not in self._known:
            self._known[code] = self._lines_of(code)
        seen = self._known[code]
        if seen is None:
            return None
        note = seen.add

        def line(frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
            if event == "line":
                note(frame.f_lineno)
            return line

        return line

    def _lines_of(self, code: CodeType) -> set[int] | None:
        if code.co_filename.startswith("<") or code.co_name == "<module>":
            return None
        name = os.path.realpath(code.co_filename)
        inside = name.startswith(self._tree) and not any(part in name for part in _INSTALLED)
        return self._lines.setdefault(name, set()) if inside else None
