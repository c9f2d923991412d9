"""Roles of parameters: which of them a fix means by ``model``, ``messages``, ``timeout``, …"""

from __future__ import annotations

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: Role to the names of parameters that have it, the surest first.
NAMES: dict[str, tuple[str, ...]] = {
    "model": ("model", "model_name", "model_id", "engine", "deployment"),
    "messages": ("messages", "conversation", "chat_history"),
    "prompt": ("prompt", "user_prompt", "question", "query", "input"),
    "system": ("system", "system_prompt", "system_message", "instructions"),
    "temperature": ("temperature", "temp"),
    "max_tokens": (
        "max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens",
    ),
    "timeout": (
        "timeout", "timeout_s", "timeout_sec", "timeout_seconds", "request_timeout",
    ),
}  # fmt: skip


def roles_of(parameters: tuple[str, ...], given: Mapping[str, str | None]) -> dict[str, str]:
    """Return role to parameter; what `given` names goes before what is found.

    Raises `TypeError` for a given name that isn't a parameter, unless ``**kwargs`` takes it.
    """
    takes_any = bool(parameters) and parameters[-1].startswith("**")
    found: dict[str, str] = {}
    for role, names in NAMES.items():
        chosen = given.get(role)
        if chosen is not None and chosen not in parameters and not takes_any:
            raise TypeError(
                f"{role}={chosen!r} names no parameter; the function has {', '.join(parameters)}"
            )
        if chosen is None:
            chosen = next((name for name in names if name in parameters), None)
        if chosen is not None:
            found[role] = chosen
    return found
