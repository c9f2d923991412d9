"""Files that never change under one address: sheets, scripts, pictures. Kept in memory, also compressed."""

import gzip
import mimetypes
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOLDER = Path(__file__).parent / "static"
#: What is compressed is served so only where that saves something.
_LEAST_SAVED_RATIO = 0.1
#: Files that are made of others, in this order: one request, and what comes first is there for the rest.
_TOGETHER = {"pages.js": ("vendor/htmx.min.js", "vendor/hx-sse.min.js", "dashboard.js")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file."""

    media_type: str
    body: bytes
    #: `body` compressed by gzip, where that is smaller.
    compressed: bytes | None
    #: Differs where the content does.
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files by their names, such as ``vendor/uPlot.iife.min.js``."""
    bodies = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file()
    }
    for name, parts in _TOGETHER.items():
        bodies[name] = b"\n;\n".join(bodies.pop(part) for part in parts)
    return {name: _asset(name, body) for name, body in bodies.items()}


def static_address(name: str) -> str:
    """Return the address of a file; it changes with its content, so browsers may keep what they have."""
    return f"/static/{name}?v={assets()[name].digest}"


def inside(name: str) -> str:
    """Return what stands in a file, for a page that doesn't wait for one more: of a picture its shapes."""
    return re.sub(r"\A<svg[^>]*>|</svg>\s*\Z", "", assets()[name].body.decode())


def digest_of(name: str) -> str:
    """Return how a content security policy names a sheet or script that stands in a page."""
    return f"'sha256-{b64encode(sha256(assets()[name].body).digest()).decode()}'"


class StaticPages:
    """The ASGI application that serves the files: under a version to be kept for good."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, "files are only read", headers={"Allow": "GET, HEAD"})
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        found = assets().get(name)
        if found is None:
            raise HTTPException(404, f"there is no file {name[:200]}")
        await _answer(found, Request(scope))(scope, receive, send)


def _answer(asset: Asset, request: Request) -> Response:
    has_version = "v" in request.query_params
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if has_version else "no-cache",
        "ETag": f'"{asset.digest}"',
        "Vary": "Accept-Encoding",
    }
    if f'"{asset.digest}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if asset.compressed is not None and _takes_gzip(request):
        body = asset.compressed
        headers["Content-Encoding"] = "gzip"
    response = Response(body, headers=headers, media_type=asset.media_type)
    if request.method == "HEAD":
        response.body = b""
    return response


def _takes_gzip(request: Request) -> bool:
    offered = [
        each.replace(" ", "").lower()
        for each in request.headers.get("accept-encoding", "").split(",")
    ]
    return any(
        each == "gzip" or (each.startswith("gzip;") and each != "gzip;q=0") for each in offered
    )


def _asset(name: str, body: bytes) -> Asset:
    compressed = gzip.compress(body, mtime=0)
    return Asset(
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        body=body,
        compressed=compressed if len(compressed) < len(body) * (1 - _LEAST_SAVED_RATIO) else None,
        digest=blake2b(body, digest_size=6).hexdigest(),
    )
