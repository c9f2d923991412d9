"""Replacing one function in a file's bytes."""

import ast
from dataclasses import dataclass

from prunella.model.errors import PatchRefused
from prunella.patching.imports import Import, insertion, missing_imports
from prunella.patching.incoming import read_incoming, reindented, with_old_docstring
from prunella.patching.locate import FunctionNode, locate
from prunella.patching.text import SourceText, compiles, to_newlines


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchResult:
    """An edited file: `before` and `after` differ in the function and in added imports only."""

    before: bytes
    after: bytes
    #: Byte offsets of the replaced text in `before`, from the first decorator's line on.
    span: tuple[int, int]
    #: Import statements that were added, as lines without line breaks.
    added_imports: tuple[str, ...]
    #: First and last line of the new function in `after`, counted from 1.
    changed_lines: tuple[int, int]


def replace_function(
    source: bytes, qualname: str, new_code: str, *, first_line: int | None = None
) -> PatchResult:
    r"""Return `source` with the function `qualname` replaced by `new_code`.

    `new_code` is the whole function from its first decorator on, at any indentation, with imports
    before it where it needs any; these go to the file's own imports. A Markdown fence around it,
    prose outside the fence, and a class header around a method are taken off. Every byte outside
    the function and the added imports stays; line breaks, encoding and indentation of the new text
    become those of its place, the contents of multi-line strings stay.

    `first_line` tells functions of one name apart (see `locate`). Raises `SourceUnavailable` where
    the function can't be found, and `PatchRefused` with a `reason` where `new_code` isn't an edit
    of its body: ``decorators``, ``name``, ``signature``, ``async``, ``extra_code``,
    ``no_function``, ``not_python``, ``too_long``, ``star_import``, ``future_import``,
    ``import_conflict``, ``encoding``, ``no_change``, ``does_not_compile``.
    """
    text = SourceText(source)
    old = locate(text, qualname, first_line=first_line)
    incoming = with_old_docstring(read_incoming(new_code, qualname, old.indent), text, old)
    check_frame(old.node, incoming.span.node)
    newline = text.newline(old.first_line)
    function = to_newlines(reindented(incoming, old), newline)
    added = missing_imports(text.tree, incoming.imports)
    place, block = _import_block(text, added, newline)
    after = b"".join(
        (
            source[:place],
            _encoded(block, text.encoding),
            source[place : old.start],
            _encoded(function, text.encoding),
            source[old.end :],
        )
    )
    if after == source:
        raise PatchRefused("no_change", f"the new text of {qualname!r} is the present one")
    _check_result(after, qualname)
    first = old.first_line + block.count(newline)
    return PatchResult(
        before=source,
        after=after,
        span=(old.start, old.end),
        added_imports=tuple(item.statement() for item in added),
        changed_lines=(first, first + function.count(newline)),
    )


def check_frame(old: FunctionNode, new: FunctionNode) -> None:
    """Raise `PatchRefused` where anything but the body of a function differs."""
    if type(old) is not type(new):
        raise PatchRefused("async", f"{old.name!r} may not change between def and async def")
    if [ast.dump(item) for item in old.decorator_list] != [
        ast.dump(item) for item in new.decorator_list
    ]:
        raise PatchRefused("decorators", f"the decorators of {old.name!r} may not change")
    if _signature(old) != _signature(new):
        raise PatchRefused("signature", f"the signature of {old.name!r} may not change")


def _signature(node: FunctionNode) -> tuple[str, ...]:
    returns = ast.dump(node.returns) if node.returns is not None else ""
    generics = [ast.dump(item) for item in getattr(node, "type_params", ())]
    return (ast.dump(node.args), returns, *generics)


def _import_block(text: SourceText, added: list[Import], newline: str) -> tuple[int, str]:
    if not added:
        return text.line_start(1), ""
    place, after_import = insertion(text)
    lines = [item.statement() for item in added]
    before = "" if after_import or place <= text.line_start(1) else newline
    follows = text.source[place:].lstrip(b" \t\f")[:1]
    behind = "" if follows in (b"\r", b"\n", b"") or after_import else newline
    return place, before + "".join(line + newline for line in lines) + behind


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise PatchRefused(
            "encoding", f"the new text can't be written in the file's encoding: {error}"
        ) from None


def _check_result(after: bytes, qualname: str) -> None:
    problem = compiles(after)
    if problem is not None:
        raise PatchRefused("does_not_compile", f"with the new {qualname!r}: {problem}")
