"""Why a language model's endpoint gave no answer, from what its client library raised."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from prunella.codec.redact import Redactor
from prunella.model.clock import now
from prunella.model.errors import ModelError

_MESSAGE_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One attempt without an answer."""

    #: As in `ModelError.reason`.
    reason: str
    message: str
    #: It may be gone when asked again.
    passing: bool = False
    #: The endpoint does not know something in the form of the question (HTTP 400, 422).
    not_understood: bool = False
    #: How long the endpoint asks to wait.
    retry_after_s: float | None = None

    def error(self, model: str) -> ModelError:
        """Return it as the error that the caller of `model` gets."""
        wait = ""
        if self.retry_after_s is not None:
            wait = f"; it asks to wait {self.retry_after_s:g} s"
        return ModelError(self.reason, f"{model}: {self.message}{wait}")


def explain(error: BaseException, timeout_s: float) -> Failure:
    """Return the failure behind an exception of the client library."""
    chain = list(_chain(error))
    names = {type(item).__name__ for item in chain}
    status = next((_status(item) for item in chain if _status(item) is not None), None)
    if status is not None:
        return _by_status(status, _said(error), _retry_after_s(chain))
    if isinstance(error, TimeoutError) or any("Timeout" in name for name in names):
        return Failure(reason="timeout", message=f"no answer within {timeout_s:g} s")
    if any("Connect" in name for name in names) or any(isinstance(e, OSError) for e in chain):
        return Failure(reason="connection", message=f"can't reach the endpoint: {_said(error)}")
    if "UserError" in names or "ImportError" in names or "ModuleNotFoundError" in names:
        return Failure(
            reason="refused",
            message=f"the model can't be opened: {_said(error)}",
            not_understood=True,  # such as: it has no structured output
        )
    return Failure(reason="unusable", message=f"the answer can't be read: {_said(error)}")


def _by_status(status: int, said: str, retry_after_s: float | None) -> Failure:
    if status in (401, 403):
        return Failure(
            reason="refused_key", message=f"the endpoint refused the key (HTTP {status}): {said}"
        )
    if status == 429:
        return Failure(
            reason="rate_limit",
            message=f"the endpoint limits the rate (HTTP 429): {said}",
            passing=True,
            retry_after_s=retry_after_s,
        )
    if status >= 500:
        return Failure(
            reason="connection",
            message=f"the endpoint fails (HTTP {status}): {said}",
            passing=True,
            retry_after_s=retry_after_s,
        )
    return Failure(
        reason="refused",
        message=f"the endpoint refused the question (HTTP {status}): {said}",
        not_understood=status in (400, 422),
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _retry_after_s(chain: list[BaseException]) -> float | None:
    for error in chain:
        headers = getattr(getattr(error, "response", None), "headers", None)
        if not isinstance(headers, Mapping):
            continue
        value = headers.get("retry-after")
        if isinstance(value, str):
            return read_retry_after(value)
    return None


def read_retry_after(value: str) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for: a number or an HTTP date."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
            seconds = (moment - now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _said(error: BaseException) -> str:
    """Return what an exception says; endpoints like to repeat the key that they refuse."""
    line = " ".join(Redactor().text(str(error)[: 4 * _MESSAGE_CHARS]).split())
    line = line or type(error).__name__
    return line if len(line) <= _MESSAGE_CHARS else f"{line[: _MESSAGE_CHARS - 1]}…"
