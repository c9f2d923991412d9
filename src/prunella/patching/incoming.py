"""Reading the new text of a function, which may come from a language model.

Nothing is guessed: text that isn't exactly one function with leading imports is refused.
"""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prunella.model.errors import PatchRefused, SourceUnavailable
from prunella.patching.imports import Import, imports_of
from prunella.patching.locate import FunctionNode, FunctionSpan, functions, locate
from prunella.patching.text import SourceText, split_lines, to_newlines

_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_CODE = re.compile(
    r"(?:async|class|def|for|from|if|import|match|raise|return|try|while|with)\b|[@)\]}]|\w+\s*[=(\[.]"
)
#: Longest new text that is read, in characters.
MAX_CHARS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A new function, not yet indented for its place."""

    #: Its own module text, lines ending at ``\n``, which starts at column 0 or is indented whole.
    text: SourceText
    span: FunctionSpan
    imports: tuple[Import, ...]


def read_incoming(new_code: str, qualname: str, old_indent: str) -> Incoming:
    """Read `new_code` as the function `qualname`; raises `PatchRefused` where it isn't that."""
    if len(new_code) > MAX_CHARS:
        raise PatchRefused("too_long", f"the new text has {len(new_code)} characters")
    text = to_newlines(new_code.removeprefix("\ufeff"), "\n")
    read = _first_reading(_indentations(text, old_indent), qualname)
    if isinstance(read, PatchRefused) and read.reason == "not_python":
        read = _fenced_reading(text, qualname, old_indent) or _before_prose(
            text, qualname, old_indent, read
        )
    if isinstance(read, PatchRefused):
        raise read
    return read


def _first_reading(attempts: Iterable[str], qualname: str) -> Incoming | PatchRefused:
    """Return the first of `attempts` that is Python, or why it is refused."""
    refused = PatchRefused("not_python", "the new text is empty")
    for attempt in attempts:
        try:
            return _read(attempt, qualname)
        except PatchRefused as problem:
            refused = problem
        if refused.reason != "not_python":
            break
    return refused


def _fenced_reading(text: str, qualname: str, old_indent: str) -> Incoming | PatchRefused | None:
    """Return what the first fenced block with the function holds; ``None`` without a fence."""
    lines = split_lines(text)
    fences = [
        (index, found[1]) for index, line in enumerate(lines) if (found := _FENCE.match(line))
    ]
    read: Incoming | PatchRefused | None = None
    behind = -1
    for opening, mark in fences[:40]:
        if opening <= behind:
            continue
        # The farthest closing first: a docstring may hold a fence of its own.
        for closing in [at for at, other in reversed(fences) if other[0] == mark[0]]:
            if closing <= opening:
                break
            block = "".join(lines[opening + 1 : closing])
            read = _first_reading(_indentations(block, old_indent), qualname)
            if isinstance(read, Incoming):
                return read
            if read.reason != "not_python":
                behind = closing
                break
    return read


def _before_prose(
    text: str, qualname: str, old_indent: str, refused: PatchRefused
) -> Incoming | PatchRefused:
    """Return what stands before trailing prose.

    An indented body can't go on at column 0, so prose there may be cut off; code may not.
    """
    lines = split_lines(text)
    ends = [
        index
        for index, line in enumerate(lines)
        if line[:1].strip() and index and not lines[index - 1].strip() and not _CODE.match(line)
    ]
    for index in reversed(ends[:20]):
        read = _first_reading(_indentations("".join(lines[:index]), old_indent), qualname)
        if isinstance(read, Incoming):
            return read
    return refused


def _indentations(text: str, old_indent: str) -> Iterator[str]:
    """Yield `text`, and `text` with the first line indented as a cut-out method's would be."""
    text = text.strip("\n") + "\n"
    if old_indent and text[:1] not in " \t":
        yield old_indent + text
    yield text


def _read(text: str, qualname: str) -> Incoming:
    wrapped = text
    if text[:1] in (" ", "\t"):
        wrapped = "if 1:\n" + text
    try:
        source = SourceText(wrapped.encode())
    except (SourceUnavailable, UnicodeEncodeError) as error:
        raise PatchRefused("not_python", f"the new text is no valid Python: {error}") from None
    body: Sequence[ast.stmt] = source.tree.body
    if wrapped is not text and isinstance(block := body[0], ast.If):
        if len(body) > 1 or block.orelse:
            raise PatchRefused("not_python", "the new text changes its indentation half-way")
        body = block.body
    name = qualname.rpartition(".")[2]
    imports, node = _one_function(body, qualname)
    if node.name != name:
        raise PatchRefused("name", f"the new text defines {node.name!r} instead of {name!r}")
    scope = qualname.rpartition("<locals>.")[2] if _in_class(body) else name
    return Incoming(text=source, span=locate(source, scope), imports=tuple(imports))


