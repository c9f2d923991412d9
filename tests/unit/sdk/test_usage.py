"""What answers of language models have cost."""

import json
from types import SimpleNamespace
from typing import Any

import anthropic.types
import openai.types.chat
import pytest

from prunella.sdk import counters
from prunella.sdk.usage import cost_of, prices_of

PRICES = prices_of("large=2.00/8.00, *=0.1/0.4")


def openai_answer() -> Any:
    """Return an answer as the client library makes it from what came over the wire."""
    wire = {
        "id": "1", "object": "chat.completion", "created": 1, "model": "large",
        "choices": [],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }  # fmt: skip
    return openai.types.chat.ChatCompletion.model_validate_json(json.dumps(wire))


def anthropic_answer() -> Any:
    wire = {
        "id": "1", "type": "message", "role": "assistant", "model": "other", "content": [],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 10},
    }  # fmt: skip
    return anthropic.types.Message.model_validate_json(json.dumps(wire))


@pytest.mark.parametrize(
    ("answer", "tokens", "micro_dollars"),
    [
        (openai_answer(), 110, 280),
        (anthropic_answer(), 110, 14),
        ({"model": "large", "usage": {"input_tokens": 1, "output_tokens": 2}}, 3, 18),
        (SimpleNamespace(usage=SimpleNamespace(input_tokens=1, output_tokens=2)), 3, 0.9),
    ],
)
def test_answers_say_what_they_took(answer: Any, tokens: int, micro_dollars: float) -> None:
    """Tokens by themselves, or at the price of the model, else at that of all others."""
    assert cost_of(answer, {}) == tokens
    assert cost_of(answer, PRICES) == pytest.approx(micro_dollars)


@pytest.mark.parametrize(
    "answer",
    [
        "a text",
        None,
        {"usage": None},
        {"usage": {"input_tokens": 1}},
        {"usage": {"input_tokens": True, "output_tokens": 1}},
        {"usage": {"input_tokens": -1, "output_tokens": 1}},
        {"usage": {"input_tokens": 10**30, "output_tokens": 1}},
    ],
)
def test_what_says_nothing_of_its_cost_has_none(answer: Any) -> None:
    """Texts, foreign classes and numbers that are no counts of tokens."""
    assert cost_of(answer, {}) is None


def test_none_of_the_programs_code_is_asked() -> None:
    """Properties and hooks of foreign classes don't run."""

    class Hidden:
        @property
        def usage(self) -> Any:
            raise AssertionError

        def __getattr__(self, name: str) -> Any:
            raise AssertionError

    assert cost_of(Hidden(), {}) is None


def test_a_model_without_a_price_has_no_cost() -> None:
    """Costs in two units aren't compared with each other."""
    assert cost_of(anthropic_answer(), prices_of("large=2/8")) is None


def test_prices_that_cannot_be_read_are_left_out_and_counted() -> None:
    """The program goes on with the others."""
    counters.reset()
    assert prices_of("a=1/2, b, c=1, d=x/1, =1/1, e=-1/2, f=inf/1, ,g=0/0") == {
        "a": (1.0, 2.0),
        "g": (0.0, 0.0),
    }
    assert counters.counters["llm_prices_refused"] == 6
    counters.reset()
