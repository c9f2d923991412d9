"""Which code an exception of a known class gets: the class, and what decides among several."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from prunella.taxonomy.messages import PATTERNS
from prunella.taxonomy.numbers import (
    AWS_CODES,
    ERRNOS,
    HTTP_STATUSES,
    LLM_CODES,
    LLM_STATUSES,
    SQLSTATES,
    dns_errnos,
)
from prunella.taxonomy.view import View

#: Answers ``(code, because)``, or ``None`` where it can't tell.
Refine = Callable[[View], "tuple[str, str] | None"]


class Rule(NamedTuple):
    """What a class says of its instances."""

    #: Where nothing else decides.
    code: str
    #: Asked in this order.
    refine: tuple[Refine, ...] = ()
    #: Beginnings of the codes that the cause may bring instead.
    wraps: tuple[str, ...] = ()
    #: The class says so little that any cause says more.
    is_vague: bool = False


def by_status(view: View) -> tuple[str, str] | None:
    """Decide by the HTTP status of the answer."""
    status = int(view.fact("status") or 0)
    code = HTTP_STATUSES.get(status)
    if code is None and 400 <= status <= 599:
        code = "HTTP.REQUEST.REJECTED" if status < 500 else "HTTP.SERVER.ERROR"
    return None if code is None else (code, f"HTTP status {status}")


def by_llm_answer(view: View) -> tuple[str, str] | None:
    """Decide by what the provider of a language model calls the error, else by the status."""
    for word in view.fact("provider").split():
        if word in LLM_CODES:
            return LLM_CODES[word], f"the provider's code {word}"
    told = by_message("llm")(view)
    if told is not None:
        return told
    status = int(view.fact("status") or 0)
    code = LLM_STATUSES.get(status)
    if code is None and 400 <= status <= 599:
        code = "LLM.CALL.REJECTED" if status < 500 else "LLM.CALL.SERVER_ERROR"
    return None if code is None else (code, f"HTTP status {status}")


def by_aws_code(view: View) -> tuple[str, str] | None:
    """Decide by the code of an Amazon service, else by the status."""
    for word in view.fact("provider").split():
        if word in AWS_CODES:
            return AWS_CODES[word], f"the service's code {word}"
    return by_status(view)


def by_sqlstate(view: View) -> tuple[str, str] | None:
    """Decide by the SQLSTATE, else by its class."""
    state = view.fact("sqlstate").upper()
    code = SQLSTATES.get(state) or SQLSTATES.get(state[:2])
    return None if code is None else (code, f"SQLSTATE {state}")


def by_errno(view: View) -> tuple[str, str] | None:
    """Decide by the number of the operating system."""
    return _by_number(view, ERRNOS)


def by_dns_errno(view: View) -> tuple[str, str] | None:
    """Decide by the number of the name service."""
    return _by_number(view, dns_errnos())


def _by_number(view: View, table: Mapping[int, str]) -> tuple[str, str] | None:
    text = view.fact("errno")
    code = table.get(int(text)) if text.lstrip("-").isdecimal() else None
    return None if code is None else (code, f"errno {text}")


def by_message(group: str) -> Refine:
    """Return what decides by the first pattern of `group` that the message has."""
    patterns = PATTERNS[group]

    def refine(view: View) -> tuple[str, str] | None:
        message = view.message()
        if message:
            for pattern, code in patterns:
                if pattern in message:
                    return code, f"the message says {pattern!r}"
        return None

    return refine
