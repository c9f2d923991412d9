"""Who heals what: an incident is healed by one healer at a time, and then left alone for a while."""

from dataclasses import dataclass
from datetime import datetime

from prunella.model.ids import ClaimId, IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attempt to heal one incident, from the moment a healer takes it up."""

    claim_id: ClaimId
    incident_id: IncidentId
    #: ``module:qualname`` of the function that failed: what is edited is left alone as well.
    function: str
    #: The healer: ``user@host``, with the process's number.
    actor: str
    started_at: datetime
    #: When others may take it up if it hasn't ended; a healer at work pushes it on.
    lease_until: datetime
    ended_at: datetime | None = None
    #: How it ended: a `HealingOutcome`, or ``failed`` with the reason; empty while it is under way.
    outcome: str = ""
