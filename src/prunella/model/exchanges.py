"""What was said between the healer and a language model."""

from dataclasses import dataclass
from datetime import datetime

from prunella.model.ids import ExchangeId, IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelExchange:
    """One question to a language model and what came of it, kept as it was sent and received."""

    exchange_id: ExchangeId
    incident_id: IncidentId
    #: ``provider:model``
    model: str
    #: What it was asked for: ``diagnosis`` or ``patch``.
    purpose: str
    system: str
    prompt: str
    #: Empty where there was none. Untrusted text.
    answer: str
    #: ``reason: message`` of why there is no answer, or why the answer can't be used; ``None``
    #: where it served.
    error: str | None
    input_tokens: int
    output_tokens: int
    latency_s: float
    #: Dollars by the price known when it was asked; ``None`` where none is known.
    cost_dollars: float | None = None
    asked_at: datetime
