"""Finding a function in a file by its qualified name."""

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from prunella.model.errors import SourceUnavailable
from prunella.patching.text import SourceText, end_of

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpan:
    """Where a function stands: from the line of its first decorator to the end of its last line."""

    qualname: str
    node: FunctionNode
    #: Byte offsets; the indentation of the first line and a comment behind the last statement
    #: lie inside, the last line break outside.
    start: int
    end: int
    #: Line of the first decorator, or of ``def``; counted from 1.
    first_line: int
    last_line: int
    #: White space before ``def``.
    indent: str
    #: What lies between `start` and `end`.
    text: str


def functions(tree: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """Yield every function of a module with its qualified name, in the order of the text."""
    yield from _walk(tree, "")


def _walk(node: ast.AST, scope: str) -> Iterator[tuple[str, FunctionNode]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield scope + child.name, child
            yield from _walk(child, f"{scope}{child.name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _walk(child, f"{scope}{child.name}.")
        elif isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from _walk(child, scope)


def locate(
    source: bytes | SourceText,
    qualname: str,
    *,
    first_line: int | None = None,
    line: int | None = None,
) -> FunctionSpan:
    """Return where the function `qualname` (``A.f``, ``outer.<locals>.inner``) stands.

    Several of one name (a getter and its setter, branches of an ``if``) are told apart by
    `first_line` (that of the first decorator or of ``def``, as in `co_firstlineno`) or by a `line`
    inside; overloads for type checkers don't count. Raises `SourceUnavailable`.
    """
    text = source if isinstance(source, SourceText) else SourceText(source)
    found = [node for name, node in functions(text.tree) if name == qualname]
    if len(found) > 1:
        found = [node for node in found if not _is_overload(node)] or found
    if len(found) > 1 and first_line is not None:
        exact = [node for node in found if first_line in (_first_line(node), node.lineno)]
        found = exact or found
    if len(found) > 1 and line is not None:
        inside = [node for node in found if _first_line(node) <= line <= end_of(node)[0]]
        found = inside or found
    if not found:
        raise SourceUnavailable(f"the file defines no function {qualname!r}")
    if len(found) > 1:
        lines = ", ".join(str(_first_line(node)) for node in found)
        raise SourceUnavailable(
            f"the file defines {qualname!r} {len(found)} times, at lines {lines}; say which"
        )
    return _span(text, qualname, found[0])


def _span(text: SourceText, qualname: str, node: FunctionNode) -> FunctionSpan:
    begin = _decorator_line(text, node) if node.decorator_list else node.lineno
    last_line = text.logical_end(end_of(node)[0])
    start, end = _behind_form_feed(text, begin), text.line_end(last_line)
    def_start = _behind_form_feed(text, node.lineno)
    return FunctionSpan(
        qualname=qualname,
        node=node,
        start=start,
        end=end,
        first_line=begin,
        last_line=last_line,
        indent=text.decode(def_start, text.offset(node.lineno, node.col_offset)),
        text=text.decode(start, end),
    )


def _behind_form_feed(text: SourceText, line: int) -> int:
    """Return where a line begins; a form feed before its indentation stays outside."""
    start = text.line_start(line)
    content = text.source[start : text.next_line(line)]
    blank = content[: len(content) - len(content.lstrip(b" \t\f"))]
    return start + blank.rfind(b"\f") + 1


def _decorator_line(text: SourceText, node: FunctionNode) -> int:
    """Return the line of the first ``@``; it may stand above the decorator's expression."""
    first = node.decorator_list[0]
    start = text.line_start(first.lineno)
    before = text.decode(start, text.offset(first.lineno, first.col_offset))
    if before.strip() == "@":
        return first.lineno
    line = first.lineno
    for token in tokenize.tokenize(BytesIO(text.source).readline):
        if token.start > (first.lineno, 10**9):
            break
        if token.string == "@" and not token.line[: token.start[1]].strip():
            line = token.start[0]
    return line


def _first_line(node: FunctionNode) -> int:
    return min([node.lineno, *(item.lineno for item in node.decorator_list)])


def _is_overload(node: FunctionNode) -> bool:
    names = [getattr(item, "attr", getattr(item, "id", "")) for item in node.decorator_list]
    return "overload" in names
