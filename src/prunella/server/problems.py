"""What can go wrong, as the answers of the API say it: ``{"error": {"type": …, "message": …}}``."""

import json
import math
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from prunella.model.errors import (
    AmbiguousName,
    ConfigurationError,
    CoolingDown,
    FixError,
    InternalFault,
    NothingToHeal,
    PatchRefused,
    PrunellaError,
    RecordError,
    StepRefused,
    TokenRefused,
    UnknownName,
)

#: Errors that aren't the server's fault; every other `PrunellaError` says that it can't answer now.
_BY_ERROR: tuple[tuple[type[PrunellaError], int], ...] = (
    (UnknownName, 404),
    (AmbiguousName, 409),
    (StepRefused, 409),
    (CoolingDown, 409),
    (NothingToHeal, 409),
    (TokenRefused, 403),
    (FixError, 422),
    (PatchRefused, 422),
    (RecordError, 422),
    (ConfigurationError, 422),
    (InternalFault, 500),
)

#: Type names of the errors that the server itself answers.
TYPES = {
    400: "BadRequest",
    401: "NotLoggedIn",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    411: "LengthRequired",
    413: "TooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooMany",
    503: "Unavailable",
}


class Invalid(HTTPException):
    """A query or body that doesn't fit its type; `path` says where."""

    def __init__(self, status: int, message: str, path: str) -> None:
        super().__init__(status, message)
        self.path = path


def status_of(error: PrunellaError) -> int:
    """Return the status that an answer has when `error` stops it."""
    return next((status for kind, status in _BY_ERROR if isinstance(error, kind)), 503)


def json_response(plain: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON types as an answer.

    Recorded values may hold what JSON has no word for: lone surrogates are escaped, numbers that
    aren't finite are ``null``.
    """
    try:
        text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(plain), separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def problem(
    status: int,
    message: str,
    *,
    kind: str = "",
    path: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem; `path` is where in a body or query."""
    error = {"type": kind or TYPES.get(status, "Error"), "message": message}
    if path:
        error["path"] = path
    return JSONResponse({"error": error}, status, headers)


def problem_of(error: PrunellaError) -> Response:
    """Return what stopped an answer."""
    status = status_of(error)
    return problem(
        status,
        _printable(str(error)),
        kind=type(error).__name__,
        path=error.path if isinstance(error, FixError) else "",
        headers={"Retry-After": "5"} if status == 503 else None,
    )


def answer_of(error: Exception) -> Response:
    """Return what any exception answers.

    What a fault of ours was stands in the server's log and not in the answer.
    """
    if isinstance(error, PrunellaError):
        return problem_of(error)
    if isinstance(error, HTTPException):
        headers = dict(error.headers) if error.headers else None
        path = error.path if isinstance(error, Invalid) else ""
        return problem(error.status_code, error.detail, path=path, headers=headers)
    message = "a fault in Prunella itself; the server's log says more. Please report it"
    return problem(500, message, kind="InternalFault")


def _printable(message: str) -> str:
    return message.encode("utf-8", "replace").decode("utf-8")


def _finite(plain: Any) -> Any:
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else None
    if isinstance(plain, dict):
        return {key: _finite(item) for key, item in plain.items()}
    if isinstance(plain, list):
        return [_finite(item) for item in plain]
    return plain
