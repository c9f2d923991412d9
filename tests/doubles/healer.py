"""A healer that answers what a test gave it, with the surface of `prunella.wiring.healer.Healer`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from prunella.model.errors import UnknownName
from prunella.model.incidents import Incident, IncidentStatus
from prunella.model.settings import Settings
from prunella.pipeline.results import Healing, RefreshReport, ReplayReport, Story
from prunella.ports import KeptCall, Progress


@dataclass(slots=True)
class FakeHealer:
    """Keeps what it was asked in `asked`."""

    known: Sequence[Incident] = ()
    kept: Sequence[KeptCall] = ()
    healings: Mapping[str, Healing | Exception] = field(default_factory=dict)
    stories: Mapping[str, Story] = field(default_factory=dict)
    report: ReplayReport | None = None
    #: Raised by `refresh`.
    broken: Exception | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    closed: bool = False
    settings: Settings = field(default_factory=Settings)
    #: Its adapters; commands only make sure that they can be made.
    parts: None = None

    def open(self, root: Path | None, model: str | None, progress: Progress) -> Self:
        self.asked.append(("open", root, model))
        progress("working")
        return self

    def refresh(self) -> RefreshReport:
        if self.broken is not None:
            raise self.broken
        return RefreshReport(records=0, unreadable=0, triaged=0)

    def note_fault(self, activity: str, error: Exception) -> None:
        self.asked.append(("note_fault", activity, type(error).__name__))

    def clear_faults(self, activity: str | None = None) -> None:
        pass

    def incidents(self, *, status: IncidentStatus | None = None) -> Sequence[Incident]:
        return [item for item in self.known if status is None or item.status is status]

    def ignore(self, incident_id: str) -> Incident:
        self.asked.append(("ignore", incident_id))
        return self.known[0]

    def calls(
        self, function: str | None = None, *, golden_only: bool = False, limit: int = 20
    ) -> Sequence[KeptCall]:
        self.asked.append(("calls", function, golden_only, limit))
        return self.kept[:limit]

    def call(self, call_id: str) -> KeptCall:
        self.asked.append(("call", call_id))
        return self.kept[0]

    def mark_golden(self, call_ids: Sequence[str], *, golden: bool = True) -> Sequence[KeptCall]:
        self.asked.append(("mark_golden", call_ids, golden))
        return self.kept

    def pending(
        self, lookback_minutes: int | None = None, function: str | None = None
    ) -> Sequence[Incident]:
        self.asked.append(("pending", lookback_minutes, function))
        return self.known

    def heal(
        self,
        incident: Incident,
        *,
        create_pr: bool = False,
        keep: bool = True,
        force: bool = False,
    ) -> Healing:
        self.asked.append(("heal", incident.incident_id, create_pr, keep, *(["force"] * force)))
        answer = self.healings[incident.incident_id]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def story(self, incident_id: str) -> Story:
        if incident_id not in self.stories:
            raise UnknownName(f"no incident {incident_id!r}")
        return self.stories[incident_id]

    def replay(self, function: str, *, against: bytes | None = None) -> ReplayReport:
        self.asked.append(("replay", function, against))
        assert self.report is not None
        return self.report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.closed = True
