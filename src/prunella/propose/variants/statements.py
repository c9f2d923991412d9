"""Variants of statements: one inserted that similar code has, one left out, two swapped."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.edits import Edit, anchor, inserting, replacing
from prunella.propose.variants.ground import Change, Ground

_MAX_NAMES = 10
_MAX_LINES = 40
_METHODS = {"set": "add", "list": "append"}


def propose(ground: Ground) -> Iterator[Change]:
    """Yield insertions before and behind every statement, omissions, and neighbours swapped."""
    lines = list(_insertable(ground))[:_MAX_LINES]
    for block in _blocks(ground):
        for number, statement in enumerate(block):
            if anchor(ground.scene, statement) is not statement:
                continue
            for rule, line in lines:
                yield from _inserted(ground, statement, rule, line)
                if number + 1 == len(block):
                    yield from _appended(ground, statement, rule, line)
            yield from _left_out(ground, statement, alone=len(block) == 1)
            if number + 1 < len(block):
                yield from _swapped(ground, statement, block[number + 1])


def _blocks(ground: Ground) -> Iterator[list[ast.stmt]]:
    yield list(ground.statements)
    for node in ground.nodes:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _insertable(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield statements worth inserting: what containers take, and variables that follow others."""
    yield from dict.fromkeys(("insert.similar", line) for line in _similar(ground))
    for name, kind in ground.kinds.items():
        if kind in _METHODS:
            for item in ground.names[:_MAX_NAMES]:
                if item != name:
                    yield "insert.collect", f"{name}.{_METHODS[kind]}({item})"
    stored = [
        item.targets[0].id
        for item in ground.nodes
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name)
    ]
    for name in dict.fromkeys(stored):
        for item in ground.names[:_MAX_NAMES]:
            if item != name:
                yield "insert.assign", f"{name} = {item}"


def _similar(ground: Ground) -> Iterator[str]:
    """Yield the function's own simple statements, also with one name replaced by another."""
    for node in ground.nodes:
        if not isinstance(node, (ast.AugAssign, ast.Expr)) or "\n" in ground.text(node):
            continue
        if isinstance(getattr(node, "value", None), (ast.Constant, ast.Yield)):
            continue
        yield ground.text(node)
        inside = [
            item
            for item in ast.walk(node)
            if isinstance(item, ast.Name) and item.id in ground.names
        ]
        start = ground.scene.text.span(node)[0]
        whole = ground.text(node).encode(ground.scene.text.encoding)
        for item in inside:
            first, last = ground.scene.text.span(item)
            for other in ground.names[:_MAX_NAMES]:
                if other != item.id:
                    head, tail = whole[: first - start], whole[last - start :]
                    text = head + other.encode() + tail
                    yield text.decode(ground.scene.text.encoding)


def _inserted(ground: Ground, statement: ast.stmt, rule: str, line: str) -> Iterator[Change]:
    edit = inserting(ground.scene, statement, [line])
    if edit is not None and ground.text(statement) != line:
        yield ground.edited(
            rule, statement, (edit,), f"Insert `{line}` before line {statement.lineno}"
        )


def _appended(ground: Ground, statement: ast.stmt, rule: str, line: str) -> Iterator[Change]:
    if isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
        return
    before = inserting(ground.scene, statement, [line])
    if before is None:
        return
    last = statement.end_lineno or statement.lineno
    end = ground.scene.text.line_end(last)
    newline = ground.scene.text.newline(last)
    edit = Edit(start=end, end=end, text=newline + before.text.rstrip("\r\n"))
    yield ground.edited(rule, statement, (edit,), f"Insert `{line}` behind line {last}")


def _left_out(ground: Ground, statement: ast.stmt, *, alone: bool) -> Iterator[Change]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass)):
        return
    text = ground.text(statement)
    if "\n" in text and not isinstance(statement, ast.If):
        return
    said = f"Leave out line {statement.lineno}"
    edit = replacing(ground.scene, statement, "pass")
    yield ground.edited("omit", statement, (edit,), said, weight=0.5 if alone else 1.0)


def _swapped(ground: Ground, one: ast.stmt, other: ast.stmt) -> Iterator[Change]:
    if anchor(ground.scene, other) is not other:
        return
    first, second = ground.text(one), ground.text(other)
    if first == second or "\n" in first or "\n" in second:
        return
    edits = (replacing(ground.scene, one, second), replacing(ground.scene, other, first))
    said = f"Swap lines {one.lineno} and {other.lineno}"
    yield ground.edited("order", one, edits, said)
