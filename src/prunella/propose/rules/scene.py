"""The scene of a crash: the function's tree, the node that failed, and the values around it."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prunella.model.dossier import Dossier
from prunella.model.records import ExceptionInfo, Frame
from prunella.model.tree import Tree
from prunella.patching import FunctionSpan, SourceText, locate
from prunella.patching.text import end_of
from prunella.propose.rules.values import named_values

#: Nested exceptions of one failing call looked at, at most.
_MAX_CAUSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failing call, as it was seen in the function that is to be patched."""

    reference: str
    exception: ExceptionInfo
    frame: Frame
    #: Line of the base at which it failed.
    line: int
    #: Local variables when it failed, by name.
    local_values: Mapping[str, Tree]
    inputs: Mapping[str, Tree]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the rules look at: one place of a crash with the failing and the passing calls."""

    text: SourceText
    span: FunctionSpan
    parents: Mapping[ast.AST, ast.AST]
    #: The failing calls that failed at `crash`; the first is the newest.
    failures: tuple[Failure, ...]
    #: The node that was running: an expression where the position is known, else a statement.
    crash: ast.expr | ast.stmt
    #: The function under ``@heal`` is the one to patch, so that inputs and results are its own.
    own_calls: bool
    passing_inputs: tuple[Mapping[str, Tree], ...]
    passing_results: tuple[Tree, ...]

    @property
    def node(self) -> ast.FunctionDef | ast.AsyncFunctionDef:
        """The function."""
        return self.span.node

    @property
    def exception(self) -> ExceptionInfo:
        """The exception of the newest failing call."""
        return self.failures[0].exception

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """Return the exact source of a node."""
        return self.text.segment(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node lies in, innermost first, up to the function."""
        while node is not self.span.node and node in self.parents:
            node = self.parents[node]
            yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the innermost statement that a node is or lies in."""
        for item in (node, *self.above(node)):
            if isinstance(item, ast.stmt):
                return item
        return self.span.node

    def local(self, name: str) -> list[Tree]:
        """Return the values of a variable when the failing calls failed."""
        found = (failure.local_values for failure in self.failures)
        return [values[name] for values in found if name in values]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the function's parameters."""
        given = self.node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        return tuple(item.arg for item in every)


def scenes(dossier: Dossier) -> list[Scene]:
    """Return one scene a place at which the dossier's function crashed, the commonest first.

    Raises `SourceUnavailable` where the function isn't in its file.
    """
    function = dossier.function
    if function is None:
        return []
    text = SourceText(function.file_source)
    span = locate(text, function.qualname, first_line=function.first_line)
    parents = {child: node for node in ast.walk(span.node) for child in ast.iter_child_nodes(node)}
    places: dict[tuple[str, ast.expr | ast.stmt], list[Failure]] = {}
    for failure in _failures(dossier, span):
        node = _node_at(span.node, failure)
        if node is not None:
            places.setdefault((failure.exception.type, node), []).append(failure)
    own = dossier.site.qualname == function.qualname and dossier.site.module == function.module
    replayed = [call for call, _ in dossier.baseline.passing] or list(dossier.passing)
    passing = [call for call in replayed if own and call.site_id == dossier.site.site_id]
    return [
        Scene(
            text=text,
            span=span,
            parents=parents,
            failures=tuple(failures),
            crash=node,
            own_calls=own,
            passing_inputs=tuple(named_values(call.inputs) for call in passing),
            passing_results=tuple(call.result for call in passing),
        )
        for (_, node), failures in sorted(places.items(), key=lambda item: -len(item[1]))
    ]


def _failures(dossier: Dossier, span: FunctionSpan) -> Iterator[Failure]:
    """Yield the reproduced failures, or the recorded ones where none was reproduced."""
    fresh = [(item, outcome.exception) for item, outcome in dossier.baseline.failing]
    seen = fresh or [(item, item.exception) for item in dossier.failing]
    for occurrence, exception in seen:
        frames = [] if exception is None else _frames_in(exception.frames, dossier, span)
        if exception is None or not frames:
            continue
        frame = frames[-1]
        values: dict[str, Tree] = {}
        for item in frames:  # a comprehension's frame sees the function's variables too
            values.update(named_values(item.local_values))
        shift = 0 if fresh else span.first_line - frames[0].first_line
        yield Failure(
            reference=str(occurrence.occurrence_id),
            exception=exception,
            frame=frame,
            line=frame.line + shift,
            local_values=values,
            inputs=named_values(occurrence.inputs),
        )


def _frames_in(frames: Sequence[Frame], dossier: Dossier, span: FunctionSpan) -> list[Frame]:
    """Return the innermost frame of the function, and the frames of comprehensions inside it."""
    function = dossier.function
    found: list[Frame] = []
    for frame in reversed(frames):
        same_file = function is not None and frame.file == function.path
        if not same_file or not frame.qualname.startswith(span.qualname):
            if found:
                break
            continue
        rest = frame.qualname.removeprefix(span.qualname)
        if rest and not rest.endswith(("comp>", "<genexpr>", "<lambda>")):
            continue
        found.insert(0, frame)
        if not rest:
            return found
    return []


def _node_at(function: ast.AST, failure: Failure) -> ast.expr | ast.stmt | None:
    """Return the smallest node at the frame's position, or the statement on its line."""
    position, shift = failure.frame.position, failure.line - failure.frame.line
    best: ast.expr | ast.stmt | None = None
    for node in ast.walk(function):
        if not isinstance(node, (ast.expr, ast.stmt)) or node is function:
            continue
        end_line, end_column = end_of(node)
        if position is not None:
            start = (position[0] + shift, position[2])
            end = (position[1] + shift, position[3])
            inside = (node.lineno, node.col_offset) <= start and end <= (end_line, end_column)
        else:
            inside = isinstance(node, ast.stmt) and node.lineno <= failure.line <= end_line
        if inside:
            best = node  # `walk` goes from the outside in, so the last one is the smallest
    return best


def describe_failures(failures: Sequence[Failure]) -> str:
    """Return how many calls failed, in words."""
    return "1 failing call" if len(failures) == 1 else f"{len(failures)} failing calls"
