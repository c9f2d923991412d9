"""The functions of one source file, by the names the interpreter gives them."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One ``def`` of a file."""

    #: As in `__qualname__`: ``Class.method``, ``outer.<locals>.inner``.
    qualname: str
    #: Name of the class whose body it stands in; ``None`` for other functions.
    class_name: str | None
    #: Line of the first decorator, or of ``def``; counted from 1.
    first_line: int
    last_line: int
    node: FunctionNode

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.node.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A parsed file."""

    path: str
    tree: ast.Module
    #: Its lines with their line breaks; only ``\\r\\n``, ``\\r`` and ``\\n`` end a line.
    lines: tuple[str, ...]
    functions: tuple[Function, ...]

    def text(self, first_line: int, last_line: int) -> str:
        """Return whole lines, both ends included, counted from 1."""
        return "".join(self.lines[first_line - 1 : last_line])


def parse_module(path: str, source: bytes) -> Module | None:
    """Return the parsed file, or ``None`` where it isn't Python that this interpreter reads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their invalid escapes are not our warnings
            tree = ast.parse(source)
        text = _decode(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Module(
        path=path,
        tree=tree,
        lines=tuple(_LINE.findall(text)),
        functions=tuple(_functions(tree.body, "", None)),
    )


def _decode(source: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding)


def _functions(
    body: list[ast.stmt], prefix: str, class_name: str | None
) -> Iterator[Function]:
    for node in body:
        if isinstance(node, FunctionNode):
            qualname = prefix + node.name
            yield Function(
                qualname=qualname,
                class_name=class_name,
                first_line=min([node.lineno, *(item.lineno for item in node.decorator_list)]),
                last_line=node.end_lineno or node.lineno,
                node=node,
            )
            yield from _functions(node.body, f"{qualname}.<locals>.", None)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.", node.name)
        else:
            for block in _blocks(node):
                yield from _functions(block, prefix, class_name)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the statement lists inside a compound statement that opens no scope."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body
