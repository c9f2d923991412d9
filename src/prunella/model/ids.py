"""Identifiers: strings with a prefix that says what they name."""

import secrets
from typing import NewType

SiteId = NewType("SiteId", str)
"""``module:qualified.name`` of a function under ``@heal``."""
ProcessId = NewType("ProcessId", str)
"""``proc_…``: one start of one program (a forked child is a process of its own)."""
CallId = NewType("CallId", str)
"""``call_…``: one recorded execution of a site."""
OccurrenceId = NewType("OccurrenceId", str)
"""``occ_…``: one captured failure."""
IncidentId = NewType("IncidentId", str)
"""``inc_…``: the occurrences that share a fingerprint."""
DiagnosisId = NewType("DiagnosisId", str)
"""``dia_…``"""
CandidateId = NewType("CandidateId", str)
"""``cand_…``: a proposed patch that may not be validated yet."""
ExchangeId = NewType("ExchangeId", str)
"""``exc_…``: one question to a language model with its answer."""
CaseId = NewType("CaseId", str)
"""``case_…``: a solved incident, kept for retrieval."""
FixId = NewType("FixId", str)
"""``fix-…`` by convention: whatever its document says."""
RolloutId = NewType("RolloutId", str)
"""``rol_…``: one version of a fix on its way."""
ClaimId = NewType("ClaimId", str)
"""``clm_…``: one attempt to heal an incident."""
JobId = NewType("JobId", str)
"""``job_…``: long work that somebody asked for."""
AlertId = NewType("AlertId", str)
"""``alr_…``: one thing that people are told."""
AuditId = NewType("AuditId", str)
"""``aud_…``: one decision."""


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 12 random hex digits; callers wrap it in the id's type."""
    return f"{prefix}_{secrets.token_hex(6)}"
