"""Where the value of a name comes from, within one function."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prunella.patching.locate import FunctionNode


class Source(StrEnum):
    """How a name got its value."""

    #: It is a parameter.
    PARAMETER = "parameter"
    #: ``name = value``, also by ``:=`` and with an annotation.
    ASSIGNED = "assigned"
    #: ``name += value`` and the like.
    UPDATED = "updated"
    #: A loop or a comprehension runs over `value`.
    ITEM = "item"
    #: Part of a tuple that is unpacked from `value`.
    UNPACKED = "unpacked"
    #: ``with value as name``.
    ENTERED = "entered"
    #: Import, inner function or class, caught exception.
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One place that gives a name its value."""

    name: str
    source: Source
    line: int
    #: The expression that the value comes from; ``None`` for parameters and `Source.OTHER`.
    value: ast.expr | None = None
    #: Statement lists that it stands in, outermost first, by identity.
    blocks: tuple[int, ...] = ()


def definitions(function: FunctionNode) -> list[Definition]:
    """Return every definition of every name of `function`, in the order of its text."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    starred = [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
    found = [
        Definition(name=item.arg, source=Source.PARAMETER, line=function.lineno)
        for item in (*named, *starred)
    ]
    found.extend(_in_block(function.body, ()))
    return found


def reaching(known: Sequence[Definition], name: str, line: int) -> list[Definition]:
    """Return the definitions of `name` that its use on `line` may see, the latest first.

    Going back from the use, everything up to the first definition that every path passes. Loops
    that carry a value backwards are not followed.
    """
    use_blocks = _blocks_at(known, line)
    found: list[Definition] = []
    for item in reversed([d for d in known if d.name == name]):
        if item.line > line or (item.line == line and _defines_after(item)):
            continue
        found.append(item)
        if not item.blocks or item.blocks == use_blocks[: len(item.blocks)]:
            break
    return found


def names_in(node: ast.AST) -> list[str]:
    """Return the names that an expression reads, each once, in the order of its text."""
    read = [
        (item.lineno, item.col_offset, item.id)
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load)
    ]
    return list(dict.fromkeys(name for _, _, name in sorted(read)))


def origins(known: Sequence[Definition], name: str, line: int, depth: int = 5) -> list[Definition]:
    """Return the definitions that `name` goes back to, the nearest first, each once."""
    found: dict[tuple[str, int], Definition] = {}
    pending = [(name, line, depth)]
    while pending:
        wanted, at, left = pending.pop(0)
        for item in reaching(known, wanted, at):
            key = (item.name, item.line)
            if key in found:
                continue
            found[key] = item
            if item.value is not None and left:
                pending.extend((inner, item.line, left - 1) for inner in names_in(item.value))
    return list(found.values())


def _defines_after(item: Definition) -> bool:
    """A statement's own target is set after its value was computed; loop targets before."""
    return item.source in (Source.ASSIGNED, Source.UPDATED, Source.UNPACKED)


def _blocks_at(known: Sequence[Definition], line: int) -> tuple[int, ...]:
    before = [item for item in known if item.line <= line and item.blocks]
    return before[-1].blocks if before else ()


def _in_block(body: Sequence[ast.stmt], outer: tuple[int, ...]) -> Iterator[Definition]:
    blocks = (*outer, id(body))
    for node in body:
        yield from _in_statement(node, blocks)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                yield from _in_block(inner, blocks)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _in_block(part.body, blocks)


def _in_statement(node: ast.stmt, blocks: tuple[int, ...]) -> Iterator[Definition]:
    for target, source, value in _targets(node):
        yield from _bind(target, source, value, blocks)
    for name in _other_names(node):
        yield Definition(name=name, source=Source.OTHER, line=node.lineno, blocks=blocks)
    yield from _in_expressions(node, blocks)


def _targets(node: ast.stmt) -> Iterator[tuple[ast.expr, Source, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield target, Source.ASSIGNED, node.value
    elif isinstance(node, ast.AugAssign):
        yield node.target, Source.UPDATED, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, Source.ASSIGNED, node.value
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield node.target, Source.ITEM, node.iter
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                yield item.optional_vars, Source.ENTERED, item.context_expr


def _other_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]


def _in_expressions(node: ast.stmt, blocks: tuple[int, ...]) -> Iterator[Definition]:
    for field in ast.iter_child_nodes(node):
        if not isinstance(field, ast.expr):
            continue
        for inner in ast.walk(field):
            if isinstance(inner, ast.NamedExpr):
                yield from _bind(inner.target, Source.ASSIGNED, inner.value, blocks)
            elif isinstance(inner, ast.comprehension):
                yield from _bind(inner.target, Source.ITEM, inner.iter, blocks)


def _bind(
    target: ast.expr, source: Source, value: ast.expr, blocks: tuple[int, ...]
) -> Iterator[Definition]:
    if isinstance(target, ast.Name):
        yield Definition(
            name=target.id, source=source, line=target.lineno, value=value, blocks=blocks
        )
    elif isinstance(target, ast.Starred):
        yield from _bind(target.value, source, value, blocks)
    elif isinstance(target, (ast.Tuple, ast.List)):
        inner = source if source is Source.ITEM else Source.UNPACKED
        for part in target.elts:
            yield from _bind(part, inner, value, blocks)
