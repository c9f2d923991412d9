"""Exceptions that no site sees: uncaught ones, and those that are only logged. By opting in.

Such an occurrence is ascribed to the innermost function of the project in its traceback. An
exception that came through a site was recorded there, and isn't a second time. Whatever hook was
there before is called as ever.
"""

import logging
import sys
import threading
from types import TracebackType

from prunella.sdk.counters import guarded
from prunella.sdk.runtime import report


def watch_uncaught() -> None:
    """Record what reaches `sys.excepthook` and `threading.excepthook`, or nobody in asyncio."""
    before, before_threads = sys.excepthook, threading.excepthook

    def uncaught(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        guarded("hooks", report, error)
        before(kind, error, traceback)

    def uncaught_in_thread(arguments: threading.ExceptHookArgs, /) -> None:
        if arguments.exc_value is not None:
            guarded("hooks", report, arguments.exc_value)
        before_threads(arguments)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    # What a task or callback raises and nobody takes, every event loop tells this logger.
    logging.getLogger("asyncio").addHandler(_Reporter(logging.ERROR))


def watch_logging() -> None:
    """Record exceptions that are logged: `logging.exception`, ``exc_info=…``, from level ERROR."""
    logging.getLogger().addHandler(_Reporter(logging.ERROR))


class _Reporter(logging.Handler):
    """Reports the exception of a log record, once however many of these handlers it passes."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not hasattr(record, "prunella_reported"):
            record.prunella_reported = True
            guarded("hooks", report, error)
