"""A function under ``@heal``: its identity, its countdown, what it has seen."""

from __future__ import annotations

from _weakref import ref  # `weakref` takes longer to import than this whole package
from types import CellType, CodeType, FunctionType

from prunella.sdk.wrapper import kind_of, parameter_names

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from prunella.sdk.process import Host

_NONE: Mapping[str, str] = {}

#: Most calls between two looks at the clock, as long as there is time for looks. CPython keeps
#: integers up to this one ready-made: counting down from more takes twice as long.
MAX_GRANT = 256
#: About this often a busy site looks at the clock.
LOOK_NS = 100_000
#: Calls of an armed site that are watched whatever it costs: a failure without inputs can't be
#: proven to be healed. A few milliseconds for each site, once.
ARMED_CALLS = 200
#: Characters of a function's source that are recorded.
MAX_SOURCE_LENGTH = 65_536


class Site:
    """One function under ``@heal``; shared by all closures of the same code."""

    __slots__ = (
        "armed_left",
        "boundary",
        "called",
        "calls",
        "calls_at_look",
        "capture",
        "code",
        "errors",
        "first_left",
        "form",
        "granted",
        "idempotent",
        "is_iteration_step",
        "keeps_successes",
        "kind",
        "last_look_ns",
        "latest",
        "left",
        "module",
        "name",
        "names",
        "next_sample_ns",
        "place",
        "qualname",
        "redact",
        "reserve",
        "roles",
        "site_id",
        "source_hash",
        "tries_left",
        "wanting",
        "wrapper_references",
    )

    def __init__(
        self,
        module: str,
        qualname: str,
        *,
        called: CodeType,
        written: CodeType,
        kind: str = "function",
        boundary: bool = False,
        capture: str | None = None,
        redact: tuple[str, ...] = (),
        name: str | None = None,
        roles: Mapping[str, str] = _NONE,
        idempotent: bool = False,
    ) -> None:
        #: The code that is called, and the one that was written (below other decorators).
        self.called = called
        self.code = written
        self.module = module
        self.qualname = qualname
        self.site_id = f"{module}:{qualname}"
        #: Its parameters in their order, those with stars starred.
        self.names = parameter_names(called)
        self.is_iteration_step = qualname.endswith(("__next__", "__anext__"))
        self.kind = kind
        self.boundary = boundary
        #: ``full``, ``errors``, or ``None`` for what the settings say.
        self.capture = capture
        self.redact = redact
        #: What fixes refer to it by, beside its id.
        self.name = name or qualname
        #: Role of a parameter (model, timeout, …) to its name.
        self.roles = roles
        #: A call may be repeated without approval.
        self.idempotent = idempotent
        #: Its wrappers, one for each closure, as long as the program has them.
        self.wrapper_references: set[ref[FunctionType]] = set()
        #: What the texts of its arguments go into, if nothing in their names is secret; found out at
        #: a record.
        self.form: str | None = None
        self.source_hash = ""
        #: What every record of it says: the process that it was composed for, and JSON.
        self.place: tuple[str, str] | None = None
        #: The closure cell that every wrapper of this site counts down.
        self.left = CellType(0)
        self.granted = 0
        #: Calls that are granted beyond those: numbers up to `MAX_GRANT` are made without memory.
        self.reserve = 0
        self.calls = 0
        self.calls_at_look = 0
        self.errors = 0
        #: How many of the first successes are still to be recorded; ``None`` until the first call.
        self.first_left: int | None = None
        self.keeps_successes = True
        #: Calls that may still be made for it.
        self.tries_left = 0
        self.next_sample_ns = 0
        self.last_look_ns = 0
        #: Group of the latest failure.
        self.latest: Any = None
        #: Groups whose next failure is to be recorded with its inputs: the site is armed.
        self.wanting: set[Any] = set()
        #: Calls that an armed site may still watch whatever it costs.
        self.armed_left = ARMED_CALLS

    def add_wrapper(self, wrapper: FunctionType) -> None:
        """Remember a wrapper, without keeping it alive."""
        self.wrapper_references.add(ref(wrapper, self.wrapper_references.discard))

    def wrappers(self) -> list[FunctionType]:
        """Return the wrappers that are alive."""
        references = self.wrapper_references.copy()  # one may be discarded at any moment
        return [wrapper for each in references if (wrapper := each()) is not None]

    def forget(self) -> None:
        """Begin anew, as a site of another process."""
        self.settle()
        self.calls = self.errors = self.calls_at_look = 0
        self.latest = None
        self.wanting.clear()
        self.armed_left = ARMED_CALLS

    def settle(self) -> None:
        """Bring `calls` up to date with the countdown."""
        left: int = self.left.cell_contents
        if left < self.granted:
            self.calls += self.granted - left
        self.granted = left

    def grant(self, calls: int) -> None:
        """Let that many calls pass without a look."""
        self.reserve = 0
        if calls > MAX_GRANT:
            # A boundary's countdown may be passed over, so that it says nothing of the reserve.
            self.reserve = 0 if self.boundary else calls - MAX_GRANT
            calls = MAX_GRANT
        self.granted = calls
        self.left.cell_contents = calls

    def pause(self) -> None:
        """Have a look at the next call."""
        if self.granted:
            self.settle()
            self.grant(0)

    def refill(self) -> None:
        """Let the present call pass and go on with the reserve, the countdown being used up."""
        self.settle()
        self.calls += 1
        reserve = self.reserve - 1
        self.granted = granted = min(reserve, MAX_GRANT)
        self.reserve = reserve - granted
        self.left.cell_contents = granted

    def record(self, host: Host) -> dict[str, Any]:
        """Return the `prunella.model.records.Site`, as it stands on the wire."""
        file, _ = host.code_places.place(self.code.co_filename)
        return {
            "class": "site",
            "site_id": self.site_id,
            "module": self.module,
            "qualname": self.qualname,
            "kind": self.kind,
            "shape": kind_of(self.called),
            "file": file,
            "first_line": self.code.co_firstlineno,
            "source_hash": self.source_hash,
            "source": _source(self, host),
            "parameters": list(self.names),
            "boundary": self.boundary,
            "idempotent": self.idempotent,
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


def _source(site: Site, host: Host) -> str | None:
    from prunella.sdk.source import source_of

    text = source_of(site.code, site.module)
    if text is None or len(text) > MAX_SOURCE_LENGTH:
        return None
    return host.redactor.text(text)


#: Sites by what they are made of, and by the id of their code.
_sites: dict[tuple[int, str], Site] = {}
by_code: dict[int, Site] = {}
MAX_SITES = 20_000


def site_of(function: FunctionType, **options: Any) -> Site | None:
    """Return the site of `function`, the same for all closures; ``None`` if there are too many."""
    module = module_name(function.__module__, function.__globals__)
    codes = (function.__code__, innermost(function).__code__)
    site = _site(module, function.__qualname__, codes, options)
    if site is not None:
        by_code[id(site.code)] = site
    return site


def site_of_code(code: CodeType, namespace: dict[str, Any]) -> Site | None:
    """Return a site for a function that isn't under ``@heal``, but failed."""
    module = module_name(namespace.get("__name__"), namespace)
    return _site(module, code.co_qualname, (code, code), {})


def _site(
    module: str, qualname: str, codes: tuple[CodeType, CodeType], options: dict[str, Any]
) -> Site | None:
    called, written = codes
    key = (id(written), f"{module}:{qualname}")
    site = _sites.get(key)
    if site is None and len(_sites) < MAX_SITES:
        site = _sites[key] = Site(module, qualname, called=called, written=written, **options)
    return site


def all_sites() -> list[Site]:
    """Return every site of the process."""
    return list(_sites.values())
