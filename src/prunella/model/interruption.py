"""Errors that a signal handler of the program raises while code of ours runs.

A handler that ends work by an exception (the soft time limit of a task queue) may run at any
instruction of the main thread, in what guards the program against our errors too. Such an error is
the program's: no guard may keep it.
"""

from __future__ import annotations

import os

#: For type checkers; `typing` takes longer to import than the whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any

#: Where our own code lies.
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")  # noqa: PTH118, PTH120 - pathlib takes longer to import
#: Wrappers around a handler that are looked through.
_MAX_WRAPPERS = 8


def pass_on(error: BaseException) -> None:
    """Raise `error` if it came out of a signal handler; else return. To be called by guards."""
    if not isinstance(error, (RecursionError, MemoryError)) and _is_from_handler(error):
        raise error


def _is_from_handler(error: BaseException) -> bool:
    frames = []
    entry: TracebackType | None = error.__traceback__
    while entry is not None:
        frames.append(entry.tb_frame.f_code)
        entry = entry.tb_next
    if not frames or frames[-1].co_filename.startswith(_PACKAGE):
        return False
    handlers = _handlers()
    return any(code in handlers for code in frames)


def _handlers() -> list[CodeType]:
    """Return the code of the program's signal handlers."""
    import signal  # only here, because it takes long to import

    found = []
    for number in signal.valid_signals():
        try:
            code = _code_of(signal.getsignal(number))
        except Exception:  # noqa: BLE001, S112 - handlers are objects of the program
            continue
        if code is not None:
            found.append(code)
    return found


def _code_of(handler: Any) -> CodeType | None:
    for _ in range(_MAX_WRAPPERS):
        code: CodeType | None = getattr(handler, "__code__", None)
        if code is not None:
            return code
        inner = getattr(handler, "__func__", None) or getattr(handler, "func", None)
        handler = inner or (type(handler).__call__ if callable(handler) else None)
    return None
