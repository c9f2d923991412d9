"""The model adapter through the real client libraries against an endpoint over HTTP."""

import asyncio
from typing import Any

import pytest

from doubles.ledger import MemoryLedger
from doubles.openai_endpoint import (
    Endpoint,
    Reply,
    Scripted,
    answer_json,
    chatter,
    dripping,
    endpoint,
    good,
    overloaded,
    rate_limited,
    refused_key,
    rubbish,
    slow,
    truncated,
)
from prunella.adapters.exchanges import RecordedModel
from prunella.adapters.language_model import EndpointModel, open_model, parse_spec
from prunella.adapters.prices import price_of
from prunella.model.errors import ConfigurationError, ModelError
from prunella.model.ids import IncidentId
from prunella.model.settings import Settings
from prunella.ports import ModelAnswer, ModelRequest

pytest.importorskip("pydantic_ai")

SCHEMA = {
    "type": "object",
    "properties": {"root_cause": {"type": "string"}},
    "required": ["root_cause"],
    "additionalProperties": False,
}


def question(**changes: Any) -> ModelRequest:
    values: dict[str, Any] = {"purpose": "patch", "system": "Be brief.", "prompt": "Repair f."}
    return ModelRequest(**(values | changes))


def openai_at(place: Endpoint, pauses: list[float] | None = None, **settings: Any) -> EndpointModel:
    values = {"model_base_url": place.openai_url, "model_timeout_s": 10.0} | settings
    return EndpointModel(
        parse_spec("openai:gpt-4.1"),
        Settings(**values),
        {"OPENAI_API_KEY": "test-key"},
        pause=([] if pauses is None else pauses).append,
    )


def failure(*script: Scripted, **settings: Any) -> ModelError:
    with endpoint(*script) as place, pytest.raises(ModelError) as caught:
        openai_at(place, **settings).ask(question())
    return caught.value


