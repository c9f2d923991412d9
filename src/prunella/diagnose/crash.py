"""The place of a failure in the source: frame, failing expression, values of the locals."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from prunella.diagnose.scopes import Function, Module, parse_module
from prunella.diagnose.source import owner_name
from prunella.diagnose.values import Scope
from prunella.model.dossier import Dossier
from prunella.model.errors import SourceUnavailable
from prunella.model.records import ExceptionInfo, Frame
from prunella.model.repair import SourceFunction
from prunella.patching.text import parse

_TEXT_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """One failure, seen at the innermost project frame."""

    #: Id of the occurrence.
    reference: str
    #: It failed again on the base just now, so that lines and values are fresh.
    reproduced: bool
    exception: ExceptionInfo
    #: Lines are those of the base.
    frame: Frame
    #: The function as a node of the base's syntax tree.
    function: Function
    module: Module
    #: The expression that failed, by its exact position; ``None`` where it isn't known.
    expression: ast.expr | None
    #: The innermost statement on the failing line.
    statement: ast.stmt | None
    scope: Scope

    @property
    def place(self) -> str:
        """``file:line`` of the failing line."""
        return f"{self.module.path}:{self.frame.line}"

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return a node as it stands in the file, on one bounded line.

        Positions inside of f-strings are unreliable before Python 3.12: where they don't lead to
        the same code, the node is written anew.
        """
        try:
            segment = self.module.source.segment(node)
            same = _dump(segment, whole=isinstance(node, ast.stmt)) == ast.dump(node)
        except (SourceUnavailable, SyntaxError, ValueError, IndexError, RecursionError):
            same = False
        return one_line(segment if same else ast.unparse(node))


def locate_crash(dossier: Dossier) -> Crash | None:
    """Return the failure to explain: a reproduced one if there is one, else the latest recorded.

    ``None`` where the dossier has no function or no frame of it.
    """
    function = dossier.function
    if function is None:
        return None
    module = parse_module(function.path, function.file_source)
    if module is None:
        return None
    for reference, exception, reproduced in _exceptions(dossier):
        frame = project_frame(exception, function)
        if frame is not None:
            return _crash(reference, exception, frame, reproduced, module, function)
    return None


def project_frame(exception: ExceptionInfo, function: SourceFunction) -> Frame | None:
    """Return the innermost frame of the project if it runs code of `function`."""
    own = [frame for frame in exception.frames if frame.in_project]
    if own and owner_name(own[-1].qualname) == function.qualname:
        return own[-1]
    return None


def one_line(text: str, *, max_chars: int = _TEXT_CHARS) -> str:
    """Return untrusted text on one bounded line, without control characters and back quotes."""
    plain = "".join(char if char.isprintable() else " " for char in text[: 4 * max_chars])
    line = " ".join(plain.split()).replace("`", "'")
    return line if len(line) <= max_chars else f"{line[: max_chars - 1]}…"


def _dump(segment: str, *, whole: bool) -> str:
    if whole:
        return ast.dump(parse(segment).body[0])
    statement = parse(f"({segment}\n)").body[0]
    return ast.dump(statement.value) if isinstance(statement, ast.Expr) else ""


def _exceptions(dossier: Dossier) -> Iterator[tuple[str, ExceptionInfo, bool]]:
    for occurrence, outcome in dossier.baseline.failing:
        if outcome.exception is not None:
            yield occurrence.occurrence_id, outcome.exception, True
    for occurrence in dossier.failing:
        yield occurrence.occurrence_id, occurrence.exception, False


def _crash(
    reference: str,
    exception: ExceptionInfo,
    frame: Frame,
    reproduced: bool,
    module: Module,
    source: SourceFunction,
) -> Crash:
    function = module.function(source.qualname, source.first_line)
    if not reproduced and frame.qualname == source.qualname:
        frame = _moved(frame, source.first_line - frame.first_line)
    return Crash(
        reference=reference,
        reproduced=reproduced,
        exception=exception,
        frame=frame,
        function=function,
        module=module,
        expression=_expression(function, frame),
        statement=_statement(function, frame.line),
        scope=Scope.of(frame.local_values),
    )


def _moved(frame: Frame, lines: int) -> Frame:
    """Shift a frame that was recorded before its function moved within the file."""
    if not lines:
        return frame
    position = frame.position
    if position is not None:
        position = (position[0] + lines, position[1] + lines, position[2], position[3])
    return replace(
        frame, line=frame.line + lines, first_line=frame.first_line + lines, position=position
    )


def _expression(function: Function, frame: Frame) -> ast.expr | None:
    if frame.position is None:
        return None
    line, end_line, column, end_column = frame.position
    exact: ast.expr | None = None
    around: ast.expr | None = None
    for node in ast.walk(function.node):
        if not isinstance(node, ast.expr):
            continue
        start = node.lineno, node.col_offset
        end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        if start == (line, column) and end == (end_line, end_column):
            exact = exact or node
        elif start <= (line, column) and end >= (end_line, end_column):
            around = node  # walk goes from the outside in: the last one is the smallest
    return exact or around


def _statement(function: Function, line: int) -> ast.stmt | None:
    found: ast.stmt | None = None
    for node in ast.walk(function.node):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            found = node if found is None or _size(node) <= _size(found) else found
    return found


def _size(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno
