"""`init`: what a program may ask for at its start."""

from __future__ import annotations

from prunella.sdk import runtime
from prunella.sdk.counters import guarded

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def init(*, instrument: Iterable[str] = (), uncaught: bool = False, logging: bool = False) -> None:
    """Prepare recording now instead of at the first call, and widen what is recorded.

    `instrument` names packages (``["myapp"]``) all of whose functions and methods are put under
    ``@heal`` without edits, whether they are imported already or not. Of what is imported already,
    other objects (tables, caches, `functools.partial`) keep the functions that they hold: call
    `init` before the imports where that matters. `uncaught` records exceptions that end the program,
    a thread or an asyncio task unseen; `logging` those that are logged with their traceback at level
    ERROR or above. Without a call of `init`, ``@heal`` works all the same.

    Does nothing where ``PRUNELLA_DISABLED=1`` or in a replay. Raises `TypeError` if `instrument` is
    a string.
    """
    if isinstance(instrument, str):
        raise TypeError(f"instrument takes a list of package names: [{instrument!r}]")
    if runtime.is_switched_off():
        return
    guarded("init", runtime.active)
    if instrument:
        from prunella.sdk.instrument import instrument as instrument_packages

        guarded("init", instrument_packages, tuple(instrument))
    if uncaught or logging:
        from prunella.sdk import hooks

        if uncaught:
            guarded("init", hooks.watch_uncaught)
        if logging:
            guarded("init", hooks.watch_logging)