def test_answer_of_an_openai_endpoint() -> None:
    """System prompt, prompt, key and bounds reach the endpoint; text and tokens come back."""
    with endpoint(good("hello")) as place:
        answer = openai_at(place).ask(question(max_output_tokens=77))
    path, headers, body = place.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer test-key"
    assert [item["role"] for item in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == "Repair f."
    assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert (answer.text, answer.data) == ("hello", None)
    assert (answer.input_tokens, answer.output_tokens) == (100, 20)
    assert answer.latency_s > 0


def test_answer_of_an_anthropic_endpoint() -> None:
    """The same question in the wire format of the other provider."""
    with endpoint(good("hello")) as place:
        model = open_model(
            Settings(model="anthropic:claude-test"),
            {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": place.address},
        )
        answer = model.ask(question())
    path, headers, body = place.requests[0]
    assert path.startswith("/v1/messages")
    assert "test-key" in (headers.get("x-api-key"), headers.get("authorization", "")[7:])
    assert body["max_tokens"] == 4096
    assert answer.text == "hello"


def test_structured_answers_are_native() -> None:
    """A schema goes out as the endpoint's own structured output and comes back as data."""
    with endpoint(answer_json({"root_cause": "rows is empty"})) as place:
        answer = openai_at(place).ask(question(schema=SCHEMA))
    sent = place.requests[0][2]["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"]["required"] == ["root_cause"]
    assert answer.data == {"root_cause": "rows is empty"}


def test_structured_answers_of_anthropic() -> None:
    """The other provider answers structured questions as well."""
    with endpoint(answer_json({"root_cause": "rows is empty"})) as place:
        model = open_model(
            Settings(model="anthropic:claude-test"),
            {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": place.address},
        )
        answer = model.ask(question(schema=SCHEMA))
    assert answer.data == {"root_cause": "rows is empty"}


def test_an_endpoint_without_native_schemas_is_asked_in_words() -> None:
    """A compatible server that refuses ``response_format`` still gives structured answers."""

    def server(text: str) -> Reply:
        if '"root_cause"' in text:
            return good('```json\n{"root_cause": "x"}\n```')
        return Reply(status=400)

    with endpoint(server) as place:
        answer = openai_at(place).ask(question(schema=SCHEMA))
    assert answer.data == {"root_cause": "x"}
    assert "response_format" not in place.requests[-1][2]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (refused_key(), "refused_key"),
        (Reply(status=404), "refused"),
        (rubbish(), "unusable"),
        (Reply(raw_body=b'{"choices": []}'), "unusable"),
        (Reply(raw_body=b"{}"), "unusable"),
        (truncated("def f("), "truncated"),
        (Reply(text="", finish_reason="content_filter"), "refused"),
        (overloaded(), "connection"),
    ],
)
def test_each_failure_has_its_reason(script: Reply, reason: str) -> None:
    """Whatever is wrong with an endpoint ends in a `ModelError` that says so."""
    assert failure(script).reason == reason


@pytest.mark.parametrize("script", [slow(5.0), dripping(0.02)])
def test_the_time_limit_is_for_the_whole_answer(script: Reply) -> None:
    """Neither silence nor a byte now and then keeps the healer waiting."""
    assert failure(script, model_timeout_s=0.4).reason == "timeout"


def test_a_refused_key_is_not_repeated() -> None:
    """An endpoint that quotes the key in its refusal does not bring it into messages or stores."""
    key = "sk-proj-" + "a1B2c3D4" * 5
    body = f'{{"error": {{"message": "Incorrect API key provided: {key}"}}}}'
    error = failure(Reply(status=401, raw_body=body.encode()))
    assert error.reason == "refused_key"
    assert key not in str(error)


def test_nobody_listens() -> None:
    """A closed port is a connection failure."""
    with endpoint(good("")) as place:
        pass
    with pytest.raises(ModelError) as caught:
        openai_at(place).ask(question())
    assert caught.value.reason == "connection"


def test_a_rate_limit_is_waited_for_as_long_as_it_says() -> None:
    """``Retry-After`` decides the pause; then the answer counts as any other."""
    pauses: list[float] = []
    with endpoint(rate_limited("7"), good("now")) as place:
        assert openai_at(place, pauses).ask(question()).text == "now"
    assert pauses == [7.0]


def test_a_long_rate_limit_is_not_waited_for() -> None:
    """A pause beyond the bound ends the question at once, and the message names it."""
    pauses: list[float] = []
    with endpoint(rate_limited("3600")) as place, pytest.raises(ModelError) as caught:
        openai_at(place, pauses).ask(question())
    assert (caught.value.reason, pauses, len(place.requests)) == ("rate_limit", [], 1)
    assert "3600 s" in str(caught.value)


def test_an_endless_rate_limit_ends() -> None:
    """Three times, then no more."""
    pauses: list[float] = []
    with endpoint(rate_limited(None)) as place, pytest.raises(ModelError) as caught:
        openai_at(place, pauses).ask(question())
    assert (caught.value.reason, pauses, len(place.requests)) == ("rate_limit", [1.0, 4.0], 3)


def test_offline_sends_nothing() -> None:
    """With the setting on, the endpoint hears nothing."""
    with endpoint(good("x")) as place, pytest.raises(ModelError) as caught:
        openai_at(place, offline=True).ask(question())
    assert (caught.value.reason, place.requests) == ("offline", [])


@pytest.mark.parametrize("spec", ["openai:gpt-4.1", "gpt-4-turbo", "anthropic:claude-test"])
def test_a_missing_key_is_named(spec: str) -> None:
    """Without a key nothing is sent, and the message names the variable."""
    with pytest.raises(ModelError, match="_API_KEY is not set") as caught:
        open_model(Settings(model=spec), {}).ask(question())
    assert caught.value.reason == "no_key"


def test_a_local_endpoint_needs_no_key() -> None:
    """A base URL without a key is enough for a compatible server."""
    with endpoint(good("x")) as place:
        settings = Settings(model="llama-3", model_base_url=place.openai_url)
        assert open_model(settings, {}).ask(question()).text == "x"
        by_variable = open_model(Settings(model="llama-3"), {"OPENAI_BASE_URL": place.openai_url})
        assert by_variable.ask(question()).text == "x"


def test_chatter_is_bounded() -> None:
    """Of an answer without end, no more than the bound is kept."""
    with endpoint(chatter(3_000_000)) as place:
        answer = openai_at(place).ask(question())
    assert len(answer.text) == 1_000_000


def test_asking_below_a_running_event_loop() -> None:
    """A notebook or an async program can ask as well."""

    async def program(place: Endpoint) -> ModelAnswer:
        return openai_at(place).ask(question())

    with endpoint(good("x")) as place:
        assert asyncio.run(program(place)).text == "x"


@pytest.mark.parametrize("spec", ["", "openai:", ":gpt-4.1"])
def test_a_malformed_name_is_refused(spec: str) -> None:
    """A name without provider or model is a mistake in the configuration."""
    with pytest.raises(ConfigurationError, match="provider:model"):
        parse_spec(spec)


def test_an_unknown_provider_is_an_answerable_failure() -> None:
    """A provider that the library doesn't know is refused with what it said."""
    with pytest.raises(ModelError) as caught:
        open_model(Settings(model="nobody:nothing"), {}).ask(question())
    assert caught.value.reason == "refused"


def test_every_exchange_is_kept() -> None:
    """Question, answer, tokens and time are kept; of a failure, its reason."""
    ledger = MemoryLedger()
    with endpoint(good("hello"), refused_key()) as place:
        model = RecordedModel(
            model=openai_at(place),
            incident_id=IncidentId("inc_1"),
            ledger=ledger,
            price=price_of("openai:gpt-4.1", Settings()),
            settings=Settings(),
        )
        model.ask(question())
        with pytest.raises(ModelError):
            model.ask(question())
    answered, failed = ledger.kept.values()
    assert answered.cost_dollars is not None
    assert answered.cost_dollars > 0
    assert (answered.prompt, answered.answer, answered.error) == ("Repair f.", "hello", None)
    assert (answered.input_tokens, answered.output_tokens) == (100, 20)
    assert (failed.answer, failed.input_tokens) == ("", 0)
    assert failed.error is not None
    assert failed.error.startswith("refused_key: ")
