"""Pushes to programs what they are to apply: one look at the store for all of a project's programs.

While anybody listens to a project, its store is asked four times a second what programs are to apply,
whoever changed it: this server, another, or a command. Listeners get the whole document when it
differs from what they got last, so that one that missed something is right again with the next.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
from anyio.to_thread import run_sync

from prunella.server.workspaces import Workspace

#: How often the store is asked.
LOOK_S = 0.25
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

    def listen(self, workspace: Workspace) -> AsyncIterator[bytes]:
        """Return the stream of events of a project, without end."""
        watch = self._watches.get(workspace.name)
        if watch is None or watch.is_over:
            watch = self._watches[workspace.name] = _Watch(workspace)
        return watch.events()

    def listeners(self, project: str) -> int:
        """Return how many programs listen to a project."""
        watch = self._watches.get(project)
        return 0 if watch is None else watch.listeners


class _Watch:
    """Looks at one project as long as anybody listens."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._latest: FeedDocument | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.listeners = 0
        self.is_over = False

    async def events(self) -> AsyncIterator[bytes]:
        self.listeners += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())
        try:
            seen = ""
            yield b": prunella\n\n"
            while not self.is_over:
                found = await self._next(seen)
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
            if not self.listeners and self._task is not None:
                self.is_over = True
                self._task.cancel()

    async def _next(self, seen: str) -> FeedDocument | None:
        """Return the document when it isn't the one of `seen`; ``None`` after a while."""
        with anyio.move_on_after(HEARTBEAT_S):
            async with self._changed:
                while (latest := self._latest) is None or latest.etag == seen:
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
