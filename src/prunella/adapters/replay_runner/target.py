"""Finds the function of a site in the checked-out tree."""

import functools
import importlib
import importlib.util
import inspect
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_MAIN = "__prunella_main__"


class Unreplayable(Exception):
    """A call that can't be run, and why; the text is shown to people."""


class _TookTooLong(BaseException):
    """Ends a module body whose time is up."""


def find(site: str, *, main_file: str, limit_s: float) -> Callable[..., Any]:
    """Import the module of `site` (``module:qualname``) and return its function, with its decorators.

    A module body that raises or takes longer than `limit_s` seconds is left where it stopped; if it
    has defined the function by then, that is enough. Raises `Unreplayable`.
    """
    module_name, _, qualname = site.partition(":")
    if "<locals>" in qualname:
        raise Unreplayable(f"{site} is defined inside a function: only a call of that makes it")
    if "<lambda>" in qualname:
        raise Unreplayable(f"{site} is a lambda: it can't be found by its name")
    module, problem = _load(module_name, main_file, limit_s)
    try:
        return _resolve(module, qualname)
    except Unreplayable as error:
        ending = f"; its import stopped with {problem}" if problem else ""
        raise Unreplayable(f"{error}{ending}") from None


def _load(name: str, main_file: str, limit_s: float) -> tuple[ModuleType, str]:
    try:
        with _time_limit(limit_s):
            if name == "__main__":
                return load_main(main_file)
            if name in sys.modules:
                return sys.modules[name], ""
            parent = name.rpartition(".")[0]
            if parent:
                importlib.import_module(parent)
            if name in sys.modules:
                return sys.modules[name], ""
            spec = importlib.util.find_spec(name)
    except BaseException as error:  # noqa: BLE001 - a package's body may end in any way
        raise Unreplayable(f"module {name} can't be imported: {_brief(error)}") from None
    if spec is None or spec.loader is None:
        raise Unreplayable(f"there is no module {name} in the checked-out tree")
    module = importlib.util.module_from_spec(spec)
    problem = _execute(module, spec.loader, name, limit_s)
    if parent and parent in sys.modules:
        setattr(sys.modules[parent], name.rpartition(".")[2], module)
    return module, problem


def load_main(main_file: str) -> tuple[ModuleType, str]:
    """Import the program's main script; return it and why its body stopped early, if it did.

    Its ``if __name__ == "__main__":`` part doesn't run. Raises `Unreplayable`.
    """
    if _MAIN in sys.modules:
        return sys.modules[_MAIN], ""
    if not main_file or not Path(main_file).is_file():
        raise Unreplayable(f"the main script {main_file!r} is not in the checked-out tree")
    sys.path.insert(0, str(Path(main_file).parent))
    spec = importlib.util.spec_from_file_location(_MAIN, main_file)
    if spec is None or spec.loader is None:
        raise Unreplayable(f"the main script {main_file!r} is not Python source")
    module = importlib.util.module_from_spec(spec)
    problem = _execute(module, spec.loader, _MAIN, 1e9)
    _rename_main(module)
    return module, problem


def _execute(module: ModuleType, loader: Any, name: str, limit_s: float) -> str:
    sys.modules[name] = module
    try:
        with _time_limit(limit_s):
            loader.exec_module(module)
    except BaseException as error:  # noqa: BLE001 - a module's body may end in any way
        return _brief(error)
    return ""


def _rename_main(module: ModuleType) -> None:
    """Let what the main script defined call itself ``__main__``, as it did when it was recorded."""
    stack: list[Any] = [module]
    seen: set[int] = set()
    while stack:
        for value in list(vars(stack.pop()).values()):
            if isinstance(value, (type, FunctionType)) and value.__module__ == _MAIN:
                value.__module__ = "__main__"
                if isinstance(value, type) and id(value) not in seen:
                    seen.add(id(value))
                    stack.append(value)
    module.__name__ = "__main__"
    sys.modules["__main__"] = module


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise _TookTooLong(f"it took longer than {seconds:g} s")

    if seconds > 1e8:
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _brief(error: BaseException) -> str:
    if isinstance(error, (_TookTooLong, Unreplayable)):
        return str(error)
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except Exception:  # noqa: BLE001 - a project's __str__ may raise anything
        return type(error).__name__


def _resolve(module: ModuleType, qualname: str) -> Callable[..., Any]:
    owner: Any = module
    found: Any = module
    for name in qualname.split("."):
        owner = found
        try:
            found = inspect.getattr_static(owner, name)
        except AttributeError:
            raise Unreplayable(f"{module.__name__} has no {qualname}") from None
    return _function(found, owner, qualname)


def _function(found: Any, owner: Any, qualname: str) -> Callable[..., Any]:
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, functools.cached_property):
        found = found.func
    if isinstance(found, classmethod):
        found = MethodType(found.__func__, owner)
    elif isinstance(found, staticmethod):
        found = found.__func__
    if not callable(found):
        raise Unreplayable(f"{qualname} is no function but a {type(found).__name__}")
    return found  # type: ignore[no-any-return]  # it is callable


def as_recorded(function: Callable[..., Any], names: Collection[str]) -> Callable[..., Any]:
    """Return the layer of a decorated function that takes the recorded arguments.

    ``@heal`` may stand below or above other decorators; what it stood on had parameters of these
    `names`. Where no layer has, the innermost one is returned: the function as it was written.
    """
    owner = function.__self__ if isinstance(function, MethodType) else None
    layers = [function.__func__ if isinstance(function, MethodType) else function]
    while (inner := getattr(layers[-1], "__wrapped__", None)) is not None and len(layers) < 50:
        layers.append(inner)
    wanted = set(names)
    fitting = [layer for layer in layers if parameter_names(layer) == wanted]
    chosen = (fitting or layers)[-1]
    return chosen if owner is None else MethodType(chosen, owner)


def parameter_names(function: Callable[..., Any]) -> set[str]:
    """Return the names under which a call's arguments are recorded, stars included."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return set()
    plain = code.co_argcount + code.co_kwonlyargcount
    names = list(code.co_varnames)
    found = set(names[:plain])
    if code.co_flags & inspect.CO_VARARGS:
        found.add(f"*{names[plain]}")
        plain += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.add(f"**{names[plain]}")
    return found
