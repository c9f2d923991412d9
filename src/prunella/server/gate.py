"""Finds out who asks. There are two gates: one for loopback, one that wants people to log in."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import HTTPConnection

from prunella.server.access import Access, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a gate has found."""

    access: Access
    #: The browser sends it by itself (a session, or being on this machine), so that a page of
    #: others could, too: what changes anything has to come from a page of this server.
    is_ambient: bool
    #: Told how many bytes are sent.
    count: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Nobody gets in with that."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Gate(Protocol):
    """Finds out who asks."""

    #: Whether it is reached by one of the names of this machine alone.
    is_local: bool

    async def enter(self, connection: HTTPConnection) -> Entry | Refusal: ...

    async def standing(self, connection: HTTPConnection) -> Access | None:
        """Return what whoever got in may do now; ``None`` where they wouldn't get in any more.

        Asked again and again by what stays open: it is no request, and no use of a session.
        """
        ...


class LoopbackGate:
    """Lets everybody in who is on this machine, as the user who started the server."""

    is_local = True

    def __init__(self, actor: str) -> None:
        self._entry = Entry(
            access=Access(
                actor=actor, roles={"*": Role.ADMIN}, csrf_token=secrets.token_urlsafe(24)
            ),
            is_ambient=True,
        )

    async def enter(self, connection: HTTPConnection) -> Entry | Refusal:
        return self._entry

    async def standing(self, connection: HTTPConnection) -> Access | None:
        return self._entry.access
