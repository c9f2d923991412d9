"""Python's tracebacks as text, read back into frames. What isn't one has no frames."""

import builtins
import re
from dataclasses import dataclass

from prunella.model.records import Frame

_FRAME = re.compile(
    r'^[\s|+-]*File "(?P<file>[^"\n]{1,500})", line (?P<line>\d{1,9}), in (?P<name>.{1,200})$'
)
_ERROR = re.compile(r"^(?P<type>[A-Za-z_][\w.<>]{0,200}?)(?:: (?P<message>.*))?$", re.DOTALL)
#: What stands between an exception and the one that came of it.
_LINKS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
#: Longer texts are cut, from their beginning: what failed stands at the end.
_MAX_CHARS = 200_000
_MAX_FRAMES = 64
_MAX_LINKS = 5
_LIBRARY = re.compile(
    r"(^|/)(site-packages|dist-packages|lib/python\d[\d.]*|lib64/python\d[\d.]*)/"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One exception of a traceback."""

    frames: tuple[Frame, ...]
    #: As the text says: ``ValueError``, ``shop.errors.Sold``; empty where it can't be told.
    type: str
    message: str
    #: How it came of the one before: ``cause`` or ``context``; empty for the first.
    relation: str


def read_traceback(text: str, *, folder: str = "") -> list[Block]:
    """Return the exceptions of a traceback, the first cause first.

    Paths below `folder` are made relative to it.
    """
    blocks: list[Block] = []
    lines: list[str] = []
    relation = ""
    for line in text[-_MAX_CHARS:].splitlines():
        link = _LINKS.get(line.strip(" |"))
        if link is None:
            lines.append(line)
            continue
        blocks.append(_block(lines, relation, folder))
        lines, relation = [], link
    blocks.append(_block(lines, relation, folder))
    return blocks[-_MAX_LINKS - 1 :]


def _block(lines: list[str], relation: str, folder: str) -> Block:
    frames: list[Frame] = []
    said: list[str] = []
    for line in lines:
        if found := _FRAME.match(line):
            frames.append(frame_of(found["file"], int(found["line"]), found["name"], folder=folder))
            said = []
        elif (frames and line[:1] not in (" ", "\t", "|", "+", "")) or said:
            said.append(line)
    match = _ERROR.match("\n".join(said).rstrip())
    return Block(
        frames=tuple(frames[-_MAX_FRAMES:]),
        type=match["type"] if match else "",
        message=(match["message"] or "") if match else "",
        relation=relation,
    )


def frame_of(file: str, line: int, name: str, *, module: str = "", folder: str = "") -> Frame:
    """Return a frame of which no more is known than a traceback shows."""
    is_foreign = file.startswith("<") or _LIBRARY.search(file) is not None
    prefix = folder.rstrip("/") + "/"
    relative = file.removeprefix(prefix) if folder else file
    return Frame(
        file=relative,
        module=module or module_of(relative),
        qualname=name,
        first_line=line,
        line=line,
        in_project=not is_foreign,
    )


def module_of(file: str) -> str:
    """Return a module's name made of its file's path."""
    tail = _LIBRARY.split(file)[-1]
    return tail.removesuffix(".py").removesuffix("/__init__").strip("/").replace("/", ".")


def class_path(name: str, module: str = "") -> str:
    """Return ``module:qualname`` of a class that stands as ``package.module.Class`` in a text."""
    if module:
        return f"{module}:{name}"
    parts = name.split(".")
    if len(parts) == 1:
        return f"{'builtins' if _builtin(name) else '?'}:{name}"
    at = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return f"{'.'.join(parts[:at]) or '?'}:{'.'.join(parts[at:])}"


def bases_of(path: str) -> tuple[str, ...]:
    """Return the class and its bases, as far as they are known: those of the interpreter's own."""
    module, _, name = path.partition(":")
    found = _builtin(name) if module == "builtins" else None
    if found is None:
        return (path, "builtins:Exception", "builtins:BaseException")
    return tuple(f"builtins:{each.__name__}" for each in found.__mro__ if each is not object)


def _builtin(name: str) -> type[BaseException] | None:
    found = getattr(builtins, name, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
