"""Functions that call another one, directly or through others, by a static reading of the files."""

from collections import deque
from collections.abc import Sequence

from prunella.diagnose.imports import ProjectFiles
from prunella.diagnose.neighbours import LIKELY, TEST, Limits, Target, mentions, users
from prunella.diagnose.scopes import Module, parse_module
from prunella.diagnose.source import Read
from prunella.model.repair import SourceFunction

#: Steps from the function outwards: what is further away says little about it.
_MAX_STEPS = 4
#: Functions whose own callers are looked for; each costs a search through all files.
_MAX_SEARCHED = 20


def find_callers(
    function: SourceFunction,
    files: Sequence[str],
    read: Read,
    *,
    limits: Limits | None = None,
) -> tuple[tuple[str, str], ...]:
    """Return ``(path, qualified name)`` of what calls `function`, the nearest first, tests left out.

    `files` are the paths of the base. A call counts that resolves through imports, ``self`` or the
    file itself; a method of that name on an object of unknown type counts where its class is named.
    """
    limits = limits or Limits()
    search = _Search(files, read, limits)
    home = search.module(function.path)
    if home is None:
        return ()
    first = home.function(function.qualname, function.first_line)
    waiting = deque([(Target.of(function.path, first), 0)])
    found: dict[tuple[str, str], None] = {(function.path, first.qualname): None}
    for _ in range(_MAX_SEARCHED):
        if not waiting:
            break
        target, steps = waiting.popleft()
        for caller in search.users(target):
            key = (caller.path, caller.function.qualname)
            if key in found:
                continue
            found[key] = None
            if steps + 1 < _MAX_STEPS:
                waiting.append((caller, steps + 1))
    return tuple(found)[1:]


class _Search:
    """The files of one search, each read and parsed once at most."""

    def __init__(self, files: Sequence[str], read: Read, limits: Limits) -> None:
        self._python = [path for path in files if path.endswith((".py", ".pyw"))]
        self._project = ProjectFiles(self._python)
        self._read_file = read
        self._limits = limits
        self._left_bytes = limits.parsed_bytes
        self._sources: dict[str, bytes | None] = {}
        self._modules: dict[str, Module | None] = {}

    def users(self, target: Target) -> list[Target]:
        """Return what calls `target` in the files that are likeliest to, tests left out."""
        likely = mentions(self._python, self._read, target, self._limits)[: self._limits.files]
        return [
            Target.of(mention.path, user.function)
            for mention in likely
            if (module := self.module(mention.path)) is not None
            for user in users(target, module, mention.lines, self._project)
            if user.role != TEST and user.strength >= LIKELY
        ]

    def module(self, path: str) -> Module | None:
        """Return a file, parsed; ``None`` where it is unreadable or too much was parsed already."""
        if path not in self._modules:
            source = self._read(path) or b""
            self._left_bytes -= len(source)
            self._modules[path] = parse_module(path, source) if self._left_bytes >= 0 else None
        return self._modules[path]

    def _read(self, path: str) -> bytes | None:
        if path not in self._sources:
            self._sources[path] = self._read_file(path)
        return self._sources[path]
