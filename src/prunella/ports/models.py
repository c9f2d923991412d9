"""What finds similar texts, and language models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Retriever(Protocol):
    """Finds the documents nearest to a query."""

    def rank(
        self, query: str, documents: Sequence[str], *, limit: int
    ) -> Sequence[tuple[int, float]]:
        """Return ``(index of document, similarity between 0 and 1)``, nearest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a language model."""

    #: What is asked for: ``diagnosis``, ``patch`` or ``fixes``.
    purpose: str
    system: str
    prompt: str
    #: JSON Schema that the answer has to fit; ``None`` asks for text.
    schema: Mapping[str, Any] | None = None
    max_output_tokens: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What it answered. Untrusted data."""

    text: str
    #: The answer as JSON where the request had a schema.
    data: Mapping[str, Any] | None
    input_tokens: int
    output_tokens: int
    latency_s: float


class LanguageModel(Protocol):
    """A language model behind some endpoint."""

    @property
    def name(self) -> str:
        """``provider:model``"""
        ...

    def ask(self, request: ModelRequest) -> ModelAnswer:
        """Return the answer; raises `ModelError` with the reason where there is none."""
        ...


class KeptModel(LanguageModel, Protocol):
    """A language model that works for one incident, whose every exchange is kept."""

    def unusable(self, why: str) -> None:
        """Keep with the latest answer why it can't be used: ``reason: message``."""
        ...
