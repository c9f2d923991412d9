"""Live pages: one stream a page says that something has changed, and the page asks for itself anew.

One watcher a project looks at the store, however many pages are open. What it compares is cheap and
says only *that* something changed: what is shown comes from the page's own address, with the page's
own rights.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Lock, Thread
from time import monotonic, sleep

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from prunella.model.errors import PrunellaError
from prunella.server.access import Role, still_may
from prunella.server.workspaces import Workspace, workspace_of
from prunella.wiring.healer import Healer

_log = logging.getLogger("prunella.server")

#: How often a project is looked at while anybody looks on, in seconds.
LOOK_S = 1.0
#: A watcher that nobody asks ends after so long, in seconds.
_IDLE_S = 3.0
#: How often a stream looks for news, in seconds, and says that it lives.
_STEP_S, _BEAT_S = 0.25, 15.0
#: How often a stream asks whether whoever opened it may look still, in seconds.
RIGHTS_S = 2.0
#: A stream ends after so long, and the page opens another.
_LONGEST_S = 600.0


class Watchers:
    """The watchers of a server's projects."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watchers: dict[str, _Watcher] = {}

    def mark(self, workspace: Workspace) -> str:
        """Return what stands for the project's present state; ``""`` as long as nobody has looked."""
        with self._lock:
            found = self._watchers.get(workspace.name)
            if found is None or not found.is_of(workspace.healer):
                found = self._watchers[workspace.name] = _Watcher(workspace.healer)
            return found.mark()


class _Watcher:
    """Looks at one project in a thread, as long as somebody asks."""

    def __init__(self, healer: Healer) -> None:
        self._healer = healer
        self._asked_at_s = monotonic()
        self._mark = ""
        self._thread = Thread(target=self._watch, name="prunella-watch", daemon=True)
        self._thread.start()

    def is_of(self, healer: Healer) -> bool:
        """Say whether it still looks, and at that project."""
        return self._thread.is_alive() and self._healer is healer

    def mark(self) -> str:
        self._asked_at_s = monotonic()
        return self._mark

    def _watch(self) -> None:
        with suppress(PrunellaError):
            self._healer.story("inc_")  # loads what a story needs, before somebody waits for it
        while monotonic() - self._asked_at_s < _IDLE_S:
            try:
                self._mark = self._healer.store.changes()
            except PrunellaError as error:  # the store may answer at the next look
                _log.warning("the project can't be looked at: %s", error)
            sleep(LOOK_S)


def events(request: Request) -> Response:
    """Answer with a stream of server-sent events: ``prunella:changed`` whenever something did."""
    workspace, _ = workspace_of(request, Role.VIEWER)
    watchers = _watchers_of(request)
    return StreamingResponse(
        _stream(request, watchers, workspace),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _watchers_of(request: Request) -> Watchers:
    state = request.app.state
    if not hasattr(state, "watchers"):
        state.watchers = Watchers()
    found: Watchers = state.watchers
    return found


async def _stream(
    request: Request, watchers: Watchers, workspace: Workspace
) -> AsyncIterator[bytes]:
    began_s = told_s = asked_s = monotonic()
    last = watchers.mark(workspace)
    yield b"event: prunella:open\ndata: \n\n"
    while monotonic() - began_s < _LONGEST_S:
        await anyio.sleep(_STEP_S)
        if await request.is_disconnected():
            return
        if monotonic() - asked_s > RIGHTS_S:
            asked_s = monotonic()
            if not await still_may(request, workspace.name, Role.VIEWER):
                return
        mark = watchers.mark(workspace)
        if mark != last:
            news = bool(last)
            last, told_s = mark, monotonic()
            if news:
                yield f"event: prunella:changed\ndata: {mark}\n\n".encode()
        elif monotonic() - told_s > _BEAT_S:
            told_s = monotonic()
            yield b": still here\n\n"
