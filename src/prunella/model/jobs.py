"""Long work that somebody asked for: seen while it goes on, and cancelled if they want."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from prunella.model.ids import JobId


class JobKind(StrEnum):
    """What is to be done with the subject."""

    #: Find out why an incident failed; propose and prove nothing.
    DIAGNOSE = "diagnose"
    #: Diagnose an incident, propose patches and prove them.
    HEAL = "heal"
    #: Publish the patch that was accepted, healing first where none was.
    PUBLISH = "publish"
    #: Propose fixes for an incident and try them on its records.
    SUGGEST = "suggest"
    #: Replay a site's recorded calls on the project's source.
    REPLAY = "replay"


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Nothing becomes of it any more."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of long work."""

    job_id: JobId
    kind: JobKind
    #: An incident's id, or for `JobKind.REPLAY` a site's.
    subject: str
    #: Who asked for it.
    actor: str
    state: JobState
    made_at: datetime
    #: Healed also where that was tried within the cooldown.
    is_forced: bool = False
    #: Who works at it: ``user@host, process 17``.
    worker: str = ""
    #: How often a worker has taken it. What one keeps of an earlier attempt is refused.
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    #: Until when its worker is believed to live; whoever sees it later takes the job up again.
    lease_until: datetime | None = None
    #: What is being done now, in a few words.
    progress: str = ""
    #: Its outcome in a sentence, or why it failed.
    result: str = ""
    #: What its outcome refers to, as JSON: a healing's candidate and branch, a replay's rows, …
    details: Mapping[str, Any] = field(default_factory=dict)
    #: Somebody wants it to end; its worker ends it at the next step.
    is_cancelled: bool = False
