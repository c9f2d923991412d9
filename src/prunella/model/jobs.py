"""Long work that somebody asked for: seen while it goes on, and cancelled if they want."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    started_at: datetime | None = None
    ended_at: datetime | None = None
    #: Until when its worker is believed to live; whoever sees it later takes the job up again.
    lease_until: datetime | None = None
    #: What is being done now, in a few words.
    progress: str = ""
    #: Its outcome in a sentence, or why it failed.
    result: str = ""
    #: Somebody wants it to end; its worker ends it at the next step.
    is_cancelled: bool = False