def _one_function(body: Sequence[ast.stmt], qualname: str) -> tuple[list[Import], FunctionNode]:
    """Return the leading imports and the function, taken out of its class's header if it has one."""
    imports: list[Import] = []
    rest = list(body)
    while rest and isinstance(rest[0], (ast.Import, ast.ImportFrom)):
        imports += imports_of(rest.pop(0))
    classes = qualname.rpartition("<locals>.")[2].split(".")[:-1]
    while classes and rest and isinstance(header := rest[0], ast.ClassDef) and len(rest) == 1:
        if header.name != classes[0] or header.decorator_list:
            break
        classes, rest = classes[1:], list(header.body)
    if not any(isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) for item in rest):
        raise PatchRefused("no_function", "the new text defines no function")
    first = rest[0]
    if len(rest) > 1 or not isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)):
        raise PatchRefused(
            "extra_code", "the new text holds more than one function with leading imports"
        )
    return imports, first


def _in_class(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(item, ast.ClassDef) for item in body)


# --- indentation -------------------------------------------------------------------------------


def reindented(incoming: Incoming, old: FunctionSpan) -> str:
    """Return the new function's text, indented as `old` stands, strings left as they are.

    Steps of indentation are converted where the old function steps differently (tabs, two
    spaces) and the new one's are regular.
    """
    base, span = incoming.span.indent, incoming.span
    lines = split_lines(span.text)
    inside_strings, starts = _line_kinds(incoming.text, span)
    widths = [_indent_of(lines[number])[len(base) :] for number in starts]
    convert = _step_converter(widths, step_of(span), step_of(old))
    result = []
    for number, line in enumerate(lines):
        if number in inside_strings:
            result.append(line)
        elif not line.strip():
            result.append(line.lstrip(" \t"))
        elif line.startswith(base):
            own = _indent_of(line)[len(base) :]
            result.append(old.indent + convert(own) + line[len(base) + len(own) :])
        else:
            result.append(old.indent + line.lstrip(" \t"))
    return "".join(result)


def step_of(span: FunctionSpan) -> str:
    """Return the white space that one level of a function's body is indented by, or ``""``."""
    first = span.node.body[0]
    if first.lineno == span.node.lineno:
        return ""
    line = split_lines(span.text)[first.lineno - span.first_line]
    own = _indent_of(line)
    return own[len(span.indent) :] if own.startswith(span.indent) else ""


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def _step_converter(widths: Sequence[str], new_step: str, old_step: str) -> Callable[[str], str]:
    regular = new_step and all(
        width == new_step * (len(width) // len(new_step)) for width in widths
    )
    if not regular or not old_step or new_step == old_step:
        return lambda own: own

    def convert(own: str) -> str:
        count = 0
        while own.startswith(new_step, count * len(new_step)):
            count += 1
        return old_step * count + own[count * len(new_step) :]

    return convert


def _line_kinds(text: SourceText, span: FunctionSpan) -> tuple[set[int], list[int]]:
    """Return which lines of `span` begin inside a string, and which begin a logical line.

    Both count from 0 at the span's first line.
    """
    inside: set[int] = set()
    starts: list[int] = []
    fresh = True
    open_strings: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text.source.decode()).readline):
        name = tokenize.tok_name[token.type]
        first, last = token.start[0], token.end[0]
        if name == "STRING":
            inside.update(range(first + 1, last + 1))
        elif name in ("FSTRING_START", "TSTRING_START"):
            open_strings.append(first)
        elif name in ("FSTRING_END", "TSTRING_END"):
            inside.update(range(open_strings.pop() + 1, last + 1))
        if name == "NEWLINE":
            fresh = True
        elif fresh and name not in ("NL", "COMMENT", "INDENT", "DEDENT", "ENCODING"):
            starts.append(first)
            fresh = False
    here = range(span.first_line, span.last_line + 1)
    return (
        {line - span.first_line for line in inside if line in here},
        [line - span.first_line for line in starts if line in here],
    )


def with_old_docstring(incoming: Incoming, text: SourceText, old: FunctionSpan) -> Incoming:
    """Return `incoming` with the docstring of `old` where the two differ in indentation only.

    A model that answers with a dedented method dedents the docstring's lines too, which the rule
    that strings stay as they are would turn into an edit.
    """
    one, other = _docstring(old.node), _docstring(incoming.span.node)
    if one is None or other is None:
        return incoming
    present, offered = str(one.value), str(other.value)
    if present == offered or inspect.cleandoc(present) != inspect.cleandoc(offered):
        return incoming
    start, end = incoming.text.span(other)
    kept = to_newlines(text.segment(one), "\n")
    before, after = incoming.text.decode(0, start), incoming.text.source[end:].decode()
    changed = SourceText(f"{before}{kept}{after}".encode())
    name = next(name for name, node in functions(incoming.text.tree) if node is incoming.span.node)
    return replace(incoming, text=changed, span=locate(changed, name))


def _docstring(node: FunctionNode) -> ast.Constant | None:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(value := first.value, ast.Constant):
        return value if isinstance(value.value, str) else None
    return None
