"""One way to ask a host something, whatever client carries it."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from prunella.adapters.code_hosts.failures import UNUSABLE, Correspondent
from prunella.model.errors import CodeHostError

T = TypeVar("T")
#: Longest wait for a connection and for each part of an answer, in whole seconds.
TIMEOUT_S = 30


class Send(Protocol):
    """Carries one request; returns the answer's JSON, or raises `CodeHostError`."""

    def __call__(
        self,
        doing: str,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> Any: ...


class Api:
    """A host's API as its clients carry it. `doing` is what errors call the request."""

    def __init__(self, whom: Correspondent, send: Send) -> None:
        self._whom, self._send = whom, send

    def do(
        self, doing: str, verb: str, path: str, *, body: Mapping[str, Any] | None = None
    ) -> None:
        """Send a request whose answer tells nothing."""
        self._send(doing, verb, path, None, body)

    def ask(
        self,
        doing: str,
        verb: str,
        path: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """Return what `read` makes of the answer; what it can't read is a `CodeHostError`."""
        answer = self._send(doing, verb, path, query, body)
        try:
            return read(answer)
        except UNUSABLE as error:
            raise self._whom.unusable(doing, error) from None

    def find(
        self,
        doing: str,
        path: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
    ) -> T | None:
        """As `ask` for something that may not be there."""
        try:
            return self.ask(doing, "GET", path, read, query=query)
        except CodeHostError as error:
            if error.reason != "not_found":
                raise
            return None
