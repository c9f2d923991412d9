"""Who decided what, when and why: one record for each decision, by a person or by the healer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prunella.model.ids import AuditId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One decision. Entries are only ever added."""

    #: Derived from what was decided where a decision may be tried twice (a step of a rollout), so that
    #: it is kept once; random otherwise.
    audit_id: AuditId
    at: datetime
    #: ``healer``, or ``user@host`` of a person, with the command.
    actor: str
    #: Stage and verb: ``rollout.advanced``, ``fix.approved``, ``propose.suggested``.
    action: str
    #: Id of what it is about: a rollout, a fix, an incident.
    subject: str
    #: In words a person reads.
    reason: str
    #: The numbers and names it rests on; JSON.
    evidence: Mapping[str, Any] = field(default_factory=dict)
