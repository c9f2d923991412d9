"""The function of a frame, as the committed base has it."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Protocol

from prunella.model.errors import SourceUnavailable
from prunella.model.repair import SourceFunction
from prunella.patching import FunctionSpan, SourceText, functions, locate

Read = Callable[[str], bytes | None]
"""Returns a file of the base by its path, or ``None``: `prunella.ports.Repository.read`."""

_COMPILED = (".so", ".pyd", ".pyx", ".pxd", ".c", ".cpp")
_EXPRESSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>")


class Place(Protocol):
    """Where a function ran: a `Location`, a `Frame` or a `Site`."""

    @property
    def file(self) -> str: ...

    @property
    def module(self) -> str: ...

    @property
    def qualname(self) -> str: ...

    @property
    def first_line(self) -> int: ...


def find_function(place: Place, read: Read) -> SourceFunction:
    """Return the function that `place` names, from the base.

    A comprehension, a generator expression or a lambda belongs to the function around it. The name
    decides, so that lines may have moved since; of several functions of that name, the one that
    begins on the recorded line. Raises `SourceUnavailable` that says why there is none.
    """
    _refuse_unwritten(place)
    source = read(place.file)
    if source is None:
        raise SourceUnavailable(
            f"{place.file} is not in the committed base; commit it, then heal again"
        )
    span = _locate(place, source)
    return SourceFunction(
        path=place.file,
        module=place.module,
        qualname=span.qualname,
        first_line=span.first_line,
        last_line=span.last_line,
        text=span.text,
        file_source=source,
    )


def owner_name(qualname: str) -> str:
    """Return the function whose text holds the code of `qualname`.

    ``f.<locals>.<genexpr>`` → ``f``; ``f.<locals>.<lambda>`` → ``f``; a named inner function owns
    its own text.
    """
    parts = qualname.split(".")
    while len(parts) > 2 and parts[-1] in _EXPRESSIONS and parts[-2] == "<locals>":
        parts = parts[:-2]
    return ".".join(parts)


def _refuse_unwritten(place: Place) -> None:
    file, qualname = place.file, owner_name(place.qualname)
    if file.startswith("<"):
        raise SourceUnavailable(
            f"{qualname} has no source file: it was typed into an interpreter or made by exec() "
            f"({file}); put it into a file of the project to have it healed"
        )
    if PurePosixPath(file).suffix in _COMPILED:
        raise SourceUnavailable(
            f"{qualname} is compiled code ({file}); Prunella edits Python source only"
        )
    if qualname == "<lambda>" or qualname.endswith(".<lambda>"):
        raise SourceUnavailable(
            f"the failing code in {file} is a lambda outside any function; "
            "write it as a def to have it healed"
        )
    if qualname == "<module>":
        raise SourceUnavailable(
            f"the failing code in {file} runs at the module's top level; "
            "only functions can be replayed and healed"
        )


def _locate(place: Place, source: bytes) -> FunctionSpan:
    qualname = owner_name(place.qualname)
    try:
        text = SourceText(source)
    except SourceUnavailable as error:
        raise SourceUnavailable(
            f"{place.file} of the committed base is not valid Python for this interpreter: {error}"
        ) from error
    if all(name != qualname for name, _ in functions(text.tree)):
        raise SourceUnavailable(
            f"{qualname} is not in {place.file} of the committed base any more "
            "(renamed, moved, or made at run time)"
        )
    try:
        return locate(text, qualname, first_line=place.first_line)
    except SourceUnavailable as error:
        raise SourceUnavailable(
            f"{place.file} has several functions of that name, and none begins on the recorded "
            f"line {place.first_line}: {error}; commit the source that failed, then heal again"
        ) from error
