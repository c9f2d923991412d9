"""Stops the wall clock and makes randomness repeatable, for one process of the replay.

The C functions behind `time.time`, `time.sleep`, `datetime.now`, `os.urandom` and their siblings
are exchanged in place (the technique of time-machine, done with `ctypes`), so that references taken
by ``from time import time`` are meant too and types stay what they are. `time.sleep` returns at
once and moves the clock forward by as much. `time.monotonic` and `time.perf_counter` go on.

On another interpreter than CPython nothing is exchanged: calls that read the clock then differ
between two replays and are set aside as flaky.
"""

import ctypes
import datetime
import os
import random
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

_VARARGS, _KEYWORDS, _NOARGS, _O, _FASTCALL = 0x1, 0x2, 0x4, 0x8, 0x80
_OBJECT = ctypes.py_object
_POINTER = ctypes.c_void_p


class _MethodDef(ctypes.Structure):
    """``PyMethodDef`` of CPython's C API."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _State:
    """Where the clock stands. One for the process; never a local, because C code refers to it."""

    now_us = 0
    bytes_source = random.Random(0)  # noqa: S311 - repeatable on purpose
    installed = False
    #: Keeps what C code points to alive.
    alive: list[Any] = []  # noqa: RUF012 - shared on purpose


def freeze(epoch_us: int) -> None:
    """Let the wall clock stand at `epoch_us` microseconds since the epoch, in this process."""
    _State.now_us = epoch_us
    _State.bytes_source = random.Random(0)  # noqa: S311 - repeatable on purpose
    if not _State.installed and sys.implementation.name == "cpython":
        _State.installed = True
        _install()


def _install() -> None:
    _replace(time.time, lambda: _State.now_us / 1e6)  # noqa: TID251 - the clock itself
    _replace(time.time_ns, lambda: _State.now_us * 1000)
    _replace(time.sleep, _sleep)
    for convert in (time.localtime, time.gmtime):
        _replace(convert, _with_seconds(_original(convert)))
    _replace(time.ctime, _with_seconds(_original(time.ctime)))
    _replace(time.strftime, _strftime(_original(time.strftime)))
    _replace(datetime.datetime.now, _now, of_class=True)  # noqa: TID251 - the clock itself
    _replace(datetime.datetime.utcnow, _utcnow, of_class=True)
    _replace(os.urandom, _urandom)


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    _State.now_us += round(seconds * 1e6)


def _urandom(size: int) -> bytes:
    return _State.bytes_source.randbytes(size)


def _with_seconds(original: Callable[..., Any]) -> Callable[..., Any]:
    def convert(seconds: float | None = None) -> Any:
        return original(_State.now_us / 1e6 if seconds is None else seconds)

    return convert


def _strftime(original: Callable[..., Any]) -> Callable[..., Any]:
    def strftime(form: str, moment: Any = None) -> Any:
        return original(form, time.localtime() if moment is None else moment)

    return strftime


def _now(kind: Any, tz: datetime.tzinfo | None = None) -> Any:
    seconds, us = divmod(_State.now_us, 1_000_000)
    return kind.fromtimestamp(seconds, tz).replace(microsecond=us)


def _utcnow(kind: Any) -> Any:
    return _now(kind, datetime.UTC).replace(tzinfo=None)


# --- CPython's method tables ---------------------------------------------------------------------


def _definition(method: Any) -> _MethodDef:
    # A PyCFunctionObject begins with the object's head, then the pointer to its definition.
    address = id(method) + object.__basicsize__
    return _MethodDef.from_address(_POINTER.from_address(address).value or 0)


def _original(method: Any) -> Callable[..., Any]:
    """Return a callable of the C function as it is now: of ``METH_VARARGS`` functions."""
    definition = _definition(method)
    kind = ctypes.PYFUNCTYPE(_OBJECT, _OBJECT, _OBJECT)
    function = kind(definition.function or 0)
    module = method.__self__
    if definition.flags & _O or not definition.flags & _VARARGS:
        raise RuntimeError(f"{method.__qualname__} of this interpreter is called in another way")
    return lambda *arguments: function(module, arguments)


def _replace(method: Any, python: Callable[..., Any], *, of_class: bool = False) -> None:
    """Let the C function behind `method` call `python` (with the class first if `of_class`)."""
    definition = _definition(method)
    shape = definition.flags & (_VARARGS | _KEYWORDS | _NOARGS | _O | _FASTCALL)
    adapter = _ADAPTERS.get(shape)
    if adapter is None:
        return
    callback = adapter(python, of_class)
    _State.alive.append(callback)
    definition.function = ctypes.cast(callback, _POINTER).value


def _call(python: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        return python(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller shall see it
        _raise_in(sys._getframe(2), error)  # noqa: SLF001 - the documented way to a caller
        return None


def _raise_in(caller: FrameType, error: Exception) -> None:
    """Raise `error` in `caller` as soon as that goes on: C code between can't pass it on.

    A trace function may raise in the frame that it traces.
    """
    before = sys.gettrace()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        sys.settrace(before)
        frame.f_trace = None
        raise error.with_traceback(None)

    caller.f_trace = trace
    caller.f_trace_opcodes = True
    sys.settrace(lambda frame, event, argument: None)


def _from_varargs(python: Callable[..., Any], of_class: bool) -> Any:
    def call(first: Any, arguments: Any) -> Any:
        return _call(python, (first, *arguments) if of_class else arguments, {})

    return ctypes.PYFUNCTYPE(_OBJECT, _OBJECT, _OBJECT)(call)


def _from_nothing(python: Callable[..., Any], of_class: bool) -> Any:
    def call(first: Any, nothing: int | None) -> Any:
        return _call(python, (first,) if of_class else (), {})

    return ctypes.PYFUNCTYPE(_OBJECT, _OBJECT, _POINTER)(call)


def _from_one(python: Callable[..., Any], of_class: bool) -> Any:
    def call(first: Any, argument: Any) -> Any:
        return _call(python, (first, argument) if of_class else (argument,), {})

    return ctypes.PYFUNCTYPE(_OBJECT, _OBJECT, _OBJECT)(call)


def _from_fastcall(python: Callable[..., Any], of_class: bool) -> Any:
    def call(first: Any, values: Any, count: int, names: int | None) -> Any:
        keys = ctypes.cast(names, _OBJECT).value if names else ()
        given = [values[index] for index in range(count + len(keys))]
        named = dict(zip(keys, given[count:], strict=True))
        arguments = given[:count]
        return _call(python, (first, *arguments) if of_class else tuple(arguments), named)

    signature = (_OBJECT, ctypes.POINTER(_OBJECT), ctypes.c_ssize_t, _POINTER)
    return ctypes.PYFUNCTYPE(_OBJECT, *signature)(call)


_ADAPTERS: dict[int, Callable[[Callable[..., Any], bool], Any]] = {
    _VARARGS: _from_varargs,
    _NOARGS: _from_nothing,
    _O: _from_one,
    _FASTCALL | _KEYWORDS: _from_fastcall,
}
