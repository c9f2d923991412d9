"""What a code host answers instead of doing what was asked, as errors that say what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from prunella.model.errors import CodeHostError

_SAID_CHARS = 300
#: What clients and this package fail with where an answer has another form than documented.
UNUSABLE = (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """Whom we talk to: what its errors are to be told with."""

    #: ``GitHub``.
    name: str
    #: ``owner/name``
    project: str
    #: The environment variable that the token came from.
    variable: str
    token: str

    def refused(
        self, doing: str, status: int, said: object, headers: Mapping[str, str] | None
    ) -> CodeHostError:
        """Return the error for an answer with an HTTP status of 300 or more."""
        lowered = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
        reason, advice = self._meaning(status, lowered, str(said))
        words = self.clean(said)
        return CodeHostError(
            reason,
            f"{self.name} answered {status} to: {doing}{f' ({words})' if words else ''}. {advice}",
            retry_after_s=_retry_after(lowered),
        )

    def unreachable(self, doing: str, error: object, *, timeout: bool) -> CodeHostError:
        """Return the error for no answer at all."""
        what = "did not answer in time" if timeout else "can't be reached"
        return CodeHostError(
            "timeout" if timeout else "unavailable",
            f"{self.name} {what}: {doing} ({self.clean(error)}). What was proven is kept; it is "
            "finished when the host answers again",
        )

    def unusable(self, doing: str, error: object) -> CodeHostError:
        """Return the error for an answer that isn't what the host's API documents."""
        return CodeHostError(
            "unusable",
            f"{self.name} gave an answer that can't be read: {doing} "
            f"({type(error).__name__}: {self.clean(error)}). Check the setting code_host_url: it has "
            "to be the address of the API",
        )

    def clean(self, said: object) -> str:
        """Return what a host said: one short line without the token."""
        text = " ".join(str(said or "").split())
        if self.token:
            text = text.replace(self.token, "[redacted]")
        return text if len(text) <= _SAID_CHARS else f"{text[:_SAID_CHARS]}…"

    def _meaning(self, status: int, headers: Mapping[str, str], said: str) -> tuple[str, str]:
        if _is_rate_limit(status, headers, said):
            wait = _retry_after(headers)
            when = f"in {wait:.0f} s" if wait is not None else "later"
            return "rate_limit", f"It limits how often it may be asked: try again {when}"
        if status == 401:
            return "refused_token", f"Check the token in {self.variable}: it is wrong or expired"
        if status == 403:
            return "forbidden", (
                f"The token in {self.variable} may not do that in {self.project}: it has to be "
                "allowed to write contents and pull requests"
            )
        if status in (404, 410):
            return "not_found", (
                f"Check that {self.project} is right, and that the token in {self.variable} may "
                "see it"
            )
        if status in (400, 405, 406, 409, 412, 422):
            return "conflict", "It is tried again on the present state with the next attempt"
        if 300 <= status < 400:
            return "redirect", (
                f"{self.project} or the host has moved: correct the git remote or the settings"
            )
        return "unavailable", "What was proven is kept; it is finished when the host answers again"


def _is_rate_limit(status: int, headers: Mapping[str, str], said: str) -> bool:
    if status == 429:
        return True
    if status != 403:
        return False
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    return exhausted or "retry-after" in headers or "rate limit" in said.lower()


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
