"""Language models by the client library of pydantic-ai, behind `prunella.ports.LanguageModel`.

The library is imported when the first model is opened: it takes two seconds and is an extra.
Nothing leaves before `ask`, and with the setting ``offline`` nothing leaves at all.
"""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prunella.adapters.model_failures import Failure, explain
from prunella.model.errors import ConfigurationError, MissingExtra, ModelError
from prunella.model.settings import Settings
from prunella.ports import LanguageModel, ModelAnswer, ModelRequest

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model

#: Pauses before a question is sent again, where the endpoint names none.
_PAUSES_S = (1.0, 4.0)
#: Longest that all pauses take together.
MAX_PAUSE_S = 30.0
#: Longest answer that is looked at; a reasonable one has a hundredth of that.
_MAX_ANSWER_CHARS = 1_000_000
_FENCED_JSON = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """``provider:model`` taken apart."""

    provider: str
    model: str

    @property
    def name(self) -> str:
        """``provider:model``"""
        return f"{self.provider}:{self.model}"


#: Providers that this module opens itself; others go through the library under its own names.
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


def parse_spec(text: str) -> Spec:
    """Read ``openai:gpt-4.1``, ``anthropic:claude-…`` or a plain name, which means OpenAI's.

    Raises `ConfigurationError` for an empty provider or model.
    """
    provider, colon, model = text.strip().partition(":")
    if not colon:
        provider, model = "openai", provider
    if not provider or not model:
        raise ConfigurationError(
            f"{text!r} names no language model; write provider:model, such as openai:gpt-4.1"
        )
    return Spec(provider=provider.lower(), model=model)


def open_model(settings: Settings, environ: Mapping[str, str] | None = None) -> LanguageModel:
    """Return the model that the setting ``model`` names; nothing is sent yet.

    Keys come from ``OPENAI_API_KEY`` and ``ANTHROPIC_API_KEY``, the base URL from the setting
    ``model_base_url`` or ``OPENAI_BASE_URL`` and ``ANTHROPIC_BASE_URL``. Raises
    `ConfigurationError` for a malformed name and `MissingExtra` where the library isn't installed.
    """
    spec = parse_spec(settings.model)
    try:
        import pydantic_ai  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtra("llm", f"the language model {spec.name}") from error
    if environ is None:
        import os

        environ = os.environ
    return EndpointModel(spec, settings, environ)


