"""The one thread of the SDK: looks for fixes, and hands the spool on to the store.

The SDK knows nothing of stores: `runtime.set_drain` gives it the function that empties the spool.
Where the program reports to a server, the spool is the business of `prunella.sdk.reporting` instead.
The thread is a daemon and starts with the first call that is looked at (so anew in a forked child),
never at import. Four times a second it writes the successes that wait, and looks whether there is news
of fixes; a moment after records came in it drains. At exit what waits is written, and the counters; a
drain at work gets half a second to finish. What isn't drained then stays in the spool for whoever
comes next.
"""

import atexit
import sys
import threading
from time import monotonic
from typing import TYPE_CHECKING

from prunella.sdk.counters import count, guarded
from prunella.sdk.runtime import get_drain

if TYPE_CHECKING:
    from prunella.sdk.journal import Journal
    from prunella.sdk.reporting import Reporter

#: News of fixes is seen this soon.
LOOK_S = 0.25
#: Records lie in the spool about this long.
DELAY_S = 1.0
#: What fixes did is told this often, where nothing else is to be told.
TELL_S = 5.0
#: What was counted of fixes in rollouts is shipped this often.
SHIP_S = 2.0
#: Longest wait after failures.
MAX_DELAY_S = 60.0
#: What a drain at work gets at exit.
EXIT_WAIT_S = 0.5


class _State:
    thread: "threading.Thread | None" = None
    journal: "Journal | None" = None
    reporter: "Reporter | None" = None
    at_exit = False

    #: How far the spool was written when it was last drained, ``None`` if it has to be drained anew.
    #: Looked at, not signalled: waking a thread costs a failing call more than everything else.
    drained: "tuple[int, int] | None" = (-1, 0)


_stop = threading.Event()
_idle = threading.Event()
_idle.set()
#: Whether something is to be reported, and by what, has been found out.
_ready = threading.Event()


def start(journal: "Journal") -> None:
    """Start the thread, if it doesn't run for this journal and is wanted at all."""
    if (_State.thread is None or _State.journal is not journal) and journal.is_wanted:
        _State.journal = journal
        guarded("background", _start)


def forked() -> None:
    """In a forked child, where the thread doesn't exist: be ready to start it."""
    global _stop, _idle, _ready
    _State.thread, _State.drained, _State.at_exit = None, (-1, 0), False
    if _State.reporter is not None:
        _State.reporter.forget()
        _State.reporter = None
    # Made anew, because their locks may have been held at the fork.
    _stop, _idle, _ready = threading.Event(), threading.Event(), threading.Event()
    _idle.set()


def _start() -> None:
    if not _State.at_exit:
        _State.at_exit = True
        _call_at_exit()
    if _State.thread is None:
        thread = threading.Thread(target=_run, name="prunella", daemon=True)
        _State.thread = thread
        thread.start()


def _call_at_exit() -> None:
    """Have `_finish` called when the process ends; `multiprocessing` ends its own without `atexit`."""
    atexit.unregister(_finish)  # a forked child has inherited it
    process, util = map(sys.modules.get, ("multiprocessing.process", "multiprocessing.util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _finish, exitpriority=0)
    else:
        atexit.register(_finish)


def _run() -> None:
    delay_s = DELAY_S
    due = monotonic() + delay_s
    told = monotonic() + TELL_S
    ships = monotonic() + SHIP_S
    if _State.journal is not None:
        _State.journal.waiting.open()
    guarded("report", _report)
    while not _stop.wait(LOOK_S):
        journal = _State.journal
        if journal is None:
            continue
        journal.waiting.open()
        guarded("calls", journal.waiting.write)
        guarded("feed", journal.feed.look)
        if monotonic() >= ships:
            guarded("counts", journal.ship)
            ships = monotonic() + SHIP_S
        if monotonic() >= told:
            guarded("counts", journal.tell_of_fixes)
            told = monotonic() + TELL_S
        if journal.spool.position != _State.drained and monotonic() >= due:
            delay_s = _drain(journal, delay_s)
            due = monotonic() + delay_s


def _report() -> None:
    """Begin to report to a server, where there is one; its modules are loaded for that alone."""
    journal = _State.journal
    try:
        if journal is None or not journal.dsn:
            return
        from prunella.sdk.reporting import open_reporter

        _State.reporter = open_reporter(journal.data_folder, journal.settings)
    finally:
        _ready.set()
    if _State.reporter is not None:
        _State.reporter.start()


def _drain(journal: "Journal", delay_s: float) -> float:
    """Empty the spool; return how long to wait before the next time."""
    guarded("counts", journal.flush)
    _State.drained = journal.spool.position
    drain = get_drain()
    if drain is None or journal.dsn:
        return delay_s
    _idle.clear()
    try:
        drain(journal.root)
    except Exception as error:  # noqa: BLE001 - the records stay in the spool for the next time
        count(f"drain_failed_{type(error).__name__}")
        _State.drained = None
        return min(2 * delay_s, MAX_DELAY_S)
    finally:
        _idle.set()
    return DELAY_S


def _finish() -> None:
    """At exit: leave nothing behind but the spool."""
    _stop.set()
    _idle.wait(EXIT_WAIT_S)
    if _State.journal is not None:
        guarded("counts", _State.journal.finish)
        is_reporting = _State.thread is not None and _State.journal.dsn
        if is_reporting and _ready.wait(EXIT_WAIT_S) and _State.reporter is not None:
            guarded("report", _State.reporter.finish)
