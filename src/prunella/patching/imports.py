"""The import statements of a file: which names they bind, and where a new one goes."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunella.model.errors import PatchRefused
from prunella.patching.text import SourceText, end_of


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: ``import module as name`` or ``from module import attribute as name``."""

    module: str
    attribute: str | None
    alias: str | None

    @property
    def binds(self) -> str:
        """The name that it binds in the importing module."""
        if self.alias is not None:
            return self.alias
        return self.attribute or self.module.partition(".")[0]

    def statement(self) -> str:
        """Return it as a line of source."""
        suffix = f" as {self.alias}" if self.alias is not None else ""
        if self.attribute is None:
            return f"import {self.module}{suffix}"
        return f"from {self.module} import {self.attribute}{suffix}"


def imports_of(statement: ast.stmt) -> list[Import]:
    """Return what an import statement imports; nothing for other statements."""
    if isinstance(statement, ast.Import):
        return [Import(item.name, None, _alias(item, item.name)) for item in statement.names]
    if isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        return [Import(module, item.name, _alias(item, item.name)) for item in statement.names]
    return []


def _alias(item: ast.alias, name: str) -> str | None:
    return item.asname if item.asname != name or "." in name else None


def missing_imports(tree: ast.Module, wanted: Sequence[Import]) -> list[Import]:
    """Return those of `wanted` that the module doesn't have yet, each once.

    Raises `PatchRefused` where one would change the file's meaning elsewhere: a star import, a
    new ``__future__``, or a name that the module already binds to something else.
    """
    statements = list(_executed(tree.body))
    present = {item for statement in statements for item in imports_of(statement)}
    bound = _bound_elsewhere(statements)
    missing: list[Import] = []
    for item in wanted:
        if item in present or item in missing:
            continue
        if item.attribute == "*":
            raise PatchRefused("star_import", f"{item.statement()!r} may rebind any name")
        if item.module == "__future__":
            raise PatchRefused("future_import", f"{item.statement()!r} changes the whole file")
        rivals = {other for other in present if other.binds == item.binds}
        if item.binds in bound or any(not _agree(item, other) for other in rivals):
            raise PatchRefused(
                "import_conflict",
                f"{item.statement()!r} would rebind {item.binds!r}, which the file uses otherwise",
            )
        missing.append(item)
    return missing


def _agree(one: Import, other: Import) -> bool:
    """Both bind the same package: ``import os`` and ``import os.path``."""
    plain = one.attribute is None and other.attribute is None
    return plain and one.alias is None and other.alias is None


def _executed(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module is imported, inside blocks too."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            if name == "body" and _is_type_checking(statement):
                continue
            yield from _executed(getattr(statement, name, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _executed(handler.body)
        for case in getattr(statement, "cases", ()):
            yield from _executed(case.body)


def _is_type_checking(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)


def _bound_elsewhere(statements: Sequence[ast.stmt]) -> set[str]:
    """Return module-level names bound by definitions and assignments outside import blocks."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            names.update(
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
    return names


def insertion(text: SourceText) -> tuple[int, bool]:
    """Return the byte offset for a new import, and whether imports already stand before it.

    It is behind the imports at the head of the file, else behind docstring, shebang, coding line
    and the comment block that opens the file.
    """
    last, after_import = 0, False
    for index, statement in enumerate(text.tree.body):
        is_import = isinstance(statement, (ast.Import, ast.ImportFrom))
        if not is_import and not (index == 0 and _is_docstring(statement)):
            break
        last, after_import = end_of(statement)[0], after_import or is_import
    if not last:
        return text.line_start(_header(text) + 1), False
    for statement in text.tree.body:
        if statement.lineno <= last < end_of(statement)[0]:
            last = end_of(statement)[0]  # `import a; x = """…` goes on behind this line
    return text.next_line(text.logical_end(last)), after_import


def _is_docstring(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return (
        isinstance(statement, ast.Expr)
        and isinstance(value, ast.Constant)
        and isinstance(value.value, str)
    )


def _header(text: SourceText) -> int:
    """Return how many lines at the top are the file's own comments (shebang, coding, licence)."""
    count = 0
    while count < len(text.lines) and text.lines[count].lstrip(b"\xef\xbb\xbf").startswith(b"#"):
        count += 1
    if count < len(text.lines) and text.lines[count].strip():
        # The block touches code, so its lower part may be about that code.
        fixed = [
            line.startswith(b"#!") or b"coding" in line for line in text.lines[: min(count, 2)]
        ]
        return len(fixed) - fixed[::-1].index(True) if True in fixed else 0
    return count
