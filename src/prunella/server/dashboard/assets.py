"""Files that never change under one address: sheets, scripts, pictures."""

from functools import cache
from hashlib import blake2b
from os import PathLike, stat_result
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"


@cache
def static_address(name: str) -> str:
    """Return the address of a file; it changes with its content, so browsers may keep what they have."""
    digest = blake2b((FOLDER / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={digest}"


class StaticPages(StaticFiles):
    """Serves the files, to be kept for good."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        if b"v=" in scope.get("query_string", b""):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response
