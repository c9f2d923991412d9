"""What the imports of a file make its names mean, as far as the project's own files go."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What one name of a file stands for."""

    #: File of the project that it comes from.
    path: str
    #: Name within that file; ``None`` where the name stands for the module itself.
    name: str | None


class ProjectFiles:
    """Finds the file behind a dotted module name."""

    def __init__(self, paths: Iterable[str]) -> None:
        #: Every ending of every module name: ``src.shop.cart`` answers to ``shop.cart`` too.
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(paths, key=lambda item: (item.count("/"), item)):
            parts = _module_parts(path)
            for start in range(len(parts)):
                self._by_name.setdefault(".".join(parts[start:]), []).append(path)

    def find(self, dotted: str, *, near: str) -> str | None:
        """Return the file of module `dotted` as imported by file `near`.

        Where several fit, the one that shares most of its folders with `near`.
        """
        found = self._by_name.get(dotted, [])
        return max(found, key=lambda path: _shared_folders(path, near), default=None)


def resolve_imports(tree: ast.AST, path: str, files: ProjectFiles) -> Mapping[str, Imported]:
    """Return the names that imports anywhere in `tree` bind to things of the project."""
    names: dict[str, Imported] = {}
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` binds `a`; the dotted use `a.b.f` is looked up by its whole prefix.
                target = files.find(alias.name, near=path)
                if target is not None:
                    names[alias.asname or alias.name] = Imported(path=target, name=None)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, path)
            for alias in node.names:
                found = _from_import(base, alias.name, path, files)
                if found is not None:
                    names[alias.asname or alias.name] = found
    return names


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements; unlike `ast.walk` it doesn't look through every expression."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield child
            yield from _statements(child)


def _from_import(base: str, name: str, path: str, files: ProjectFiles) -> Imported | None:
    submodule = files.find(f"{base}.{name}" if base else name, near=path)
    if submodule is not None and _module_parts(submodule)[-1] == name:
        return Imported(path=submodule, name=None)
    module = files.find(base, near=path) if base else None
    return None if module is None else Imported(path=module, name=name)


def _absolute(node: ast.ImportFrom, path: str) -> str:
    if not node.level:
        return node.module or ""
    folders = PurePosixPath(path).parts[: -node.level]
    return ".".join((*folders, node.module) if node.module else folders)


def _module_parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).with_suffix("").parts
    return parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts


def _shared_folders(one: str, other: str) -> int:
    pairs = zip(PurePosixPath(one).parts[:-1], PurePosixPath(other).parts[:-1], strict=False)
    count = 0
    for left, right in pairs:
        if left != right:
            break
        count += 1
    return count
