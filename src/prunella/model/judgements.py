"""What was found out about an incident once, so that it isn't asked for again."""

from dataclasses import dataclass
from datetime import datetime

from prunella.model.ids import CandidateId, DiagnosisId, IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A diagnosis and its judged candidates, for one state of the evidence."""

    incident_id: IncidentId
    #: Names the evidence: the function's text, how and with which inputs it failed, who was asked.
    evidence_key: str
    diagnosis_id: DiagnosisId
    #: Best first.
    candidate_ids: tuple[CandidateId, ...]
    at: datetime
