"""A function under ``@heal``: its identity, its countdown, what it has seen."""

from __future__ import annotations

from types import CellType, CodeType, FunctionType

from prunella.sdk.wrapper import kind_of, parameter_names

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from prunella.sdk.process import Host

#: Most calls between two looks at the clock.
MAX_GRANT = 256
#: About this often a busy site looks at the clock.
LOOK_NS = 100_000
#: Characters of a function's source that are recorded.
MAX_SOURCE_LENGTH = 65_536


class Site:
    """One function under ``@heal``; shared by all closures of the same code."""

    __slots__ = (
        "boundary",
        "calls",
        "capture",
        "code",
        "errors",
        "first_left",
        "function",
        "granted",
        "is_iteration_step",
        "kind",
        "last_look_ns",
        "left",
        "module",
        "next_sample_ns",
        "qualname",
        "redact",
        "site_id",
        "source_hash",
        "target",
        "wanting",
    )

    def __init__(
        self,
        function: FunctionType,
        *,
        kind: str,
        boundary: bool,
        capture: str | None,
        redact: tuple[str, ...],
    ) -> None:
        #: The function that is called, and the one that was written (below other decorators).
        self.function = function
        self.target = innermost(function)
        self.code = self.target.__code__
        self.module = module_name(function.__module__, function.__globals__)
        self.qualname = function.__qualname__
        self.site_id = f"{self.module}:{self.qualname}"
        self.is_iteration_step = function.__name__ in ("__next__", "__anext__")
        self.kind = kind
        self.boundary = boundary
        #: ``full``, ``errors``, or ``None`` for what the settings say.
        self.capture = capture
        self.redact = redact
        self.source_hash = ""
        #: The closure cell that every wrapper of this site counts down.
        self.left = CellType(0)
        self.granted = 0
        self.calls = 0
        self.errors = 0
        #: How many of the first successes are still to be recorded; ``None`` until the first call.
        self.first_left: int | None = None
        self.next_sample_ns = 0
        self.last_look_ns = 0
        #: Groups whose next failure is to be recorded with its inputs: the site is armed.
        self.wanting: set[Any] = set()

    def settle(self) -> int:
        """Bring `calls` up to date with the countdown; return the calls since the last time."""
        left: int = self.left.cell_contents
        since = max(self.granted - left, 0)
        self.calls += since
        self.granted = left
        return since

    def grant(self, calls: int) -> None:
        """Let that many calls pass without a look."""
        self.granted = calls
        self.left.cell_contents = calls

    def record(self, host: Host) -> dict[str, Any]:
        """Return the `prunella.model.records.Site`, as it stands on the wire."""
        file, _ = host.code_places.place(self.code.co_filename)
        return {
            "class": "site",
            "site_id": self.site_id,
            "module": self.module,
            "qualname": self.qualname,
            "kind": self.kind,
            "shape": kind_of(self.function.__code__),
            "file": file,
            "first_line": self.code.co_firstlineno,
            "source_hash": self.source_hash,
            "source": _source(self.target, host),
            "parameters": list(parameter_names(self.function.__code__)),
            "boundary": self.boundary,
        }


def innermost(function: FunctionType) -> FunctionType:
    """Return the function that was written: what decorators say they wrap."""
    found: Any = function
    for _ in range(50):
        inner = getattr(found, "__wrapped__", None)
        if type(inner) is not FunctionType:
            break
        found = inner
    return found  # type: ignore[no-any-return]  # only functions get into it


def module_name(name: Any, namespace: dict[str, Any]) -> str:
    """Return the name a module can be imported by; ``__main__`` only for scripts."""
    if name == "__mp_main__":
        return "__main__"
    if name == "__main__":
        spec = namespace.get("__spec__") if namespace.get("__name__") == "__main__" else None
        found = getattr(spec, "name", None)
        if type(found) is str:
            return found
    return name if type(name) is str else "?"


def hash_code(code: CodeType) -> str:
    """Return 16 hex digits that change when the compiled code or its constants do.

    Line numbers and file names don't count: a function that was only moved is the same version.
    """
    from hashlib import blake2b

    digest = blake2b(digest_size=8)
    for part in _parts(code):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def _parts(code: CodeType) -> list[str]:
    parts = [
        code.co_code.hex(),
        repr(code.co_names),
        repr(code.co_varnames),
        repr(code.co_freevars),
        str(code.co_flags),
    ]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            parts += _parts(constant)
        elif isinstance(constant, frozenset):
            parts.append(repr(sorted(map(repr, constant))))
        else:
            parts.append(repr(constant))
    return parts


def _source(function: FunctionType, host: Host) -> str | None:
    from inspect import getsource

    try:
        text = getsource(function.__code__)
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    return host.redactor.text(text) if len(text) <= MAX_SOURCE_LENGTH else None


#: Sites by what they are made of, and by the id of their code.
_sites: dict[tuple[int, str], Site] = {}
by_code: dict[int, Site] = {}
MAX_SITES = 20_000


def site_of(function: FunctionType, **options: Any) -> Site | None:
    """Return the site of `function`, the same for all closures; ``None`` if there are too many."""
    key = (id(innermost(function).__code__), f"{function.__module__}:{function.__qualname__}")
    site = _sites.get(key)
    if site is None:
        if len(_sites) >= MAX_SITES:
            return None
        site = _sites[key] = Site(function, **options)
        if options["capture"] != "none":
            by_code[id(site.code)] = site
    return site


def all_sites() -> list[Site]:
    """Return every site of the process."""
    return list(_sites.values())
