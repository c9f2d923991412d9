"""The one recorder of this process: made at the first call, renewed in a forked child.

`begin`, `failed` and `returned` are what wrappers call. Whatever goes wrong in here is counted and
kept from the program.
"""

from __future__ import annotations

import os
from _thread import RLock
from sys import exception

from prunella.model.interruption import pass_on
from prunella.sdk import counters
from prunella.sdk.counters import guarded, note_fault, switched_off
from prunella.sdk.site import MAX_GRANT, Site
from prunella.sdk.trace import current
from prunella.sdk.wrapper import FILENAME
from prunella.sdk.yields import observe

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from prunella.fixes import Finished
    from prunella.sdk.fixing import Fixing
    from prunella.sdk.process import Host
    from prunella.sdk.recording import Recorder
    from prunella.sdk.running import Running


#: Files whose frames are taken out of tracebacks.
_OURS = frozenset(
    {
        FILENAME,
        observe.__code__.co_filename,
        # Named, not imported: without fixes the program does without them.
        *(
            os.path.join(os.path.dirname(__file__), name)  # noqa: PTH118, PTH120 - pathlib takes longer to import
            for name in ("fixed_calls.py", "fixed_streams.py", "drivers.py")
        ),
    }
)


_ON = frozenset({"1", "true", "yes", "on"})


class _State:
    recorder: Recorder | None = None
    is_off: bool = False
    making = RLock()
    watches_forks: bool = False
    drain: Callable[[Path], object] | None = None
    fixing: Fixing | None = None


def begin(site: Site, values: tuple[Any, ...]) -> Running | None:
    """Decide whether the call that is about to happen is recorded."""
    if site.reserve:
        site.refill()
        return None
    if _State.is_off or "calls" in switched_off:
        site.settle()
        site.grant(MAX_GRANT)
        return None
    try:
        recorder = _State.recorder or active()
        return recorder.begin(site, values)
    except Exception as fault:  # noqa: BLE001 - as in `guarded`, without its price
        note_fault("calls", fault)
        return None


def returned(running: Running, result: Any) -> None:
    """Record what a call that `begin` took up has returned."""
    recorder = _State.recorder
    if recorder is not None and "calls" not in switched_off:
        try:
            recorder.returned(running, result)
        except Exception as fault:  # noqa: BLE001 - as in `guarded`, without its price
            note_fault("calls", fault)


def failed(site: Site, running: Running | None, values: tuple[Any, ...]) -> None:
    """Record the exception that is being handled, and take the wrapper out of its traceback."""
    error = exception()
    if error is None:
        return
    try:  # as `_take_us_out`, without a call; the function itself is known at sight
        code, called = None, site.called
        step = error.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            if code is called or code.co_filename not in _OURS:
                break
            step = step.tb_next
        error.__traceback__ = step
    except Exception as fault:  # noqa: BLE001 - an exception that refuses to be looked at
        counters.count("dropped_errors")
        pass_on(fault)
        return
    if _State.is_off or "errors" in switched_off:
        return
    try:
        recorder = _State.recorder or active()
        recorder.failures.take(site, running, values, error, step, code)
    except RecursionError:
        pass  # the next site outwards has more room
    except Exception as fault:  # noqa: BLE001 - as in `guarded`, without its price
        note_fault("errors", fault)


def _take_us_out(error: BaseException) -> None:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename in _OURS:
        traceback = traceback.tb_next
    error.__traceback__ = traceback


def fixed(site: Site, values: dict[str, Any], finished: Finished) -> None:
    """Note in the records what fixes made of a call that is about to end."""
    if _State.is_off or "errors" in switched_off:
        return
    running = current.get()
    if running is not None and (running.site is not site or running.is_over):
        running = None
    if running is not None:
        running.finished = finished
    if finished.masked is not None:
        error, fix_id = finished.masked
        _take_us_out(error)
        active().failures.mask(site, running, values, error, fix_id)


def report(error: BaseException) -> None:
    """Record an exception that no site has seen."""
    if not _State.is_off and isinstance(error, Exception):
        active().failures.elsewhere(error)


def is_switched_off() -> bool:
    """Tell whether the environment says that functions are to stay as they are."""
    if os.environ.get("PRUNELLA_REPLAY") == "1":
        return True
    return os.environ.get("PRUNELLA_DISABLED", "").strip().lower() in _ON


def active() -> Recorder:
    """Return the recorder, made on first use."""
    recorder = _State.recorder
    if recorder is not None:
        return recorder
    with _State.making:
        recorder = _State.recorder
        if recorder is None:
            from prunella.sdk import background
            from prunella.sdk.process import Host
            from prunella.sdk.recording import Recorder

            recorder = Recorder(Host())
            if not recorder.host.is_disabled:
                guarded("feed", recorder.journal.feed.look)
            _State.recorder = recorder
            background.start(recorder.journal)
            if not _State.watches_forks:
                _State.watches_forks = True
                os.register_at_fork(after_in_child=_forked)
    return recorder


def _forked() -> None:
    _State.making = RLock()
    if _State.fixing is not None:
        _State.fixing.renew()
    recorder = _State.recorder
    if recorder is not None:
        from prunella.sdk import background

        counters.reset()
        background.forked()
        recorder.journal.spool.close()
        recorder.host.renew()
        recorder.renew()


def set_drain(drain: Callable[[Path], object] | None) -> None:
    """Make `drain` what empties the spool of the project at a root into its store.

    It is called from a background thread soon after records came in, and may raise. With ``None``,
    records stay in the spool.
    """
    _State.drain = drain


def get_drain() -> Callable[[Path], object] | None:
    """Return what `set_drain` was given."""
    return _State.drain


def set_fixing(fixing: Fixing | None) -> None:
    """Make `fixing` the fixes of this process, which sites ask for when they are decorated."""
    _State.fixing = fixing


def get_fixing() -> Fixing | None:
    """Return the fixes of this process, ``None`` as long as none was ever installed."""
    return _State.fixing


def host() -> Host | None:
    """Return what is known of the process, ``None`` where nothing can be found out."""
    recorder = guarded("fixes", active)
    return None if recorder is None else recorder.host


def is_off() -> bool:
    """Tell whether `disable` was called."""
    return _State.is_off


def disable() -> None:
    """Switch everything off in this process, at once: nothing is recorded any more."""
    _State.is_off = True
    if _State.fixing is not None:
        _State.fixing.on_until_s = 0.0


def enable() -> None:
    """Take `disable` back."""
    _State.is_off = False


def flush() -> None:
    """Write the counters now."""
    recorder = _State.recorder
    if recorder is not None and not _State.is_off:
        guarded("counts", recorder.journal.flush)
