"""Pushes to programs what they are to apply: one look at the store for all of a project's programs.

While anybody listens to a project, its store is asked four times a second what programs are to apply,
whoever changed it: this server, another, or a command. Listeners get the whole document when it
differs from what they got last, so that one that missed something is right again with the next.

Every two seconds each key (and token, and session) that anybody listens with is asked for once,
however many listen with it; when it has ended, so do their streams.
"""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import anyio
from anyio.to_thread import run_sync

from prunella.server.workspaces import Workspace

#: How often the store is asked.
LOOK_S = 0.25
#: How often keys are asked for, in seconds.
RIGHTS_S = 2.0
#: A line that says nothing is sent this often, so that both sides notice when the other has gone.
HEARTBEAT_S = 10.0
#: Programs that may listen to one project.
MAX_LISTENERS = 5_000

_log = logging.getLogger("prunella.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """What programs of a project are to apply."""

    content: bytes
    #: Its name, as HTTP has it.
    etag: str


def document_of(workspace: Workspace) -> FeedDocument:
    """Return what the project's store says now; raises `StoreError`."""
    content = workspace.healer.programs.feed()
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return FeedDocument(content=content, etag=f'"{digest}"')


class Feeds:
    """The projects that programs listen to."""

    def __init__(self) -> None:
        self._watches: dict[str, _Watch] = {}

    def listen(self, workspace: Workspace, listener: "Listener") -> AsyncIterator[bytes]:
        """Return the stream of events of a project, as long as the listener may hear of it."""
        watch = self._watches.get(workspace.name)
        if watch is None or watch.is_over:
            watch = self._watches[workspace.name] = _Watch(workspace)
        return watch.events(listener)

    def listeners(self, project: str) -> int:
        """Return how many programs listen to a project."""
        watch = self._watches.get(project)
        return 0 if watch is None else watch.listeners


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who listens: the same `name` for all who do with the same key."""

    name: str
    may_still: Callable[[], Awaitable[bool]]


class _Watch:
    """Looks at one project as long as anybody listens."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._latest: FeedDocument | None = None
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        #: Who may listen, by what they do it with, and how many do.
        self._known: dict[str, Listener] = {}
        self._listening: Counter[str] = Counter()
        self.listeners = 0
        self.is_over = False

    async def events(self, listener: Listener) -> AsyncIterator[bytes]:
        self.listeners += 1
        self._known[listener.name] = listener
        self._listening[listener.name] += 1
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(each()) for each in (self._look, self._look_at_rights)]
        try:
            seen = ""
            yield b": prunella\n\n"
            while not self.is_over:
                found = await self._next(seen, listener)
                if not self._may(listener):
                    return
                if found is None:
                    yield b": still here\n\n"
                else:
                    seen = found.etag
                    yield b"event: feed\nid: %s\ndata: %s\n\n" % (
                        found.etag.strip('"').encode(),
                        found.content,
                    )
        finally:
            self.listeners -= 1
            self._listening[listener.name] -= 1
            if not self._listening[listener.name]:
                del self._listening[listener.name]
                self._known.pop(listener.name, None)
            if not self.listeners:
                self.is_over = True
                for task in self._tasks:
                    task.cancel()

    def _may(self, listener: Listener) -> bool:
        return listener.name in self._known

    async def _next(self, seen: str, listener: Listener) -> FeedDocument | None:
        """Return the document when it isn't the one of `seen`; ``None`` after a while, and at the end."""
        with anyio.move_on_after(HEARTBEAT_S):
            async with self._changed:
                while (latest := self._latest) is None or latest.etag == seen:
                    if not self._may(listener):
                        return None
                    await self._changed.wait()
                return latest
        return None

    async def _look(self) -> None:
        while True:
            try:
                found = await run_sync(document_of, self._workspace)
            except Exception as error:  # noqa: BLE001 - the next look may be luckier
                _log.warning("feed of %s: %s", self._workspace.name, error)
                await anyio.sleep(10 * LOOK_S)
                continue
            if self._latest is None or found.etag != self._latest.etag:
                async with self._changed:
                    self._latest = found
                    self._changed.notify_all()
            await anyio.sleep(LOOK_S)

    async def _look_at_rights(self) -> None:
        while True:
            await anyio.sleep(RIGHTS_S)
            for name, listener in list(self._known.items()):
                if not await listener.may_still():
                    self._known.pop(name, None)
                    async with self._changed:
                        self._changed.notify_all()
