"""A language model whose every exchange is kept, within a budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from prunella.adapters.prices import Price
from prunella.model.clock import now
from prunella.model.errors import ModelError
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import ExchangeId, IncidentId, new_id
from prunella.model.settings import Settings
from prunella.ports import LanguageModel, ModelAnswer, ModelRequest

_DAY = timedelta(hours=24)
#: Code and prose have more; what a question takes at most is estimated before it is sent.
_CHARS_PER_TOKEN = 3


class Ledger(Protocol):
    """What of a store keeps exchanges; see `prunella.ports.Store`."""

    def save_exchange(self, exchange: ModelExchange) -> None: ...

    def exchanges(self, incident_id: str) -> Sequence[ModelExchange]: ...

    def exchanges_since(self, since: datetime) -> Sequence[ModelExchange]: ...


@dataclass(slots=True, kw_only=True)
class RecordedModel:
    """Asks `model` on behalf of one incident, keeps each exchange, and holds the budget.

    A question that could exceed a limit of the settings, by what `ledger` knows of the incident and
    of the last 24 hours, is not sent: `ModelError` with the reason ``budget``. Where no price is
    known, the limits in tokens hold alone. Healers that ask at the same moment may exceed a day's
    limit by one question each.
    """

    model: LanguageModel
    incident_id: IncidentId
    ledger: Ledger
    price: Price
    settings: Settings
    _latest: ModelExchange | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """``provider:model``"""
        return self.model.name

    def ask(self, request: ModelRequest) -> ModelAnswer:
        """Return the model's answer, or raise its `ModelError`; either way it is kept."""
        asked_at = now()
        try:
            self._check_budget(request, asked_at)
            answer = self.model.ask(request)
        except ModelError as error:
            used = error.input_tokens, error.output_tokens
            self._keep(self._exchange(request, asked_at, f"{error.reason}: {error}", *used))
            raise
        exchange = self._exchange(
            request, asked_at, None, answer.input_tokens, answer.output_tokens
        )
        self._keep(replace(exchange, answer=answer.text, latency_s=answer.latency_s))
        return answer

    def unusable(self, why: str) -> None:
        """Keep with the latest answer why it can't be used: ``reason: message``."""
        if self._latest is not None and self._latest.error is None:
            self._keep(replace(self._latest, error=why))

    # --- budget

    def _check_budget(self, request: ModelRequest, asked_at: datetime) -> None:
        limits = self.settings
        own = self.ledger.exchanges(self.incident_id)
        day = self.ledger.exchanges_since(asked_at - _DAY)
        sent = math.ceil(_chars(request) / _CHARS_PER_TOKEN)
        tokens = sent + request.max_output_tokens
        self._hold(
            "model_tokens_per_incident", limits.model_tokens_per_incident, _tokens(own), tokens
        )
        self._hold("model_tokens_per_day", limits.model_tokens_per_day, _tokens(day), tokens)
        dollars = self.price(sent, request.max_output_tokens)
        if dollars is None:
            return
        self._hold(
            "model_dollars_per_incident", limits.model_dollars_per_incident, _dollars(own), dollars
        )
        self._hold("model_dollars_per_day", limits.model_dollars_per_day, _dollars(day), dollars)

    def _hold(self, setting: str, limit: float, spent: float, next_one: float) -> None:
        if limit and spent + next_one > limit:
            raise ModelError(
                "budget",
                f"{self.name} was not asked: {spent:.6g} of {setting} = {limit:.6g} are spent, and "
                f"this question may take {next_one:.6g}. Raise {setting}, or wait",
            )

    # --- record

    def _keep(self, exchange: ModelExchange) -> None:
        self._latest = exchange
        self.ledger.save_exchange(exchange)

    def _exchange(
        self,
        request: ModelRequest,
        asked_at: datetime,
        error: str | None,
        input_tokens: int,
        output_tokens: int,
    ) -> ModelExchange:
        return ModelExchange(
            exchange_id=ExchangeId(new_id("exc")),
            incident_id=self.incident_id,
            model=self.model.name,
            purpose=request.purpose,
            system=request.system,
            prompt=request.prompt,
            answer="",
            error=error,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            latency_s=(now() - asked_at).total_seconds(),
            cost_dollars=self.price(input_tokens, output_tokens),
            asked_at=asked_at,
        )


def _chars(request: ModelRequest) -> int:
    schema = 0 if request.schema is None else len(str(request.schema))
    return len(request.system) + len(request.prompt) + schema


def _tokens(exchanges: Sequence[ModelExchange]) -> int:
    return sum(item.input_tokens + item.output_tokens for item in exchanges)


def _dollars(exchanges: Sequence[ModelExchange]) -> float:
    return sum(item.cost_dollars or 0.0 for item in exchanges)
