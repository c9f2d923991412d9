"""What failing tests tell of single functions of the project, as dossiers for rules and models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from prunella.diagnose import find_function
from prunella.diagnose.source import Read
from prunella.diagnose.spectrum import is_test_code
from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.errors import SourceUnavailable
from prunella.model.ids import CallId, OccurrenceId, SiteId
from prunella.model.incidents import Incident
from prunella.model.records import Ending, ExceptionInfo, Frame, Occurrence, Process, Site
from prunella.model.repair import (
    Baseline,
    ReplayEnding,
    ReplayOutcome,
    Snippet,
    SourceFunction,
)
from prunella.model.trials import ObservedTest
from prunella.patching import SourceText, locate

#: Functions of a traceback that are looked at, the innermost first.
_MAX_FUNCTIONS = 4
#: Tests whose tracebacks are read, and whose source is shown.
_MAX_TESTS, _MAX_SHOWN = 12, 3
#: Exceptions of one test: the one it ended with, and those behind it.
_MAX_CAUSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """A function of the project through which the exceptions of failing tests passed."""

    function: SourceFunction
    #: Project frames between it and where the exception was raised: 0 is the innermost.
    depth: int
    #: Tests with the exception each; the function is in its traceback.
    ends: list[tuple[ObservedTest, ExceptionInfo]] = field(default_factory=list)


def crashes(failing: Sequence[ObservedTest], read: Read) -> list[Crash]:
    """Return the functions that failing tests crashed in, the innermost first.

    Code of tests is left out, and so are functions inside others, which are made anew by each call,
    and those whose source isn't in the tree that `read` reads.
    """
    found: dict[tuple[str, int], Crash] = {}
    for test in failing[:_MAX_TESTS]:
        for error in _chain(test.exception):
            for depth, function in enumerate(_functions(error, read)):
                key = function.path, function.first_line
                crash = found.setdefault(key, Crash(function=function, depth=depth))
                if all(known is not test for known, _ in crash.ends):
                    crash.ends.append((test, error))
    return sorted(found.values(), key=lambda item: item.depth)[:_MAX_FUNCTIONS]


def dossier_of(
    function: SourceFunction,
    ends: Sequence[tuple[ObservedTest, ExceptionInfo]],
    incident: Incident,
    process: Process,
    snippets: Sequence[Snippet] = (),
) -> Dossier:
    """Return what is known of a function: the failing tests stand for its failing calls.

    Their inputs aren't known, and no passing call is.
    """
    pairs = tuple((_occurrence(*end, process), _outcome(*end)) for end in ends)
    return Dossier(
        incident=incident,
        site=Site(
            site_id=SiteId(f"{function.module}:{function.qualname}"),
            module=function.module,
            qualname=function.qualname,
            file=function.path,
            first_line=function.first_line,
            source_hash="",
        ),
        process=process,
        failing=tuple(occurrence for occurrence, _ in pairs),
        passing=(),
        function=function,
        baseline=Baseline(failing=pairs, passing=(), set_aside=()),
        snippets=tuple(snippets),
    )


def sources(failing: Sequence[ObservedTest], read: Read) -> list[Snippet]:
    """Return the source of the first failing tests, where it can be found."""
    found = (_source(test, read) for test in failing)
    return [item for item in found if item is not None][:_MAX_SHOWN]


def _source(test: ObservedTest, read: Read) -> Snippet | None:
    path, *names = test.test_id.partition("[")[0].split("::")
    content = read(path)
    if content is None or not names:
        return None
    try:
        span = locate(SourceText(content), ".".join(names))
    except SourceUnavailable:
        return None
    return Snippet(
        role="test",
        path=path,
        qualname=span.qualname,
        first_line=span.first_line,
        text=span.text,
    )


def _chain(error: ExceptionInfo | None) -> Iterator[ExceptionInfo]:
    for _ in range(_MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.cause


def _functions(error: ExceptionInfo, read: Read) -> Iterator[SourceFunction]:
    """Yield the project's functions of a traceback, the innermost first, each once."""
    seen = set()
    for frame in reversed(error.frames):
        if not _of_project(frame):
            continue
        try:
            function = find_function(frame, read)
        except SourceUnavailable:
            continue
        inner = "<locals>" in function.qualname
        if not inner and (function.path, function.first_line) not in seen:
            seen.add((function.path, function.first_line))
            yield function


def _of_project(frame: Frame) -> bool:
    return frame.in_project and not is_test_code(frame.file) and frame.qualname != "<module>"


def _occurrence(test: ObservedTest, error: ExceptionInfo, process: Process) -> Occurrence:
    return Occurrence(
        occurrence_id=OccurrenceId(test.test_id),
        group=test.test_id,
        site_id=SiteId(test.test_id),
        source_hash="",
        process_id=process.process_id,
        trace_id="",
        call_id=CallId(test.test_id),
        started_at=now(),
        duration_us=test.duration_us,
        ending=Ending.ERROR,
        exception=error,
        inputs=None,
        complete=False,
    )


def _outcome(test: ObservedTest, error: ExceptionInfo) -> ReplayOutcome:
    return ReplayOutcome(
        request_id=OccurrenceId(test.test_id), ending=ReplayEnding.RAISED, exception=error
    )
