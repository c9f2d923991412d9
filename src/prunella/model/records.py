"""What a running program reports: processes, sites, calls and occurrences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from prunella.model.ids import CallId, OccurrenceId, ProcessId, SiteId
from prunella.model.tree import Tree

#: Environment variables that change what code computes and hold no secret: a process records them as
#: they are in force, and its calls are replayed with them. `PYTHONHASHSEED` is a number or ``random``.
SURROUNDINGS = (
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "PYTHONUTF8",
    "DJANGO_SETTINGS_MODULE",
)


class SiteKind(StrEnum):
    """What sort of work a site does."""

    #: An ordinary function or method.
    FUNCTION = "function"
    #: A tool that an agent calls.
    TOOL = "tool"
    #: A call of a language model.
    LLM = "llm"
    #: An agent's own loop.
    AGENT = "agent"


class FunctionShape(StrEnum):
    """How a function runs, which decides how it is wrapped and replayed."""

    #: ``def`` that returns.
    SYNC = "sync"
    #: ``async def`` that returns.
    ASYNC = "async"
    #: ``def`` that yields.
    GENERATOR = "generator"
    #: ``async def`` that yields.
    ASYNC_GENERATOR = "async_generator"


class Ending(StrEnum):
    """How a call that did not return ended."""

    #: An exception that healing is for.
    ERROR = "error"
    #: An exception that the ignore file names: kept, never healed, never alerted. Set by triage.
    FAILURE = "failure"
    #: ``asyncio.CancelledError``: somebody called it off.
    CANCELLED = "cancelled"
    #: ``KeyboardInterrupt``, ``SystemExit`` or ``GeneratorExit``: somebody ended it.
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One start of one program, with what a replay needs to run its code again."""

    process_id: ProcessId
    pid: int
    started_at: datetime
    #: ``3.11.7``
    python_version: str
    #: Path of the interpreter that ran the program.
    executable: str
    #: `sys.path` as it was when the first site failed or was sampled.
    sys_path: tuple[str, ...]
    #: The project's root: the folder that paths in frames and sites are relative to.
    root: str
    cwd: str
    argv: tuple[str, ...]
    hostname: str
    release: str | None = None
    environment: str | None = None
    prunella_version: str
    #: Of `SURROUNDINGS`, those that were in force; empty where they were not recorded.
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A function under ``@heal`` at one source hash (a site version)."""

    site_id: SiteId
    module: str
    qualname: str
    kind: SiteKind = SiteKind.FUNCTION
    shape: FunctionShape = FunctionShape.SYNC
    #: Path of the source file, relative to the project's root where it lies below it, with ``/``.
    file: str
    #: Line of the first decorator, or of ``def`` where there is none, counted from 1.
    first_line: int
    #: `blake2b` (8 bytes, hex) of the function's compiled code and constants: one site version.
    source_hash: str
    #: Text of the function from its first decorator on; ``None`` where it can't be found.
    source: str | None = None
    #: Parameter names in the order of the signature; ``*args`` and ``**kwargs`` carry their stars.
    parameters: tuple[str, ...] = ()
    #: Its recorded answers stand in for it when a caller is replayed.
    boundary: bool = False
    #: A call may be repeated without anybody's approval.
    idempotent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recorded execution that returned."""

    call_id: CallId
    site_id: SiteId
    source_hash: str
    process_id: ProcessId
    trace_id: str
    #: The call that made this one, if it was observed too.
    parent_id: str | None = None
    started_at: datetime
    duration_us: int
    #: Parameter name to value before the call, encoded as one ``dict`` tree (shared references
    #: between arguments survive). ``*args`` is a tuple, ``**kwargs`` a dict.
    inputs: Tree
    #: The returned value; for generators, the list of what was yielded (bounded).
    result: Tree
    #: Inputs and result are whole, so that the call can be replayed and compared. Never so where a
    #: fix has changed either.
    complete: bool
    #: The fix that acted on the call.
    fix_id: str | None = None
    #: The result isn't the function's own: a fallback, a default, something cut off.
    degraded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a traceback, outermost first in `ExceptionInfo.frames`."""

    file: str
    module: str
    qualname: str
    #: First line of the code object (`co_firstlineno`).
    first_line: int
    #: The line that was running.
    line: int
    #: ``(line, end_line, column, end_column)`` of the running expression: lines from 1, columns
    #: as UTF-8 byte offsets from 0; ``None`` where the interpreter doesn't know.
    position: tuple[int, int, int, int] | None = None
    #: The file belongs to the project: not the standard library, not installed, not generated.
    in_project: bool
    #: Local variable name to value, encoded as one ``dict`` tree; ``None`` if not captured.
    local_values: Tree = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionInfo:
    """One exception with its frames and what caused it."""

    #: ``module:qualname`` of the class.
    type: str
    #: The class and its bases up to `BaseException`, each ``module:qualname``.
    # `field()` because a class has an `mro` of its own, which would pass for a default.
    mro: tuple[str, ...] = field()
    #: `str(exception)`, redacted and bounded. Untrusted text.
    message: str
    #: The exception's own ``error_code``, ``code`` or ``sqlstate`` attributes and the like.
    attributes: Mapping[str, str] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()
    #: The exception that this one was raised from, or while handling.
    cause: "ExceptionInfo | None" = None
    #: ``cause`` (``raise … from``) or ``context`` (raised while handling).
    relation: str | None = None

    @property
    def type_name(self) -> str:
        """The class's qualified name without its module, e.g. ``KeyError``."""
        return self.type.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One captured failure, with full context."""

    occurrence_id: OccurrenceId
    #: Numbers failures that look alike within one process; `Repeat` refers to it.
    group: str
    site_id: SiteId
    source_hash: str
    process_id: ProcessId
    trace_id: str
    parent_id: str | None = None
    #: The call that failed (children of it have it as their `parent_id`).
    call_id: CallId
    #: The moment of the failure, and a duration of 0, where the call wasn't watched.
    started_at: datetime
    duration_us: int
    ending: Ending
    exception: ExceptionInfo
    #: As in `Call.inputs`. Where they were not read before the call, what can't have changed
    #: since (scalars) stands there, and marks for the rest.
    inputs: Tree
    #: Inputs are whole and were read before the call, so that it can be replayed.
    complete: bool
    #: For generators: what was yielded before it failed (bounded), as a ``list`` tree.
    yielded: Tree = None
    #: The exception came from a site that this call made, where it is an occurrence (this one, or
    #: the latest like it). Kept so that the caller can be replayed as well; never an incident.
    caused_by: OccurrenceId | None = None
    #: The fix that turned the failure into a success: the caller saw nothing of it.
    masked_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Failures that look like an occurrence already recorded in full: counted, not described."""

    process_id: ProcessId
    group: str
    site_id: SiteId
    at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FixCounts:
    """What one fix did in one process since it began."""

    #: Calls on which it would act, of both arms, and of the treatment arm.
    triggers: int = 0
    treated: int = 0
    #: Exposed calls that failed in the end, of both arms, and of the treatment arm.
    failures: int = 0
    treated_failures: int = 0
    #: Times that it acted, made a success of a failure, would have acted in shadow, or could do
    #: nothing.
    acted: int = 0
    healed: int = 0
    shadow: int = 0
    skipped: int = 0
    #: Errors of its own, and times that it was switched off for them or for what it broke.
    fault: int = 0
    disabled: int = 0
    #: Seconds that it has made calls wait.
    added_s: float = 0.0
    #: What it would have done in shadow, and how often.
    would: Mapping[str, int] = field(default_factory=dict)
    #: What it did, would have done or couldn't do, the latest of each event. Untrusted text.
    latest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Cumulative counters of one process; the highest `sequence` wins, then processes add up."""

    process_id: ProcessId
    sequence: int
    #: Counter name to value: ``calls``, ``errors`` per site id, and the SDK's own ``dropped_*``.
    sites: Mapping[str, Mapping[str, int]]
    sdk: Mapping[str, int]
    #: Fix id to what it did.
    fixes: Mapping[str, FixCounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposures:
    """What one process has counted of fixes in rollouts, cumulative; the highest `sequence` wins.

    What hasn't changed since an earlier record of the process may be left out.
    """

    process_id: ProcessId
    sequence: int
    #: Each a `prunella.experiment.Tally` as JSON.
    tallies: tuple[Mapping[str, Any], ...] = ()
    #: Rollout id to what else was counted: ``acted``, ``healed``, ``added_ms``, ``disabled`` (the
    #: breaker of the process switched the fix off), ``quiet_calls`` (of its sites since it last fired).
    effects: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


Record = Process | Site | Call | Occurrence | Repeat | Counts | Exposures
