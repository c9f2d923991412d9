"""Failures that other libraries report, as records of Prunella's own.

They are redacted like the SDK's, by the project's settings. As the SDK does, the first failure of a
sort in a process is kept whole, then the 2nd, 4th, 8th …, and the others are counted, so that what is
kept grows with what goes wrong and not with how often. A report that is sent again within an hour is
known by its id and not counted twice, whichever server of the project hears it.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar

from prunella._version import __version__
from prunella.codec import Redactor, encode_mapping
from prunella.codec.limits import Limits
from prunella.model.clock import from_us
from prunella.model.ids import CallId, OccurrenceId, ProcessId, SiteId
from prunella.model.records import (
    Ending,
    ExceptionInfo,
    Frame,
    Occurrence,
    Process,
    Record,
    Repeat,
    Site,
    SiteKind,
)

H = TypeVar("H", bound=Hashable)

#: Sorts of failures, and reports, that are remembered for each project.
_MAX_REMEMBERED = 50_000
_MAX_TEXT = 2_000
_MAX_NAME = 200
_VALUES = Limits(
    max_depth=6,
    max_nodes=400,
    max_items=50,
    max_string_length=1_000,
    max_total_bytes=8_000,
    time_budget_ms=5.0,
)
#: Exceptions by which somebody ends a call on purpose.
_ENDINGS = {
    "asyncio.exceptions:CancelledError": Ending.CANCELLED,
    "builtins:KeyboardInterrupt": Ending.INTERRUPTED,
    "builtins:SystemExit": Ending.INTERRUPTED,
    "builtins:GeneratorExit": Ending.INTERRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """The process that failed, as far as it told."""

    service: str = ""
    instance: str = ""
    hostname: str = ""
    pid: int = 0
    python_version: str = ""
    executable: str = ""
    folder: str = ""
    release: str = ""
    environment: str = ""

    @property
    def process_id(self) -> ProcessId:
        parts = [getattr(self, name) for name in self.__slots__]
        return ProcessId(f"proc_{_digest(parts)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One failure, not redacted yet."""

    #: Unique, and the same when it is sent again.
    event_id: str
    at: datetime
    reporter: Reporter
    module: str
    name: str
    kind: SiteKind = SiteKind.FUNCTION
    exception: ExceptionInfo
    #: Frame (by its place in `exception.frames`) to local variables.
    local_values: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    #: What else was told of it.
    inputs: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    #: Event of the failure that this one is the echo of, in the code that called.
    caused_by: str = ""


Save = Callable[[list[Record], list[str]], Collection[str]]
"""Keeps records that stand for reports of these ids, or nothing, and answers which it knew before."""


