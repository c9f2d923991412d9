"""``@heal`` on a whole package without edits.

A package that is imported later is compiled with ``@heal`` directly above each ``def`` of a module
or class, below its other decorators: so tables of functions, registrations by decorators and
``from … import`` all get the observed function. Lines stay as they are. A package that is imported
already gets its functions, methods and properties replaced where modules and classes name them,
also in modules that took them over by ``from … import``; what other objects hold stays as it is.

Left alone are functions within functions, ``typing.overload`` stubs, special methods other than
`OBSERVED_SPECIALS`, and modules that don't come from plain source files.
"""

import ast
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType, ModuleType
from typing import Any

from prunella.sdk.counters import count, guarded
from prunella.sdk.decorator import heal

OBSERVED_SPECIALS = frozenset({"__init__", "__post_init__", "__call__"})
#: What the injected decorators are called in the module's namespace, while it is executed.
_NAME = "__prunella_heal__"


def instrument(packages: Sequence[str]) -> None:
    """Observe every function of these packages, imported already or not."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and _belongs(name, packages):
            guarded("instrument", _replace_in_module, module)
    sys.meta_path.insert(0, _Finder(tuple(packages)))


def _belongs(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


# --- packages that are imported later -----------------------------------------------------------


class _Finder(MetaPathFinder):
    """Puts `_Loader` in the place of the ordinary source loader."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _belongs(fullname, self._packages):
            return None
        for finder in sys.meta_path:
            if isinstance(finder, _Finder):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = _Loader(spec.loader.name, spec.loader.path)
                elif spec.loader is not None:
                    count("dropped_modules")
                return spec
        return None


class _Loader(SourceFileLoader):
    """Compiles a module with `heal` above its functions; its bytecode isn't cached."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        data = self.get_data(path)
        code = guarded("instrument", compile_observed, data, path)
        if code is None:
            return super().source_to_code(data, path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[_NAME] = heal
        try:
            super().exec_module(module)
        finally:
            vars(module).pop(_NAME, None)


def compile_observed(source: bytes, path: str) -> CodeType | None:
    """Return the code of a module with `heal` above each ``def``; ``None`` if it doesn't parse."""
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError):
        return None
    _decorate(tree.body)
    return compile(tree, path, "exec", dont_inherit=True)


def _decorate(body: list[ast.stmt]) -> None:
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if _is_observed(statement):
                name = ast.Name(_NAME, ast.Load(), **_place(statement))
                statement.decorator_list.append(name)
        elif not isinstance(statement, (ast.Match, ast.For, ast.While, ast.AsyncFor)):
            for part in ("body", "orelse", "finalbody", "handlers"):
                _decorate([_as_statement(item) for item in getattr(statement, part, ())])


def _as_statement(item: Any) -> ast.stmt:
    """Look at an exception handler as at a statement: both have a body."""
    return item  # type: ignore[no-any-return]  # a statement or a handler


def _place(statement: ast.stmt) -> dict[str, int]:
    return {
        "lineno": statement.lineno,
        "col_offset": statement.col_offset,
        "end_lineno": statement.lineno,
        "end_col_offset": statement.col_offset,
    }


def _is_observed(statement: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    name = statement.name
    if name.startswith("__") and name.endswith("__") and name not in OBSERVED_SPECIALS:
        return False
    return not any(
        getattr(decorator, "id", getattr(decorator, "attr", "")) in ("overload", "heal")
        for decorator in statement.decorator_list
    )


# --- packages that are imported already ---------------------------------------------------------


def _replace_in_module(module: ModuleType) -> None:
    replaced: dict[int, tuple[FunctionType, Any]] = {}
    for name, value in list(vars(module).items()):
        if type(value) is FunctionType and value.__module__ == module.__name__:
            wrapper = heal(value)
            if wrapper is not value:
                replaced[id(value)] = (value, wrapper)
                setattr(module, name, wrapper)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            _replace_in_class(value)
    for other in list(sys.modules.values()):
        if isinstance(other, ModuleType):
            _rebind(vars(other), replaced)


def _replace_in_class(cls: type) -> None:
    for name, value in list(vars(cls).items()):
        special = name.startswith("__") and name.endswith("__")
        if special and name not in OBSERVED_SPECIALS:
            continue
        inner = getattr(value, "__func__", value) if type(value) in _WRAPPED else value
        if type(inner) is FunctionType and inner.__module__ == cls.__module__:
            setattr(cls, name, heal(value))
        elif type(value) is property:
            setattr(cls, name, _observed(value, cls.__module__))
        elif isinstance(value, type) and value.__qualname__ == f"{cls.__qualname__}.{name}":
            _replace_in_class(value)


_WRAPPED = (staticmethod, classmethod)


def _observed(found: property, module: str) -> property:
    """Return a property whose functions are observed, those of that module."""

    def heal_own(function: Any) -> Any:
        is_own = type(function) is FunctionType and function.__module__ == module
        return heal(function) if is_own else function

    getter, setter, deleter = map(heal_own, (found.fget, found.fset, found.fdel))
    return property(getter, setter, deleter, found.__doc__)


def _rebind(namespace: dict[str, Any], replaced: dict[int, tuple[FunctionType, Any]]) -> None:
    for name, value in list(namespace.items()):
        found = replaced.get(id(value))
        if found is not None and found[0] is value:
            namespace[name] = found[1]
