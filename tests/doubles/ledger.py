"""Exchanges in memory, as a store keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prunella.model.exchanges import ModelExchange


@dataclass(slots=True)
class MemoryLedger:
    """Implements `prunella.adapters.exchanges.Ledger`."""

    kept: dict[str, ModelExchange] = field(default_factory=dict)

    def save_exchange(self, exchange: ModelExchange) -> None:
        self.kept[exchange.exchange_id] = exchange

    def exchanges(self, incident_id: str) -> Sequence[ModelExchange]:
        return [item for item in self.kept.values() if item.incident_id == incident_id]

    def exchanges_since(self, since: datetime) -> Sequence[ModelExchange]:
        return [item for item in self.kept.values() if item.asked_at >= since]
