"""What all kinds of ingest share: bounded bodies and threads, and what follows from records.

Made at the first request and kept with the application. Its work in the background ends with the
event loop; what it hasn't done is still to be seen in the store, and done when somebody looks next.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from random import randint
from threading import Lock
from typing import Any, TypeVar

import anyio
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request

from prunella.model.errors import StoreError
from prunella.server.ingest.feeds import Feeds
from prunella.server.ingest.gathering import Gathering
from prunella.server.ingest.reported import Intake
from prunella.server.workspaces import Workspace

T = TypeVar("T")

#: Pieces of work that are done in threads at a time.
_THREADS = 32
#: Requests that are worked on or wait for it, at most, and bytes of their bodies as they are sent.
#: Small ones had better wait than come again, which costs as much each time; but nobody waits for an
#: answer for long, and what is held in memory is bounded.
MAX_AT_ONCE = 2_000
MAX_WAITING_BYTES = 64 * 1024 * 1024
#: Those that can't wait come again after so many seconds, each after others, so that they don't all
#: come at once.
_RETRY_AFTER_S = (2, 15)
#: What follows from new records (rollouts, what is too old) waits about this long for more of them.
SETTLE_S = 1.0
_MAX_KINDS = 1_000
#: Wait after triage failed.
_FAILED_S = 5.0

_log = logging.getLogger("prunella.server")


class Receiving:
    """The ingest side of one server."""

    def __init__(self) -> None:
        self._left = MAX_AT_ONCE
        self._left_bytes = MAX_WAITING_BYTES
        self.feeds = Feeds()
        self._limiter = CapacityLimiter(_THREADS)
        self._unsettled: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._intakes: dict[str, Intake] = {}
        self._gatherings: dict[str, Gathering] = {}
        self._opening = Lock()
        #: Project and kind of what was accepted and not kept, and how often.
        self.passed_over: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def admitted(self, request: Request, *, max_bytes: int) -> Iterator[None]:
        """Let one request in; 503 where too many are in, or too much.

        One that doesn't say how long its body is may send `max_bytes`.
        """
        declared = request.headers.get("content-length", "")
        size_bytes = min(int(declared), max_bytes) if _is_number(declared) else max_bytes
        if self._left <= 0 or self._left_bytes < size_bytes:
            raise HTTPException(503, "too many requests at once", _come_again())
        self._left -= 1
        self._left_bytes -= size_bytes
        try:
            yield
        finally:
            self._left += 1
            self._left_bytes += size_bytes

    async def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what `function` does in a thread; 503 where the store can't take something."""
        try:
            return await run_sync(function, *arguments, limiter=self._limiter)
        except StoreError as error:
            _log.warning("ingest: %s", error)
            raise unable(error) from error

    def gathering(
        self, workspace: Workspace, *, loads: Callable[[bytes], Any], max_bytes: int
    ) -> Gathering:
        """Return what keeps the posts to a project together."""
        found = self._gatherings.get(workspace.name)
        if found is None or found.workspace is not workspace:
            work = partial(run_sync, limiter=self._limiter)
            found = Gathering(workspace, work, loads=loads, max_bytes=max_bytes)
            self._gatherings[workspace.name] = found
        return found

    def intake(self, workspace: Workspace) -> Intake:
        """Return what takes in the failures that other libraries report to a project."""
        with self._opening:
            found = self._intakes.get(workspace.name)
            if found is None:
                redactor = workspace.healer.programs.redactor()
                found = self._intakes[workspace.name] = Intake(redactor)
        return found

    def count_passed_over(self, project: str, kinds: Mapping[str, int]) -> None:
        """Count what was accepted and not kept: sessions, transactions …"""
        with self._opening:
            for kind, number in kinds.items():
                key = (project, kind if len(self.passed_over) < _MAX_KINDS else "others")
                self.passed_over[key] += number

    def settle_soon(self, workspace: Workspace) -> None:
        """Have done what follows from new records, once for all that come until then."""
        if workspace.name in self._unsettled:
            return
        self._unsettled.add(workspace.name)
        task = asyncio.get_running_loop().create_task(self._settle(workspace))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, workspace: Workspace) -> None:
        await anyio.sleep(SETTLE_S)
        self._unsettled.discard(workspace.name)  # what comes from now on is another round's
        try:
            await run_sync(workspace.healer.programs.settle)
        except Exception as error:  # noqa: BLE001 - whatever fails, records go on to be taken in
            _log.warning("triage of %s: %s: %s", workspace.name, type(error).__name__, error)
            self._unsettled.add(workspace.name)
            await anyio.sleep(_FAILED_S)
            self._unsettled.discard(workspace.name)
            self.settle_soon(workspace)


def unable(error: StoreError) -> HTTPException:
    """Return the answer to who brings what the store can't keep now."""
    _log.warning("ingest: %s", error)
    return HTTPException(503, "the store can't take it now", _come_again())


def _come_again() -> dict[str, str]:
    return {"Retry-After": str(randint(*_RETRY_AFTER_S))}  # noqa: S311 - no secret


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def receiving_of(request: Request) -> Receiving:
    """Return the application's `Receiving`. To be called in its event loop."""
    state = request.app.state
    if not hasattr(state, "receiving"):
        state.receiving = Receiving()
    found: Receiving = state.receiving
    return found
