"""What a model is asked is kept, and costs no more than the settings allow."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from doubles.ledger import MemoryLedger
from prunella.adapters.exchanges import RecordedModel
from prunella.adapters.prices import price_of
from prunella.model.clock import now
from prunella.model.errors import ConfigurationError, ModelError
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import IncidentId
from prunella.model.settings import Settings
from prunella.ports import ModelAnswer, ModelRequest


@dataclass(slots=True)
class Counting:
    """Answers each question at 1000 tokens sent and 500 received."""

    asked: list[ModelRequest] = field(default_factory=list)
    failing: ModelError | None = None
    name: str = "openai:gpt-4.1"

    def ask(self, request: ModelRequest) -> ModelAnswer:
        self.asked.append(request)
        if self.failing is not None:
            raise self.failing
        return ModelAnswer(
            text="ok", data=None, input_tokens=1000, output_tokens=500, latency_s=0.1
        )


QUESTION = ModelRequest(purpose="patch", system="", prompt="x" * 3000, max_output_tokens=500)


def model_for(
    ledger: MemoryLedger, model: Counting, incident: str = "inc_1", **settings: Any
) -> RecordedModel:
    chosen = Settings(**{"model_price": "2/8"} | settings)
    return RecordedModel(
        model=model,
        incident_id=IncidentId(incident),
        ledger=ledger,
        price=price_of(model.name, chosen),
        settings=chosen,
    )


def asked_until_refused(model: RecordedModel) -> str:
    """Return the message of the refusal; empty where 20 questions are answered."""
    try:
        for _ in range(20):
            model.ask(QUESTION)
    except ModelError as error:
        return f"{error.reason}: {error}"
    return ""


@pytest.mark.parametrize(
    ("setting", "limit", "answered"),
    [
        ("model_tokens_per_incident", 4500, 3),
        ("model_tokens_per_incident", 4499, 2),
        ("model_tokens_per_day", 3000, 2),
        ("model_dollars_per_incident", 0.0121, 2),  # each takes 0.002 + 0.004 dollars
        ("model_dollars_per_day", 0.006, 1),
    ],
)
def test_a_question_beyond_a_limit_is_not_sent(setting: str, limit: float, answered: int) -> None:
    """Each limit holds to the last question that is sure to fit; the refusal names the setting."""
    ledger, counting = MemoryLedger(), Counting()
    refusal = asked_until_refused(model_for(ledger, counting, **{setting: limit}))
    assert len(counting.asked) == answered
    assert refusal.startswith("budget: ")
    assert setting in refusal
    kept = list(ledger.kept.values())
    assert kept[-1].error is not None
    assert kept[-1].error.startswith("budget: ")
    assert (kept[-1].input_tokens, kept[-1].cost_dollars) == (0, 0.0)


def test_zero_sets_no_limit() -> None:
    """All limits off: nothing is refused."""
    names = ("tokens_per_incident", "tokens_per_day", "dollars_per_incident", "dollars_per_day")
    off = {f"model_{name}": 0 for name in names}
    assert asked_until_refused(model_for(MemoryLedger(), Counting(), **off)) == ""


def test_a_day_counts_every_incident_and_no_older_day() -> None:
    """What another incident took counts for the day and not for the incident; yesterday doesn't."""
    ledger, counting = MemoryLedger(), Counting()
    model_for(ledger, counting, "inc_other").ask(QUESTION)
    own = model_for(ledger, counting, model_tokens_per_incident=1500, model_tokens_per_day=2999)
    assert "model_tokens_per_day" in asked_until_refused(own)
    for exchange in list(ledger.kept.values()):
        ledger.save_exchange(aged(exchange))
    own.ask(QUESTION)
    assert "model_tokens_per_incident" in asked_until_refused(own)


def aged(exchange: ModelExchange) -> ModelExchange:
    return replace(exchange, asked_at=now() - timedelta(hours=24, seconds=1))


def test_without_a_price_the_limits_in_tokens_hold() -> None:
    """A model nobody knows costs ``None``, not nothing; its tokens are counted."""
    pytest.importorskip("pydantic_ai")
    ledger, counting = MemoryLedger(), Counting(name="openai:home-made")
    model = model_for(
        ledger, counting, model_price="", model_dollars_per_day=1e-9, model_tokens_per_incident=3000
    )
    assert "model_tokens_per_incident" in asked_until_refused(model)
    assert [item.cost_dollars for item in ledger.kept.values()] == [None, None, None]


def test_an_answer_that_serves_nothing_was_paid_for() -> None:
    """The tokens of a truncated answer count."""
    failing = ModelError("truncated", "cut off", input_tokens=1000, output_tokens=500)
    ledger = MemoryLedger()
    with pytest.raises(ModelError, match="cut off"):
        model_for(ledger, Counting(failing=failing)).ask(QUESTION)
    (kept,) = ledger.kept.values()
    assert (kept.input_tokens, kept.cost_dollars) == (1000, pytest.approx(0.006))


def test_why_an_answer_is_unusable_is_kept_with_it() -> None:
    """The reason joins the exchange that it is about; an earlier reason stays."""
    ledger = MemoryLedger()
    model = model_for(ledger, Counting())
    model.unusable("too early")
    model.ask(QUESTION)
    model.unusable("no_code: the answer holds no code")
    model.unusable("later")
    (kept,) = ledger.kept.values()
    assert (kept.answer, kept.error) == ("ok", "no_code: the answer holds no code")


def test_known_models_have_list_prices() -> None:
    """A known name has its list price; the project's own price wins."""
    pytest.importorskip("pydantic_ai")
    known = price_of("openai:gpt-4.1", Settings())(1_000_000, 1_000_000)
    assert known is not None
    assert known > 0
    assert price_of("openai:gpt-4.1", Settings(model_price="1/2"))(1_000_000, 500_000) == 2.0
    assert price_of("nobody:nothing", Settings())(1, 1) is None


@pytest.mark.parametrize("text", ["2", "2/x", "1/2/3", "-1/2", "inf/1", "nan/1"])
def test_a_malformed_price_is_refused(text: str) -> None:
    """A price that is no pair of finite numbers is a mistake in the configuration."""
    with pytest.raises(ConfigurationError, match="model_price"):
        price_of("openai:gpt-4.1", Settings(model_price=text))
