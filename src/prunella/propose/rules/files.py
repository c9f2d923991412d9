"""FileNotFoundError and UnicodeDecodeError: a file that isn't there, or is in another encoding."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, anchor, inserting, replacing, trying
from prunella.propose.rules.flow import calls_to
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("FileNotFoundError", "UnicodeDecodeError")


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose an answer for the missing file, or how to read the odd bytes."""
    if scene.exception.type_name == "FileNotFoundError":
        yield from _missing(scene)
    else:
        yield from _second_encoding(scene)
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


def _second_encoding(scene: Scene) -> Iterator[Proposal]:
    """Propose to read as the other encoding that the docstring or a sibling names."""
    crash = scene.crash
    statement = anchor(scene, crash)
    if not isinstance(crash, ast.Call) or not isinstance(crash.func, ast.Attribute):
        return
    if crash.func.attr != "decode":
        return
    docstring = ast.get_docstring(scene.node) or ""
    for spelling, codec in _ENCODINGS.items():
        places = [
            place
            for place, text in (
                ("the docstring", docstring.lower()),
                ("the file", scene.text.source.decode("latin-1").lower()),
            )
            if spelling in text
        ]
        call = scene.segment(crash)
        old = scene.segment(statement)
        if not places or old.count(call) != 1:
            continue
        again = old.replace(call, f'{scene.segment(crash.func)}("{codec}")')
        edit = trying(scene, statement, "UnicodeDecodeError", again)
        if edit is not None:
            yield Proposal(
                rule="decode.second_encoding",
                edits=(edit,),
                description=f"Read as {codec} what is no UTF-8",
                reason=f"{places[0]} speaks of {spelling}",
            )


#: How prose and code name encodings that bytes may be in → the codec. Those of a single byte can
#: read anything, so that only a mention makes one of them right.
_ENCODINGS = {
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso-8859-15",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "utf-16": "utf-16",
    "shift_jis": "shift_jis",
    "gb18030": "gb18030",
}


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
