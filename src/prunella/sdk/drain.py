"""Hands the spool on to the store from a background thread.

The SDK knows nothing of stores: `runtime.set_drain` gives it the function that empties the spool.
The thread is a daemon, starts with the first record of a process (so anew in a forked child), never at
import, and works a moment after records came in. At exit the counters are written; a drain at work
gets half a second to finish. What isn't drained then stays in the spool for whoever comes next.
"""

import atexit
import threading
from typing import TYPE_CHECKING

from prunella.sdk.counters import count, guarded
from prunella.sdk.runtime import get_drain

if TYPE_CHECKING:
    from prunella.sdk.journal import Journal

#: Records lie in the spool about this long.
DELAY_S = 1.0
#: Longest wait after failures.
MAX_DELAY_S = 60.0
#: What a drain at work gets at exit.
EXIT_WAIT_S = 0.5


class _State:
    thread: "threading.Thread | None" = None
    at_exit = False

    #: Records came in since the last drain. Looked at, not signalled: waking a thread costs a
    #: failing call more than everything else.
    has_work = False


_stop = threading.Event()
_idle = threading.Event()
_idle.set()


def wake(journal: "Journal") -> None:
    """Have the spool drained soon; called after each record."""
    _State.has_work = True
    if _State.thread is None:
        guarded("drain", _start, journal)


def forked() -> None:
    """In a forked child, where the thread doesn't exist: be ready to start it."""
    global _stop, _idle
    _State.thread = None
    # Made anew, because their locks may have been held at the fork.
    _stop, _idle = threading.Event(), threading.Event()
    _idle.set()


def _start(journal: "Journal") -> None:
    if not _State.at_exit:
        _State.at_exit = True
        atexit.register(_finish, journal)
    thread = threading.Thread(target=_run, args=(journal,), name="prunella-drain", daemon=True)
    _State.thread = thread
    thread.start()


def _run(journal: "Journal") -> None:
    delay_s = DELAY_S
    while not _stop.wait(delay_s):
        if not _State.has_work:
            continue
        _State.has_work = False
        guarded("counts", journal.flush_counts)
        drain = get_drain()
        if drain is None:
            continue
        _idle.clear()
        try:
            drain(journal.root)
            delay_s = DELAY_S
        except Exception as error:  # noqa: BLE001 - the records stay in the spool for the next time
            count(f"drain_failed_{type(error).__name__}")
            delay_s = min(2 * delay_s, MAX_DELAY_S)
            _State.has_work = True
        finally:
            _idle.set()


def _finish(journal: "Journal") -> None:
    """At exit: leave nothing behind but the spool."""
    _stop.set()
    _idle.wait(EXIT_WAIT_S)
    guarded("counts", journal.finish)
