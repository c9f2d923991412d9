"""The functions of one source file, by the names the interpreter gives them."""

import ast
from dataclasses import dataclass

from prunella.model.errors import SourceUnavailable
from prunella.patching import SourceText, functions
from prunella.patching.locate import FunctionNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One ``def`` of a file."""

    #: As in `__qualname__`: ``Class.method``, ``outer.<locals>.inner``.
    qualname: str
    #: Line of the first decorator, or of ``def``; counted from 1.
    first_line: int
    last_line: int
    node: FunctionNode

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.node.name

    @property
    def class_name(self) -> str | None:
        """Name of the class whose body it stands in; ``None`` for other functions."""
        outer = self.qualname.rpartition(".")[0].rpartition(".")[2]
        return None if outer in ("", "<locals>") else outer


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A parsed file."""

    path: str
    source: SourceText
    functions: tuple[Function, ...]

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return self.source.tree

    def text(self, first_line: int, last_line: int) -> str:
        """Return whole lines, both ends included, counted from 1; those that it doesn't have: none."""
        last_line = min(last_line, len(self.source.lines))
        if not 1 <= first_line <= last_line:
            return ""
        return self.source.decode(
            self.source.line_start(first_line), self.source.next_line(last_line)
        )

    def function(self, qualname: str, first_line: int) -> Function:
        """Return the function of that name, the one on that line if there are several."""
        same = [item for item in self.functions if item.qualname == qualname]
        return next((item for item in same if item.first_line == first_line), same[0])


def parse_module(path: str, source: bytes) -> Module | None:
    """Return the parsed file, or ``None`` where it isn't Python that this interpreter reads."""
    try:
        text = SourceText(source)
        found = tuple(_function(name, node) for name, node in functions(text.tree))
    except (SourceUnavailable, RecursionError):
        return None
    return Module(path=path, source=text, functions=found)


def _function(qualname: str, node: FunctionNode) -> Function:
    return Function(
        qualname=qualname,
        first_line=min([node.lineno, *(item.lineno for item in node.decorator_list)]),
        last_line=node.end_lineno or node.lineno,
        node=node,
    )
