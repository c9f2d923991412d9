"""Notices whether a function of the project is called, and whether something goes wrong in it."""

import os
import sys
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

#: How iteration ends: nothing went wrong.
_ENDINGS = (StopIteration, StopAsyncIteration, GeneratorExit)


class Watch:
    """Counts, while its block runs, calls of a function and exceptions that passed through it.

    `place` is ``path:qualname``, the path relative to `tree`; empty watches nothing. A generator
    counts each time it goes on. An exception that the function handles itself counts too.
    """

    def __init__(self, place: str, tree: str) -> None:
        path, _, self._qualname = place.partition(":")
        self._path = str(Path(tree, path)) if place else ""
        self.calls = 0
        self.failures = 0

    def __enter__(self) -> Self:
        if self._path:
            threading.settrace(self._enter)
            sys.settrace(self._enter)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._path:
            sys.settrace(None)
            threading.settrace(None)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_qualname != self._qualname or os.path.realpath(code.co_filename) != self._path:
            return None
        self.calls += 1
        frame.f_trace_lines = False
        return self._inside

    def _inside(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception" and not issubclass(argument[0], _ENDINGS):
            self.failures += 1
        return self._inside
