"""What the clients of OpenAI and Anthropic raise, and pydantic-ai around them."""

import asyncio
import json

import anthropic
import openai
from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.openai import OpenAIProvider

from taxonomy_corpus.cases import Case, cases
from taxonomy_corpus.server import (
    CLOSED,
    closed_port,
    raw,
    reset,
    server,
    silence,
    status,
    untrusted_server,
)

CASES: list[Case] = []

_HELLO = [{"role": "user", "content": "hello"}]


class City(BaseModel):
    name: str


def by_openai(answer, *, timeout=5, url=None, **options):
    with openai.OpenAI(
        api_key="none", base_url=url or server().url(answer), max_retries=0, timeout=timeout
    ) as client:
        found = client.chat.completions.create(model="m", messages=_HELLO, **options)
        return list(found) if options.get("stream") else found


def by_async_openai(answer):
    async def ask():
        async with openai.AsyncOpenAI(
            api_key="none", base_url=server().url(answer), max_retries=0
        ) as client:
            return await client.chat.completions.create(model="m", messages=_HELLO)

    return asyncio.run(ask())


def parsed_by_openai(**message):
    finish = message.pop("finish")
    body = {
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}],
    }  # fmt: skip
    with openai.OpenAI(
        api_key="none", base_url=server().url(status(200, body)), max_retries=0
    ) as client:
        return client.chat.completions.parse(model="m", messages=_HELLO, response_format=City)


def openai_error(code, message="No.", type_=None, name=None):
    return status(code, {"error": {"message": message, "type": type_, "code": name, "param": None}})


def by_anthropic(answer, *, timeout=5, url=None, **options):
    with anthropic.Anthropic(
        api_key="none", base_url=url or server().url(answer), max_retries=0, timeout=timeout
    ) as client:
        found = client.messages.create(model="m", max_tokens=9, messages=_HELLO, **options)
        return list(found) if options.get("stream") else found


def anthropic_error(code, type_, message="No."):
    return status(code, {"type": "error", "error": {"type": type_, "message": message}})


def stream_of(*events):
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return raw(200, text.encode(), content_type="text/event-stream")


def overloaded_while_streaming():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    return by_anthropic(stream_of(("error", error)), stream=True)


def failing_while_streaming(type_):
    answer = raw(
        200,
        f"data: {json.dumps({'error': {'message': 'No.', 'type': type_}})}\n\n".encode(),
        content_type="text/event-stream",
    )
    return by_openai(answer, stream=True)


def strict(answer):
    with openai.OpenAI(
        api_key="none", base_url=server().url(answer), max_retries=0,
        _strict_response_validation=True,
    ) as client:  # fmt: skip
        return client.chat.completions.create(model="m", messages=_HELLO)


def by_pydantic_ai(answer):
    provider = OpenAIProvider(
        openai_client=openai.AsyncOpenAI(
            api_key="none", base_url=server().url(answer), max_retries=0
        )
    )
    return asyncio.run(Agent(OpenAIChatModel("m", provider=provider)).run("hello"))


def too_many_requests_of_an_agent():
    agent = Agent(TestModel())

    @agent.tool_plain
    def look() -> str:
        return "nothing"

    return asyncio.run(agent.run("hello", usage_limits=UsageLimits(request_limit=1)))


def tool_that_never_works():
    agent = Agent(TestModel())

    @agent.tool_plain
    def look() -> str:
        raise ModelRetry("again")

    return asyncio.run(agent.run("hello"))


def nowhere():
    return f"http://127.0.0.1:{closed_port()}"


def untrusted():
    return untrusted_server().url(status(200), scheme="https")


_BOTH = {
    "LLM.ACCESS.KEY": (401, "authentication_error"),
    "LLM.ACCESS.FORBIDDEN": (403, "permission_error"),
    "LLM.MODEL.NOT_FOUND": (404, "not_found_error"),
    "HTTP.RESOURCE.CONFLICT": (409, "conflict_error"),
    "HTTP.REQUEST.TOO_LARGE": (413, "request_too_large"),
    "LLM.LIMIT.RATE": (429, "rate_limit_error"),
    "LLM.CALL.SERVER_ERROR": (500, "api_error"),
    "LLM.CALL.OVERLOADED": (503, "overloaded_error"),
    "LLM.CALL.REJECTED": (400, "invalid_request_error"),
}
for code, (number, type_) in _BOTH.items():
    cases(
        CASES,
        code,
        **{
            f"openai_{number}": lambda number=number: by_openai(openai_error(number)),
            f"anthropic_{number}": lambda number=number, type_=type_: by_anthropic(
                anthropic_error(number, type_)
            ),
        },
    )
