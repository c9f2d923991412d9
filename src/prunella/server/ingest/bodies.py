"""Bodies of requests from strangers: read and unpacked within bounds of size and time."""

import asyncio
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

#: A body that takes longer to arrive is given up.
ARRIVAL_S = 30.0


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Return the body as it was sent.

    Answers 413 where it is longer than `max_bytes`, 408 where it doesn't arrive in time.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(ARRIVAL_S):
            return await _collect(request, max_bytes)
    except TimeoutError:
        raise HTTPException(408, "the body did not arrive in time") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body did not arrive") from None


async def _collect(request: Request, max_bytes: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    return b"".join(parts)


def unpack(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Undo a ``Content-Encoding``, stopping at `max_bytes`: a bomb is never unpacked.

    Answers 413, 415 for an encoding that isn't known, 400 for a body that isn't what it says.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        return body
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _inflate(body, max_bytes)
    if encoding == "br" and (expand := _brotli()) is not None:
        return expand(body, max_bytes)
    raise HTTPException(415, f"Content-Encoding {encoding[:20]!r} isn't taken here: use gzip")


def _inflate(body: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(47)  # gzip or zlib, as the body says
    try:
        content = unpacker.decompress(body, max_bytes + 1)
    except zlib.error:
        raise HTTPException(400, "the body isn't compressed as it says") from None
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise HTTPException(400, "the compressed body isn't whole")
    return content


def _brotli() -> Callable[[bytes, int], bytes] | None:
    """Return what unpacks brotli, where a library that can stop in time is installed."""
    try:
        brotli: Any = import_module("brotli")
    except ImportError:
        return None
    if not hasattr(brotli.Decompressor, "can_accept_more_data"):
        return None

    def expand(body: bytes, max_bytes: int) -> bytes:
        unpacker: Any = brotli.Decompressor()
        try:
            content: bytes = unpacker.process(body, output_buffer_limit=max_bytes + 1)
            while len(content) <= max_bytes and not unpacker.is_finished():
                more = unpacker.process(b"", output_buffer_limit=max_bytes + 1)
                if not more:
                    break
                content += more
        except brotli.error:
            raise HTTPException(400, "the body isn't compressed as it says") from None
        if len(content) > max_bytes:
            raise _too_large(max_bytes)
        if not unpacker.is_finished():
            raise HTTPException(400, "the compressed body isn't whole")
        return content

    return expand


def _too_large(max_bytes: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {max_bytes:,} bytes")
