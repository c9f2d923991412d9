"""Fakes of boundary sites for a test that people keep: they answer as it was recorded."""

import ast
from collections.abc import Callable, Sequence
from pathlib import Path

from prunella.model.tree import Tree
from prunella.validate.policy import Function, named


def fake_lines(
    tree: Path,
    caller: str,
    answers: Sequence[tuple[str, Tree, Tree]],
    value: Callable[[Tree], str],
) -> list[str] | None:
    """Return lines of a test that has the fixture ``monkeypatch``: a fake for each boundary site.

    `answers` are ``(site id, inputs, result)`` in recorded order. `caller` is the module of the
    function under test: what it has imported by name is faked there. `value` writes a result as an
    expression. ``None`` where the source of a site isn't found below `tree`, or where it yields.
    """
    found: list[str] = []
    sites = list(dict.fromkeys(site_id for site_id, _, _ in answers))
    for number, site_id in enumerate(sites, 1):
        function = _function(tree, site_id)
        if function is None or _yields(function):
            return None
        results = [value(result) for site, _, result in answers if site == site_id]
        name = f"answers_{number}" if len(sites) > 1 else "answers"
        fake = f"lambda *args, **kwargs: next({name})"
        found.append(f"{name} = iter([{', '.join(results)}])")
        if isinstance(function, ast.AsyncFunctionDef):
            fake = f"{function.name}_answers"
            found += ["", f"async def {fake}(*args, **kwargs):", f"    return next({name})", ""]
        place = _place(tree, caller, site_id)
        found.append(f'monkeypatch.setattr("{place}", {fake})')
    return found


def _place(tree: Path, caller: str, site_id: str) -> str:
    """Return the dotted path at which the function under test looks the site up."""
    module, _, qualname = site_id.partition(":")
    if module != caller and "." not in qualname and qualname in _imported(_module(tree, caller)):
        return f"{caller}.{qualname}"
    return f"{module}.{qualname}"


def _imported(module: ast.Module | None) -> set[str]:
    return {
        alias.asname or alias.name
        for node in (module.body if module else ())
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _function(tree: Path, site_id: str) -> Function | None:
    dotted, _, qualname = site_id.partition(":")
    module = _module(tree, dotted)
    return None if module is None else next(named(module, qualname), None)


def _module(tree: Path, dotted: str) -> ast.Module | None:
    parts = dotted.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for folder in (tree, tree / "src"):
        place = folder.joinpath(*parts)
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file() and not path.is_symlink():
                try:
                    return ast.parse(path.read_bytes())
                except (OSError, SyntaxError, ValueError):
                    return None
    return None


def _yields(function: Function) -> bool:
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(function))
