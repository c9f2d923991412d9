"""Edits of exact source segments; formatting and comments around them stay."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from prunella.patching.incoming import step_of
from prunella.patching.text import end_of
from prunella.propose.rules.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Bytes ``start:end`` of the file become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a rule proposes."""

    #: ``family.variant``: what the calibrated priors are kept for.
    rule: str
    edits: tuple[Edit, ...]
    description: str
    reason: str
    #: Factor on the rule's prior from evidence at hand: above 1 speaks for it.
    weight: float = 1.0
    #: Import statements that the edit needs.
    imports: tuple[str, ...] = ()


def replacing(scene: Scene, node: ast.expr | ast.stmt, text: str) -> Edit:
    """Return the edit that puts `text` in place of a node."""
    start, end = scene.text.span(node)
    return Edit(start=start, end=end, text=text)


def adding_argument(scene: Scene, call: ast.Call, text: str) -> Edit:
    """Return the edit that puts `text` behind the only argument of a call."""
    argument = call.args[0]
    own = scene.segment(argument)
    shares = isinstance(argument, ast.GeneratorExp) and end_of(argument) == end_of(call)
    # The only argument of a call may be a generator without parentheses of its own.
    return replacing(scene, argument, f"({own}, {text})" if shares else f"{own}, {text}")


def anchor(scene: Scene, node: ast.AST) -> ast.stmt:
    """Return the innermost statement around a node that a new line can stand before.

    An ``elif`` and a statement on its header's line can't have one: what holds them can.
    """
    statement = scene.statement(node)
    while statement is not scene.node:
        line_start = scene.text.line_start(statement.lineno)
        start = scene.text.offset(statement.lineno, statement.col_offset)
        before = scene.text.decode(line_start, start)
        is_elif = isinstance(statement, ast.If) and not scene.segment(statement).startswith("if")
        if not before.strip() and not is_elif:
            break
        statement = scene.statement(scene.parents[statement])
    return statement


def inserting(scene: Scene, statement: ast.stmt, lines: Sequence[str]) -> Edit | None:
    """Return the edit that puts lines before a statement at its indentation."""
    if statement is scene.node:
        return None
    line_start = scene.text.line_start(statement.lineno)
    indent = scene.text.decode(
        line_start, scene.text.offset(statement.lineno, statement.col_offset)
    )
    newline = scene.text.newline(statement.lineno)
    step = step_of(scene.span) or "    "
    text = "".join(
        indent + line.replace("\t", step) + newline if line else newline for line in lines
    )
    return Edit(start=line_start, end=line_start, text=text)


def first_statement(scene: Scene) -> ast.stmt | None:
    """Return the first statement behind the docstring that a line can stand before."""
    body = scene.node.body
    has_docstring = ast.get_docstring(scene.node, clean=False) is not None
    rest = body[1:] if has_docstring else body
    if not rest or rest[0].lineno == scene.node.lineno:
        return None
    return rest[0] if anchor(scene, rest[0]) is rest[0] else None


def apply(scene: Scene, proposal: Proposal) -> str | None:
    """Return the function's new text with its imports, or ``None`` where edits overlap."""
    source, at = scene.text.source, scene.span.start
    parts: list[bytes] = []
    for edit in sorted(proposal.edits, key=lambda item: (item.start, item.end)):
        if edit.start < at or edit.end > scene.span.end:
            return None
        parts += [source[at : edit.start], edit.text.encode(scene.text.encoding)]
        at = edit.end
    parts.append(source[at : scene.span.end])
    function = b"".join(parts).decode(scene.text.encoding)
    lead = scene.text.decode(*_lead(scene))
    return "".join(f"{lead}{line}\n" for line in proposal.imports) + function


def _lead(scene: Scene) -> tuple[int, int]:
    """Return the offsets of the white space that the function's first line begins with."""
    head = scene.text.source[scene.span.start : scene.span.end]
    return scene.span.start, scene.span.start + len(head) - len(head.lstrip(b" \t"))


def grouped(text: str, node: ast.expr) -> str:
    """Return an expression's text, in parentheses where it would bind too loosely."""
    atomic = (
        ast.Name, ast.Attribute, ast.Call, ast.Constant, ast.Subscript, ast.List, ast.Dict,
        ast.Compare, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp,
    )  # fmt: skip
    return text if isinstance(node, atomic) and "\n" not in text else f"({text})"
