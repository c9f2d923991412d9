"""Takes in the spools of programs, and tells programs what to apply."""

import json
import re
from functools import partial
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from prunella.model.errors import RecordError, StoreError
from prunella.server.access import Role, still_may
from prunella.server.door import given_credential, session_of
from prunella.server.ingest.bodies import read_body
from prunella.server.ingest.feeds import MAX_LISTENERS, FeedDocument, Listener, document_of
from prunella.server.ingest.gathering import Sent
from prunella.server.ingest.receiving import Receiving, receiving_of, unable
from prunella.server.people import digest_of
from prunella.server.workspaces import Workspace, opened_for, workspace_of
from prunella.wiring.programs import Elsewhere, Kept, Removed

#: A post is at most this long as it is sent, and unpacked: a program sends a megabyte of lines, or one
#: line that is longer.
MAX_SENT_BYTES = 4 * 1024 * 1024
MAX_BYTES = 17 * 1024 * 1024
_SMALL_BYTES = 64 * 1024
_NAME = re.compile(r"[0-9]{1,20}-[0-9]{1,10}-[0-9a-f]{1,32}\.jsonl")
_SENDER = re.compile(r"[0-9a-f]{32}")
#: A query as the SDK writes it.
_OFFSET = re.compile(rb"offset=([0-9]{1,15})")
_decode = msgspec.json.Decoder().decode
_NO_CACHE = {"Cache-Control": "no-store"}


async def keep_spool(request: Request) -> Response:
    """Keep the next lines of a spool file; the answer says how far the file is kept.

    200 with the offset behind the lines; 409 with the offset that is wanted, where they don't begin
    there; 410 where the file was kept to its end and removed.
    """
    receiving = receiving_of(request)
    with receiving.admitted(request, max_bytes=MAX_SENT_BYTES):
        return await _keep(request, receiving)


async def _keep(request: Request, receiving: Receiving) -> Response:
    workspace = await _reported_to(request, receiving)
    name, offset = _addressed(request)
    if not _is_small(request):
        in_the_way = await receiving.work(workspace.healer.programs.expected, name, offset)
        if in_the_way is not None:
            return _answer(in_the_way)  # before reading what wouldn't be kept
    sent = Sent(
        spool_name=name,
        offset=offset,
        body=await read_body(request, max_bytes=MAX_SENT_BYTES),
        encoding=request.headers.get("content-encoding", ""),
    )
    gathering = receiving.gathering(workspace, loads=_loads, max_bytes=MAX_BYTES)
    try:
        kept = await gathering.keep(sent)
    except RecordError as error:
        raise HTTPException(413 if "at most" in str(error) else 400, str(error)) from error
    except StoreError as error:
        raise unable(error) from error
    if isinstance(kept, Kept) and kept.records:
        receiving.settle_soon(workspace)
    return _answer(kept)


def _is_small(request: Request) -> bool:
    """Tell whether reading the body costs less than asking the store whether it is wanted."""
    declared = request.headers.get("content-length", "")
    return declared.isdigit() and int(declared) <= _SMALL_BYTES


def _loads(text: bytes) -> Any:
    """As `json.loads`, several times as fast for what it reads as well."""
    try:
        return _decode(text)
    except (ValueError, msgspec.MsgspecError):
        return json.loads(text)  # infinities, halves of surrogate pairs


async def forget_spool(request: Request) -> Response:
    """Note that the program has removed a file of which everything is kept."""

    receiving = receiving_of(request)
    workspace = await _reported_to(request, receiving)
    name, _ = _addressed(request)
    await receiving.work(workspace.healer.programs.forget, name)
    return Response(status_code=204)


async def _reported_to(request: Request, receiving: Receiving) -> Workspace:
    """Return the project that the path names; without a thread where it is open."""
    found = opened_for(request, Role.REPORTER)
    if found is None:
        found, _ = await receiving.work(workspace_of, request, Role.REPORTER)
    return found


def _addressed(request: Request) -> tuple[str, int]:
    """Return the name that the project's store knows the file by, and the offset."""
    name = request.path_params["name"]
    sender = request.headers.get("x-prunella-sender", "")
    plain = _OFFSET.fullmatch(request.scope["query_string"])
    offset = plain[1].decode() if plain else request.query_params.get("offset", "0")
    if not _NAME.fullmatch(name):
        raise HTTPException(400, "the name isn't that of a spool file")
    if not _SENDER.fullmatch(sender):
        raise HTTPException(400, "X-Prunella-Sender has to be 32 hex digits, the program's own")
    if not (offset.isascii() and offset.isdigit() and len(offset) <= 15):
        raise HTTPException(400, "offset has to be a number of bytes")
    # The sender is a secret of the program's folder: no other program can name its files.
    return f"{sender}/{name}", int(offset)


def _answer(found: Kept | Elsewhere | Removed) -> Response:
    match found:
        case Kept():
            content = b'{"offset":%d,"unreadable":%d}' % (found.offset, found.unreadable)
            return Response(content, media_type="application/json")
        case Elsewhere():
            return JSONResponse({"offset": found.offset}, 409)
        case Removed():
            return JSONResponse({"removed": 1}, 410)


async def feed(request: Request) -> Response:
    """Return what programs are to apply; 304 where they have it already."""

    def look() -> FeedDocument:
        return document_of(workspace_of(request, Role.REPORTER)[0])

    found = await receiving_of(request).work(look)
    headers = {**_NO_CACHE, "ETag": found.etag}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type="application/json", headers=headers)


async def feed_events(request: Request) -> Response:
    """Return the feed as a stream of events: now, and whenever it changes, as long as they may."""
    receiving = receiving_of(request)
    workspace, _ = await receiving.work(workspace_of, request, Role.REPORTER)
    feeds = receiving.feeds
    if feeds.listeners(workspace.name) >= MAX_LISTENERS:
        raise HTTPException(503, "too many programs listen", {"Retry-After": "60"})
    headers = {**_NO_CACHE, "X-Accel-Buffering": "no"}
    listener = Listener(
        name=digest_of(given_credential(request) or session_of(request)),
        may_still=partial(still_may, request, workspace.name, Role.REPORTER),
    )
    events = feeds.listen(workspace, listener)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