class Intake:
    """Takes in what is reported to one project."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lock = Lock()
        self._events: OrderedDict[str, int] = OrderedDict()
        self._counts: OrderedDict[Hashable, int] = OrderedDict()
        self._described: OrderedDict[Hashable, int] = OrderedDict()

    def keep(self, failures: Sequence[Failed], save: Save) -> int:
        """Give `save` the records of the failures that are new; return how many those are.

        Where `save` raises, they count as never reported.
        """
        with self._lock:
            heard: set[str] = set()
            batch = self._batch(failures, heard)
            while batch.records and (known := save(batch.records, list(batch.events))):
                heard.update(known)
                batch = self._batch(failures, heard)
            _remember(self._events, dict.fromkeys([*heard, *batch.events], 1))
            _remember(self._counts, batch.counts)
            _remember(self._described, batch.described)
            return len(batch.events)

    def _batch(self, failures: Sequence[Failed], heard: Collection[str]) -> "_Batch":
        """Return the records of what neither this server has heard nor another."""
        batch = _Batch(self)
        for failed in failures:
            if failed.event_id not in heard:
                batch.add(failed)
        return batch

    def events_known(self, event_id: str) -> bool:
        return event_id in self._events

    def count_of(self, group: Hashable) -> int:
        return self._counts.get(group, 0)

    def is_described(self, what: Hashable) -> bool:
        return what in self._described

    def text(self, text: str, limit: int = _MAX_TEXT) -> str:
        """Return a text without secrets, cut to `limit` characters."""
        return self._redactor.text(text[:limit])

    def tree(self, values: Mapping[str, Any]) -> Any:
        """Return values by names as a tree without secrets."""
        return encode_mapping(dict(values), limits=_VALUES, redactor=self._redactor).tree


class _Batch:
    """The records of one request in the making."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.records: list[Record] = []
        self.events: dict[str, int] = {}
        self.counts: dict[Hashable, int] = {}
        self.described: dict[Hashable, int] = {}

    def add(self, failed: Failed) -> None:
        intake = self._intake
        if failed.event_id in self.events or intake.events_known(failed.event_id):
            return
        self.events[failed.event_id] = 1
        process_id = failed.reporter.process_id
        site_id = SiteId(intake.text(f"{failed.module}:{failed.name}", _MAX_NAME))
        self._describe(failed, process_id, site_id)
        group = _group(failed)
        key = (process_id, group)
        number = self.counts.get(key, intake.count_of(key)) + 1
        self.counts[key] = number
        if number & (number - 1):
            self._repeat(failed, process_id, site_id, group)
        else:
            self.records.append(self._occurrence(failed, process_id, site_id, group))

    def _repeat(self, failed: Failed, process_id: ProcessId, site_id: SiteId, group: str) -> None:
        last = self.records[-1] if self.records else None
        if isinstance(last, Repeat) and (last.process_id, last.group) == (process_id, group):
            at = max(last.at, failed.at)
            self.records[-1] = replace(last, count=last.count + 1, at=at)
        elif not failed.caused_by:
            self.records.append(
                Repeat(process_id=process_id, group=group, site_id=site_id, at=failed.at, count=1)
            )

    def _describe(self, failed: Failed, process_id: ProcessId, site_id: SiteId) -> None:
        for key, record in (
            (process_id, lambda: self._process(failed.reporter, process_id, failed.at)),
            ((site_id, failed.kind), lambda: self._site(failed, site_id)),
        ):
            if key not in self.described and not self._intake.is_described(key):
                self.described[key] = 1
                self.records.append(record())

    def _process(self, reporter: Reporter, process_id: ProcessId, at: datetime) -> Process:
        clean = self._intake.text
        return Process(
            process_id=process_id,
            pid=reporter.pid,
            started_at=at,
            python_version=clean(reporter.python_version, _MAX_NAME),
            executable=clean(reporter.executable, _MAX_NAME),
            sys_path=(),
            root=clean(reporter.folder, _MAX_NAME),
            cwd=clean(reporter.folder, _MAX_NAME),
            argv=(clean(reporter.service, _MAX_NAME),) if reporter.service else (),
            hostname=clean(reporter.hostname, _MAX_NAME),
            release=clean(reporter.release, _MAX_NAME) or None,
            environment=clean(reporter.environment, _MAX_NAME) or None,
            prunella_version=__version__,
        )

    def _site(self, failed: Failed, site_id: SiteId) -> Site:
        frames = [each for each in failed.exception.frames if each.qualname == failed.name]
        return Site(
            site_id=site_id,
            module=self._intake.text(failed.module, _MAX_NAME),
            qualname=self._intake.text(failed.name, _MAX_NAME),
            kind=failed.kind,
            file=frames[-1].file if frames else "",
            first_line=frames[-1].first_line if frames else 1,
            source_hash="",
        )

    def _occurrence(
        self, failed: Failed, process_id: ProcessId, site_id: SiteId, group: str
    ) -> Occurrence:
        intake = self._intake
        frames = tuple(
            replace(frame, local_values=intake.tree(failed.local_values[at]))
            if at in failed.local_values
            else frame
            for at, frame in enumerate(failed.exception.frames)
        )
        exception = self._clean(replace(failed.exception, frames=frames))
        caused_by = occurrence_id(failed.caused_by) if failed.caused_by else None
        return Occurrence(
            occurrence_id=occurrence_id(failed.event_id),
            group=group,
            site_id=site_id,
            source_hash="",
            process_id=process_id,
            trace_id=intake.text(failed.trace_id, _MAX_NAME),
            call_id=CallId(f"call_{_digest([failed.event_id])}"),
            started_at=failed.at,
            duration_us=0,
            ending=_ENDINGS.get(exception.type, Ending.ERROR),
            exception=exception,
            inputs=intake.tree(failed.inputs),
            complete=False,
            caused_by=caused_by,
        )

    def _clean(self, info: ExceptionInfo) -> ExceptionInfo:
        clean = self._intake.text
        return replace(
            info,
            type=clean(info.type, _MAX_NAME),
            mro=tuple(clean(each, _MAX_NAME) for each in info.mro),
            message=clean(info.message),
            attributes={name: clean(text, _MAX_NAME) for name, text in info.attributes.items()},
            frames=tuple(map(self._clean_frame, info.frames)),
            cause=None if info.cause is None else self._clean(info.cause),
        )

    def _clean_frame(self, frame: Frame) -> Frame:
        clean = self._intake.text
        return replace(
            frame,
            file=clean(frame.file, 500),
            module=clean(frame.module, _MAX_NAME),
            qualname=clean(frame.qualname, _MAX_NAME),
        )


def occurrence_id(event_id: str) -> OccurrenceId:
    """Return the id of an event's occurrence."""
    return OccurrenceId(f"occ_{_digest([event_id])}")


def _group(failed: Failed) -> str:
    """Return what failures have in common that are described once: where and as what they failed."""
    exception = failed.exception
    innermost = [(frame.file, frame.line) for frame in exception.frames[-3:]]
    return _digest([failed.module, failed.name, exception.type, innermost])


def _digest(parts: Any) -> str:
    text = json.dumps(parts, default=str).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=10).hexdigest()


def _remember(known: OrderedDict[H, int], news: Mapping[H, int]) -> None:
    for key, value in news.items():
        known[key] = value
        known.move_to_end(key)
    while len(known) > _MAX_REMEMBERED:
        known.popitem(last=False)


def moment(epoch_us: float) -> datetime:
    """Return a moment of which a stranger told; the epoch where it is none."""
    return from_us(int(epoch_us)) if 0 < epoch_us < 4_102_444_800_000_000 else from_us(0)
