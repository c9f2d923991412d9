"""The function of a frame, as the committed base has it."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from prunella.diagnose.scopes import Function, Module, parse_module
from prunella.model.errors import SourceUnavailable
from prunella.model.repair import SourceFunction

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


def find_function(read: Read, place: Place) -> SourceFunction:
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
    module = parse_module(place.file, source)
    if module is None:
        raise SourceUnavailable(
            f"{place.file} of the committed base is not valid Python for this interpreter"
        )
    function = _pick(module, place)
    return SourceFunction(
        path=place.file,
        module=place.module,
        qualname=function.qualname,
        first_line=function.first_line,
        last_line=function.last_line,
        text=module.text(function.first_line, function.last_line),
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


def _pick(module: Module, place: Place) -> Function:
    wanted = owner_name(place.qualname)
    found: Sequence[Function] = [item for item in module.functions if item.qualname == wanted]
    if not found:
        raise SourceUnavailable(
            f"{wanted} is not in {module.path} of the committed base any more "
            "(renamed, moved, or made at run time)"
        )
    if len(found) > 1:
        found = [item for item in found if item.first_line == place.first_line] or found
    if len(found) > 1:
        lines = ", ".join(str(item.first_line) for item in found)
        raise SourceUnavailable(
            f"{module.path} defines {wanted} several times (lines {lines}), and none begins on "
            f"the recorded line {place.first_line}; commit the source that failed, then heal again"
        )
    return found[0]