cases(
    CASES, "LLM.LIMIT.QUOTA",
    openai_quota=lambda: by_openai(openai_error(
        429, "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota", "insufficient_quota")),
    anthropic_credit=lambda: by_anthropic(anthropic_error(
        400, "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.")),
    anthropic_payment=lambda: by_anthropic(anthropic_error(402, "billing_error")),
)  # fmt: skip
cases(
    CASES, "LLM.LIMIT.RATE",
    openai_rate=lambda: by_openai(openai_error(
        429, "Rate limit reached for gpt-4.1 on tokens per min (TPM): Limit 30000, Used 29000.",
        "tokens", "rate_limit_exceeded")),
)  # fmt: skip
cases(
    CASES, "LLM.LIMIT.CONTEXT",
    openai_context=lambda: by_openai(openai_error(
        400, "This model's maximum context length is 8192 tokens. However, your messages resulted in "
        "9001 tokens.", "invalid_request_error", "context_length_exceeded")),
    anthropic_context=lambda: by_anthropic(anthropic_error(
        400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum")),
    anthropic_output=lambda: by_anthropic(anthropic_error(
        400, "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000")),
)  # fmt: skip
cases(
    CASES, "LLM.PARAMETER.INVALID",
    openai_parameter=lambda: by_openai(openai_error(
        400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.", "invalid_request_error", "unsupported_parameter")),
    openai_value=lambda: by_openai(openai_error(
        400, "Unsupported value: 'temperature' does not support 0.2 with this model.",
        "invalid_request_error", "unsupported_value")),
    anthropic_parameter=lambda: by_anthropic(anthropic_error(
        400, "invalid_request_error", "temperature: range: 0..1")),
)  # fmt: skip
cases(
    CASES, "LLM.MODEL.NOT_FOUND",
    openai_model=lambda: by_openai(openai_error(
        404, "The model `m` does not exist or you do not have access to it.",
        "invalid_request_error", "model_not_found")),
)  # fmt: skip
cases(
    CASES, "LLM.ACCESS.KEY",
    openai_key=lambda: by_openai(openai_error(
        401, "Incorrect API key provided: none.", "invalid_request_error", "invalid_api_key")),
    openai_no_key=lambda: openai.OpenAI(api_key=None),
    anthropic_no_key=lambda: anthropic.Anthropic(api_key=None).messages.create(
        model="m", max_tokens=1, messages=_HELLO),
)  # fmt: skip
cases(
    CASES, "LLM.CONTENT.FILTERED",
    openai_filter=lambda: by_openai(openai_error(
        400, "The response was filtered due to the prompt triggering Azure OpenAI's content "
        "management policy.", None, "content_filter")),
    openai_finish=lambda: parsed_by_openai(content="", finish="content_filter"),
    anthropic_filter=lambda: by_anthropic(anthropic_error(
        400, "invalid_request_error", "Output blocked by content filtering policy")),
)  # fmt: skip
cases(
    CASES,
    "LLM.LIMIT.OUTPUT",
    openai_length=lambda: parsed_by_openai(content='{"na', finish="length"),
)
cases(
    CASES, "OUTPUT.SCHEMA.MISSING_FIELD",
    openai_parse=lambda: parsed_by_openai(content="{}", finish="stop"),
)  # fmt: skip
cases(
    CASES, "LLM.CALL.OVERLOADED",
    anthropic_529=lambda: by_anthropic(anthropic_error(529, "overloaded_error", "Overloaded")),
    anthropic_stream=overloaded_while_streaming,
    pydantic_ai_503=lambda: by_pydantic_ai(openai_error(503)),
)  # fmt: skip
cases(
    CASES, "LLM.CALL.SERVER_ERROR",
    openai_502=lambda: by_openai(raw(502, b"<html>Bad gateway</html>", content_type="text/html")),
    openai_stream=lambda: failing_while_streaming("server_error"),
    async_openai_500=lambda: by_async_openai(openai_error(500)),
)  # fmt: skip
cases(
    CASES, "LLM.CALL.TIMEOUT",
    openai_timeout=lambda: by_openai(silence, timeout=0.05),
    anthropic_timeout=lambda: by_anthropic(silence, timeout=0.05),
    openai_504=lambda: by_openai(openai_error(504)),
    anthropic_408=lambda: by_anthropic(anthropic_error(408, "timeout_error")),
)  # fmt: skip
cases(
    CASES, "LLM.CALL.CONNECTION",
    openai_refused=lambda: by_openai(None, url=nowhere()),
    anthropic_refused=lambda: by_anthropic(None, url=nowhere()),
    openai_closed=lambda: by_openai(CLOSED), anthropic_reset=lambda: by_anthropic(reset),
    openai_name=lambda: by_openai(None, url="http://name.invalid"),
)  # fmt: skip
cases(
    CASES, "NET.TLS.CERTIFICATE",
    openai_untrusted=lambda: by_openai(None, url=untrusted()),
    anthropic_untrusted=lambda: by_anthropic(None, url=untrusted()),
)  # fmt: skip
cases(
    CASES, "LLM.ANSWER.INVALID",
    openai_answer=lambda: strict(status(200, {"id": 1, "choices": "none"})),
    openai_html=lambda: strict(raw(200, b"<html>", content_type="text/html")),
)  # fmt: skip
cases(CASES, "LLM.LIMIT.RATE", pydantic_ai_429=lambda: by_pydantic_ai(openai_error(429)))
cases(CASES, "AGENT.BUDGET.EXCEEDED", pydantic_ai_usage=too_many_requests_of_an_agent)
cases(CASES, "AGENT.STEP.REPEATED", pydantic_ai_tool=tool_that_never_works)
