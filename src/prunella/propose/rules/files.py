"""FileNotFoundError and UnicodeDecodeError: a file that isn't there, or is in another encoding."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, anchor, inserting, replacing
from prunella.propose.rules.flow import calls_to
from prunella.propose.rules.precedents import other_encodings
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("FileNotFoundError", "UnicodeDecodeError")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose an answer for the missing file, or how to read the odd bytes."""
    if scene.exception.type_name == "FileNotFoundError":
        yield from _missing(scene)
    else:
        yield from _undecodable(scene)


def _missing(scene: Scene) -> Iterator[Proposal]:
    crash = scene.crash
    if not isinstance(crash, ast.Call):
        return
    if calls_to(crash, "open") and crash.args:
        subject = crash.args[0]
    elif isinstance(crash.func, ast.Attribute) and crash.func.attr in (
        "open",
        "read_text",
        "read_bytes",
    ):
        subject = crash.func.value
    else:
        return
    text = scene.segment(subject)
    for answer in answers(scene)[:2]:
        edit = inserting(
            scene,
            anchor(scene, crash),
            [f"if not os.path.exists({text}):", f"\t{answer.statement}"],
        )
        if edit is not None:
            yield Proposal(
                rule=f"file.missing.{answer.basis}",
                edits=(edit,),
                imports=("import os",),
                description=f"R{answer.statement[1:]} where the file isn't there",
                reason=f"the file is missing in {describe_failures(scene.failures)}; {answer.why}",
                weight=answer.weight,
            )


def _undecodable(scene: Scene) -> Iterator[Proposal]:
    because = f"bytes that are no UTF-8 in {describe_failures(scene.failures)}"
    for call in _readers(scene):
        given = {item.arg for item in call.keywords}
        decodes = isinstance(call.func, ast.Attribute) and call.func.attr == "decode"
        if "errors" in given or (decodes and len(call.args) > 1):
            continue
        text = scene.segment(call)
        if decodes:
            yield from _other_encoding(scene, call, because)
        for extra, rule, words in (
            ('errors="replace"', "replace", "Put a mark in place of bytes that can't be decoded"),
            ('encoding="latin-1"', "latin1", "Read the bytes as Latin-1"),
        ):
            if extra.partition("=")[0] in given or ("encoding" in extra and call.args and decodes):
                continue
            separator = ", " if call.args or call.keywords else ""
            yield Proposal(
                rule=f"decode.{rule}",
                edits=(replacing(scene, call, f"{text[:-1].rstrip(', ')}{separator}{extra})"),),
                description=words,
                reason=because,
            )


def _other_encoding(scene: Scene, call: ast.Call, because: str) -> Iterator[Proposal]:
    """Try what siblings decode with, where UTF-8 fails."""
    statement = anchor(scene, call)
    if not isinstance(statement, (ast.Return, ast.Assign)) or not isinstance(
        call.func, ast.Attribute
    ):
        return
    start, end = scene.text.span(statement)
    indent = scene.text.decode(scene.text.line_start(statement.lineno), start)
    body = scene.text.decode(start, end)
    if indent.strip() or "\n" in body:
        return
    step, newline = "\t" if "\t" in indent else "    ", scene.text.newline(statement.lineno)
    own = scene.segment(call)
    for precedent in other_encodings(scene)[:2]:
        other = f"{scene.segment(call.func)}({precedent.text})"
        lines = (
            "try:",
            f"{indent}{step}{body}",
            f"{indent}except UnicodeDecodeError:",
            f"{indent}{step}{body.replace(own, other, 1)}",
        )
        yield Proposal(
            rule="decode.sibling",
            edits=(replacing(scene, statement, newline.join(lines)),),
            description=f"Decode with {precedent.text} what is no UTF-8",
            reason=f"{because}; {precedent.function} does so",
        )


def _readers(scene: Scene) -> list[ast.Call]:
    """Return the calls of the function that decode: at the crash, or the `open` before it."""
    found: list[ast.Call] = []
    for node in (scene.crash, *ast.walk(scene.node)):
        if not isinstance(node, ast.Call) or node in found:
            continue
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method in ("decode", "read_text") or calls_to(node, "open") or method == "open":
            found.append(node)
    return found[:2]
