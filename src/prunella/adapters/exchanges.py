"""A language model whose every exchange is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prunella.model.clock import now
from prunella.model.errors import ModelError
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import ExchangeId, IncidentId, new_id
from prunella.ports import LanguageModel, ModelAnswer, ModelRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedModel:
    """Asks `model` on behalf of one incident and hands each exchange to `keep`."""

    model: LanguageModel
    incident_id: IncidentId
    keep: Callable[[ModelExchange], None]

    @property
    def name(self) -> str:
        """``provider:model``"""
        return self.model.name

    def ask(self, request: ModelRequest) -> ModelAnswer:
        """Return the model's answer, or raise its `ModelError`; either way it is kept."""
        asked_at = now()
        try:
            answer = self.model.ask(request)
        except ModelError as error:
            self.keep(self._exchange(request, asked_at, None, f"{error.reason}: {error}"))
            raise
        self.keep(self._exchange(request, asked_at, answer, None))
        return answer

    def _exchange(
        self,
        request: ModelRequest,
        asked_at: datetime,
        answer: ModelAnswer | None,
        error: str | None,
    ) -> ModelExchange:
        elapsed_s = (now() - asked_at).total_seconds()
        return ModelExchange(
            exchange_id=ExchangeId(new_id("exc")),
            incident_id=self.incident_id,
            model=self.model.name,
            purpose=request.purpose,
            system=request.system,
            prompt=request.prompt,
            answer="" if answer is None else answer.text,
            error=error,
            input_tokens=0 if answer is None else answer.input_tokens,
            output_tokens=0 if answer is None else answer.output_tokens,
            latency_s=elapsed_s if answer is None else answer.latency_s,
            asked_at=asked_at,
        )
