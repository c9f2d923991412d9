"""``@tool``, ``@llm`` and ``@agent``: sites whose parameters have roles that fixes act on.

A role is found by the parameter's name, or given: ``@llm(model="engine")``.
"""

from __future__ import annotations

from prunella.sdk.decorator import marked

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar, overload

    from prunella.sdk.decorator import Capture

    F = TypeVar("F", bound=Callable[..., Any])
else:

    def overload(function):
        return function


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(  # noqa: F811 - overloads of one function
    *,
    name: str | None = None,
    idempotent: bool = False,
    timeout: str | None = None,
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
) -> Callable[[F], F]: ...


def tool(  # noqa: F811 - what the overloads above describe
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    idempotent: bool = False,
    timeout: str | None = None,
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
) -> F | Callable[[F], F]:
    """Put a tool that an agent calls under `heal`, under a name that fixes can refer to.

    `name` defaults to the function's. `idempotent` declares that a call may be repeated. `timeout`
    is the name of the parameter that takes a time limit in seconds, where it isn't found by itself
    (timeout, timeout_s, …). The rest is as for `heal`. Raises `TypeError` as `heal` does, and for a
    parameter that the function doesn't have.
    """
    return marked(
        function,
        kind="tool",
        name=name,
        idempotent=idempotent,
        roles={"timeout": timeout},
        boundary=boundary,
        capture=capture,
        redact=redact,
    )


@overload
def llm(function: F, /) -> F: ...


@overload
def llm(  # noqa: F811 - overloads of one function
    *,
    name: str | None = None,
    idempotent: bool = True,
    model: str | None = None,
    messages: str | None = None,
    prompt: str | None = None,
    system: str | None = None,
    temperature: str | None = None,
    max_tokens: str | None = None,
    timeout: str | None = None,
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
) -> Callable[[F], F]: ...


def llm(  # noqa: F811 - what the overloads above describe
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    idempotent: bool = True,
    model: str | None = None,
    messages: str | None = None,
    prompt: str | None = None,
    system: str | None = None,
    temperature: str | None = None,
    max_tokens: str | None = None,
    timeout: str | None = None,
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
) -> F | Callable[[F], F]:
    """Put a call of a language model under `heal`, under a name that fixes can refer to.

    `model`, `messages`, `prompt`, `system`, `temperature`, `max_tokens` and `timeout` (seconds) name
    the parameters of these roles, where they aren't found by themselves. Asking a model twice
    changes nothing, so `idempotent` is true unless you say otherwise. The rest is as for `tool`.
    """
    return marked(
        function,
        kind="llm",
        name=name,
        idempotent=idempotent,
        roles={
            "model": model,
            "messages": messages,
            "prompt": prompt,
            "system": system,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "timeout": timeout,
        },
        boundary=boundary,
        capture=capture,
        redact=redact,
    )


@overload
def agent(function: F, /) -> F: ...


@overload
def agent(  # noqa: F811 - overloads of one function
    *,
    name: str | None = None,
    idempotent: bool = False,
    model: str | None = None,
    messages: str | None = None,
    prompt: str | None = None,
    timeout: str | None = None,
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
) -> Callable[[F], F]: ...


def agent(  # noqa: F811 - what the overloads above describe
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    idempotent: bool = False,
    model: str | None = None,
    messages: str | None = None,
    prompt: str | None = None,
    timeout: str | None = None,
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
) -> F | Callable[[F], F]:
    """Put an agent's own loop under `heal`, under a name that fixes can refer to.

    An agent does things, so it isn't repeated unless `idempotent` says that it may be. The rest is
    as for `llm`.
    """
    return marked(
        function,
        kind="agent",
        name=name,
        idempotent=idempotent,
        roles={"model": model, "messages": messages, "prompt": prompt, "timeout": timeout},
        boundary=boundary,
        capture=capture,
        redact=redact,
    )
