"""Reading what a language model answered: data, in which one function is looked for.

Whatever can be wrong with an answer has a reason of its own, so that a person sees why a sample was
of no use. Nothing here runs or evaluates anything.
"""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from prunella.model.repair import SourceFunction

_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[ \t]*([\w.+#-]*)[^\n`]*$", re.MULTILINE)
_CHANGE = re.compile(r"^[ \t*_>-]*Change[ \t*_]*:[ \t*_]*(\S[^\n]*)$", re.MULTILINE)
_PYTHON = frozenset({"", "python", "py", "python3", "python3.11", "py3"})

#: An answer longer than this isn't read; no function that is repaired here is that long.
MAX_CHARS = 100_000
_MAX_FENCES, _MAX_PARSES, _DESCRIPTION_CHARS = 40, 60, 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why an answer yields no candidate."""

    #: ``too_long``, ``empty``, ``no_code``, ``wrong_language``, ``truncated``, ``not_python``,
    #: ``wrong_function``, ``unchanged``.
    reason: str
    #: The same in a sentence.
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The function an answer holds."""

    #: Imports and the function, for `prunella.patching.replace_function`.
    code: str
    #: What the model says it changed, in one bounded line; may be empty. Untrusted text.
    description: str


def read_answer(text: str, function: SourceFunction) -> Answered | Unusable:
    """Return the new text of `function` that the answer holds.

    The function stands in a fenced block, alone or below imports, or the whole answer is nothing
    else. Its own text may hold fences. Of several blocks that define it, the last one that differs
    from the present text counts. Decorators that were left out are put back.
    """
    if len(text) > MAX_CHARS:
        return Unusable(
            reason="too_long",
            message=f"the answer has {len(text)} characters; at most {MAX_CHARS} are read",
        )
    if not text.strip():
        return Unusable(reason="empty", message="the answer is empty")
    name = function.qualname.rpartition(".")[2]
    blocks = list(_blocks(text))
    found = [code for code in (_function_in(item, function) for item in _texts(blocks)) if code]
    if not found and not blocks:
        found = [code for code in [_function_in(text, function)] if code]
    changed = [code for code in found if not _same(code, function.text)]
    if changed:
        return Answered(code=changed[-1], description=_description(text))
    if found:
        return Unusable(reason="unchanged", message=f"the answer repeats {name} as it is")
    return _why_none(text, blocks, name)


@dataclass(frozen=True, slots=True)
class _Block:
    language: str
    #: ``None`` where it is never closed or never becomes valid Python.
    text: str | None
    closed: bool
    raw: str


def _texts(blocks: list[_Block]) -> Iterator[str]:
    return (item.text for item in blocks if item.text is not None)


def _blocks(text: str) -> Iterator[_Block]:
    fences = list(_FENCE.finditer(text))[:_MAX_FENCES]
    index, parses = 0, 0
    while index < len(fences):
        opening = fences[index]
        mark, language = opening[1], opening[2].lower()
        closings = [
            number for number in range(index + 1, len(fences)) if _closes(fences[number], mark)
        ]
        if language not in _PYTHON or not closings:
            end = fences[closings[0]].start() if closings else len(text)
            yield _Block(language, None, bool(closings), text[opening.end() : end])
            index = closings[0] + 1 if closings else len(fences)
            continue
        taken = closings[0]
        whole: str | None = None
        for (
            number
        ) in closings:  # the first closing that leaves valid Python: docstrings hold fences
            parses += 1
            body = text[opening.end() + 1 : fences[number].start()]
            if parses > _MAX_PARSES:
                return
            if _parse(body) is not None:
                taken, whole = number, body
                break
        yield _Block(language, whole, True, text[opening.end() : fences[taken].start()])
        index = taken + 1


def _closes(fence: re.Match[str], mark: str) -> bool:
    return fence[1][0] == mark[0] and len(fence[1]) >= len(mark) and not fence[2]


def _parse(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# --- the function in a block


def _function_in(code: str, function: SourceFunction) -> str | None:
    """Return imports and the function out of a block, or ``None`` where it isn't in there."""
    code = textwrap.dedent(code)
    tree = _parse(code)
    if tree is None:
        return None
    node = _named(tree.body, function.qualname)
    if node is None:
        return None
    kept = [item for item in tree.body if not _is_example(item)]
    lines = code.split("\n")
    text = "\n".join(
        line for item in kept for line in lines[_first_line(item) - 1 : item.end_lineno]
    )
    return text if node.decorator_list else _with_decorators(text, node, function)


def _named(body: list[ast.stmt], qualname: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    owner, _, name = qualname.rpartition(".")
    for item in body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == name:
            return item
        if isinstance(item, ast.ClassDef) and item.name == owner.rpartition(".")[2]:
            return _named(item.body, name)
    return None


def _is_example(node: ast.stmt) -> bool:
    """Tell whether a statement is a usage example, which a model adds and nobody asked for."""
    if isinstance(node, ast.Expr):
        return True
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _with_decorators(
    text: str, node: ast.FunctionDef | ast.AsyncFunctionDef, function: SourceFunction
) -> str:
    old = textwrap.dedent(function.text)
    tree = _parse(old)
    first = tree.body[0] if tree is not None and tree.body else None
    if not isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)) or not first.decorator_list:
        return text
    decorators = re.split(r"\r\n|\r|\n", old)[: first.lineno - 1]
    lines = text.split("\n")
    pattern = re.compile(rf"[ \t]*(async[ \t]+)?def[ \t]+{re.escape(node.name)}\b")
    for index, line in enumerate(lines):
        if pattern.match(line):
            indent = line[: len(line) - len(line.lstrip())]
            lines[index:index] = [indent + item for item in decorators]
            break
    return "\n".join(lines)


def _same(code: str, old: str) -> bool:
    one, other = _parse(code), _parse(old)
    return one is not None and other is not None and ast.dump(one) == ast.dump(other)


# --- words


def _description(text: str) -> str:
    match = _CHANGE.search(text[:MAX_CHARS])
    if match is None:
        return ""
    line = "".join(char if char.isprintable() else " " for char in match[1])
    line = " ".join(line.replace("`", "'").split())
    return line if len(line) <= _DESCRIPTION_CHARS else f"{line[: _DESCRIPTION_CHARS - 1]}…"


def _why_none(text: str, blocks: list[_Block], name: str) -> Unusable:
    if not blocks:
        return Unusable(
            reason="no_code", message=f"the answer has no code block ({len(text)} characters)"
        )
    if any(not item.closed for item in blocks):
        return Unusable(
            reason="truncated", message="the answer ends within its code block: it was cut off"
        )
    foreign = [item.language for item in blocks if item.language not in _PYTHON]
    if len(foreign) == len(blocks):
        return Unusable(
            reason="wrong_language", message=f"the code block is {foreign[0][:20]}, not Python"
        )
    if all(item.text is None for item in blocks):
        return Unusable(reason="not_python", message="the code block is not valid Python")
    return Unusable(reason="wrong_function", message=f"the code block does not define {name}")
