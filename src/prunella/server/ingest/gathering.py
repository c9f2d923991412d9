"""Posts that come at once are kept together: read in one thread, written by one transaction.

A hop to a thread, a transaction and a disk's sync cost the same for one post as for hundreds, and most
posts are small. So nothing waits where there is room; where there is none, posts gather until those
before them are kept, and each is answered when the transaction that it is in was committed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

from starlette.exceptions import HTTPException

from prunella.server.ingest.bodies import unpack
from prunella.server.workspaces import Workspace
from prunella.wiring.programs import Answer, Elsewhere, Kept, Post, Removed

#: Rounds of one project under way at a time: while one is committed, the next is read.
_ROUNDS = 2
#: What a round takes in, at most: posts, and about so many bytes of lines.
_MOST_POSTS = 500
_MOST_BYTES = 2 * 1024 * 1024
#: Where posts come fast, a round waits so long for more of them, in seconds.
_LINGER_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A post as it was sent."""

    spool_name: str
    offset: int
    body: bytes
    #: The body's ``Content-Encoding``.
    encoding: str


Outcome = Kept | Elsewhere | Removed
_Waiting = tuple[Sent, "asyncio.Future[Outcome]"]
#: Runs a function in a thread.
Work = Callable[[Callable[[], Any]], Awaitable[Any]]


class Gathering:
    """The posts to one project. Belongs to the event loop."""

    def __init__(
        self, workspace: Workspace, work: Work, *, loads: Callable[[bytes], Any], max_bytes: int
    ) -> None:
        self.workspace = workspace
        self._work = work
        self._loads = loads
        self._max_bytes = max_bytes
        self._waiting: deque[_Waiting] = deque()
        self._rounds: set[asyncio.Task[None]] = set()
        #: How many posts the last round had.
        self._last = 0
        self._taking = Lock()

    async def keep(self, sent: Sent) -> Outcome:
        """Return what became of a post, once that is sure.

        Raises what `unpack` does, `RecordError` where it is no post, and `StoreError`.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((sent, answer))
        if len(self._rounds) < _ROUNDS:
            task = loop.create_task(self._go_round())
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
        return await answer

    async def _go_round(self) -> None:
        while self._waiting:
            if self._last > 1 and len(self._waiting) < _MOST_POSTS:
                await asyncio.sleep(_LINGER_S)
            taken: list[_Waiting] = []
            try:
                answers = await self._work(lambda taken=taken: self._keep_some(taken))
            except Exception as error:  # noqa: BLE001 - it is told to each
                if not taken:  # not even the store could be opened
                    taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
                answers = [error] * len(taken)
            self._last = len(taken)
            for (_, answer), said in zip(taken, answers, strict=True):
                if answer.done():  # nobody waits any more
                    continue
                if isinstance(said, Exception):
                    answer.set_exception(said)
                else:
                    answer.set_result(said)

    def _keep_some(self, taken: list[_Waiting]) -> list[Answer]:
        """Keep posts that wait; fill `taken` with them, and return what became of each."""
        refused: dict[int, Exception] = {}
        kept = iter(
            self.workspace.healer.programs.keep(self._posts(taken, refused), loads=self._loads)
        )
        return [refused[at] if at in refused else next(kept) for at in range(len(taken))]

    def _posts(self, taken: list[_Waiting], refused: dict[int, Exception]) -> Iterator[Post]:
        """Yield posts that wait, one after the other, so that their content needn't be held."""
        size_bytes = 0
        while size_bytes < _MOST_BYTES and len(taken) < _MOST_POSTS:
            with self._taking:
                if not self._waiting:
                    return
                taken.append(self._waiting.popleft())
            sent, _ = taken[-1]
            try:
                content = unpack(sent.body, sent.encoding, max_bytes=self._max_bytes)
            except HTTPException as error:
                refused[len(taken) - 1] = error
                continue
            size_bytes += len(content)
            yield Post(spool_name=sent.spool_name, offset=sent.offset, content=content)