class EndpointModel:
    """A model behind an HTTP endpoint; use `open_model`."""

    def __init__(
        self,
        spec: Spec,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spec = spec
        self._settings = settings
        self._environ = environ
        self._pause = pause

    @property
    def name(self) -> str:
        """``provider:model``"""
        return self._spec.name

    def ask(self, request: ModelRequest) -> ModelAnswer:
        """Return the answer; `ModelError` with the reason where there is none.

        A rate limit or an overloaded endpoint is asked again, up to three times in all, after the
        pause that ``Retry-After`` names as long as all pauses stay within 30 seconds.
        """
        if self._settings.offline:
            raise ModelError(
                "offline",
                f"the setting offline is on: nothing was sent to {self.name}. "
                "Unset it (PRUNELLA_OFFLINE) to use the model",
            )
        self._check_key()
        self._load_client()
        started = time.monotonic()
        outcome = self._answered(request)
        if isinstance(outcome, Failure) and outcome.not_understood and request.schema is not None:
            outcome = self._answered(_in_words(request))
        if isinstance(outcome, Failure):
            raise outcome.error(self.name)
        return self._read(outcome, request, time.monotonic() - started)

    # --- attempts

    def _answered(self, request: ModelRequest) -> "ModelResponse | Failure":
        """Send, and send again what may pass by waiting, within the bounds."""
        paused_s = 0.0
        outcome = self._try(request)
        for usual_s in _PAUSES_S:
            if not isinstance(outcome, Failure) or not outcome.passing:
                break
            asked_s = outcome.retry_after_s
            pause_s = usual_s if asked_s is None else asked_s
            paused_s += pause_s
            if paused_s > MAX_PAUSE_S:
                break
            self._pause(pause_s)
            outcome = self._try(request)
        return outcome

    def _try(self, request: ModelRequest) -> "ModelResponse | Failure":
        """Send once, in a thread of its own: the caller may have an event loop, or be interrupted.

        A daemon thread, so that Ctrl-C doesn't have to wait for an answer.
        """
        outcomes: list[ModelResponse | Failure] = []
        thread = threading.Thread(
            target=lambda: outcomes.append(asyncio.run(self._send(request))),
            name="prunella-model",
            daemon=True,
        )
        thread.start()
        thread.join()
        if not outcomes:
            return Failure(reason="connection", message="the request was called off")
        return outcomes[0]

    async def _send(self, request: ModelRequest) -> "ModelResponse | Failure":
        timeout_s = self._settings.model_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return await self._request(request)
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is a failure
            return explain(error, timeout_s)

    async def _request(self, request: ModelRequest) -> "ModelResponse":
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import ModelRequest as Message
        from pydantic_ai.messages import SystemPromptPart, UserPromptPart
        from pydantic_ai.settings import ModelSettings

        message = Message(parts=[SystemPromptPart(request.system), UserPromptPart(request.prompt)])
        async with self._opened() as model:
            return await model_request(
                model,
                [message],
                model_settings=ModelSettings(
                    max_tokens=request.max_output_tokens, timeout=self._settings.model_timeout_s
                ),
                model_request_parameters=_parameters(request),
            )

    # --- the client

    def _check_key(self) -> None:
        variable = _KEYS.get(self._spec.provider)
        if variable is not None and not self._environ.get(variable) and self._base_url() is None:
            raise ModelError(
                "no_key",
                f"{self.name} needs a key, and {variable} is not set; set it, or set "
                "model_base_url to an endpoint that needs none",
            )

    def _base_url(self) -> str | None:
        if self._settings.model_base_url:
            return self._settings.model_base_url
        return self._environ.get(f"{self._spec.provider.upper()}_BASE_URL") or None

    def _load_client(self) -> None:
        """Import the client library, which takes seconds that are not the endpoint's."""
        modules = ["pydantic_ai.direct"]
        if self._spec.provider in _KEYS:
            modules.append(f"pydantic_ai.models.{self._spec.provider}")
        try:
            for name in modules:
                import_module(name)
        except ImportError as error:
            raise MissingExtra("llm", f"the language model {self.name}") from error

    @asynccontextmanager
    async def _opened(self) -> "AsyncIterator[Model]":
        """Open the provider's client for one request; retries are counted in `_answered`."""
        if self._spec.provider == "openai":
            from openai import AsyncOpenAI
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            async with AsyncOpenAI(**self._client_options(), max_retries=0) as openai:
                provider = OpenAIProvider(openai_client=openai)
                yield OpenAIChatModel(self._spec.model, provider=provider)
        elif self._spec.provider == "anthropic":
            from anthropic import AsyncAnthropic
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            async with AsyncAnthropic(**self._client_options(), max_retries=0) as anthropic:
                own = AnthropicProvider(anthropic_client=anthropic)
                yield AnthropicModel(self._spec.model, provider=own)
        else:
            from pydantic_ai.models import infer_model

            yield infer_model(self._spec.name)

    def _client_options(self) -> dict[str, Any]:
        return {
            "api_key": self._environ.get(_KEYS[self._spec.provider]) or "none-needed",
            "base_url": self._base_url(),
            "timeout": self._settings.model_timeout_s,
        }

    # --- the answer

    def _read(
        self, response: "ModelResponse", request: ModelRequest, latency_s: float
    ) -> ModelAnswer:
        text = (response.text or "")[:_MAX_ANSWER_CHARS]
        sent, received = response.usage.input_tokens, response.usage.output_tokens
        if response.finish_reason == "length":
            raise ModelError(
                "truncated",
                f"the answer of {self.name} was cut off after {request.max_output_tokens} tokens",
                input_tokens=sent,
                output_tokens=received,
            )
        if response.finish_reason == "content_filter":
            raise ModelError(
                "refused",
                f"{self.name} refused to answer (content filter)",
                input_tokens=sent,
                output_tokens=received,
            )
        data = None if request.schema is None else _json_in(text)
        if request.schema is not None and data is None:
            raise ModelError(
                "unusable",
                f"{self.name} answered no JSON object where one was asked for",
                input_tokens=sent,
                output_tokens=received,
            )
        return ModelAnswer(
            text=text,
            data=data,
            input_tokens=sent,
            output_tokens=received,
            latency_s=latency_s,
        )


def _in_words(request: ModelRequest) -> ModelRequest:
    """Return the question for an endpoint that does not know structured output."""
    schema = json.dumps(request.schema)
    system = f"{request.system}\nAnswer with one JSON object that fits this schema:\n{schema}"
    return replace(request, system=system, schema=None)


def _parameters(request: ModelRequest) -> Any:
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition

    if request.schema is None:
        return ModelRequestParameters()
    definition = OutputObjectDefinition(
        json_schema=dict(request.schema), name="answer", strict=True
    )
    return ModelRequestParameters(output_mode="native", output_object=definition)


def _json_in(text: str) -> Mapping[str, Any] | None:
    """Return the JSON object that the text is, or that its one fenced block holds."""
    fenced = _FENCED_JSON.search(text)
    for candidate in (text, fenced[1] if fenced else ""):
        try:
            data = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    return None
