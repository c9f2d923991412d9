"""Requests into typed values: bounded, checked against the operation's types, never evaluated."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from prunella.server.api.operation import Operation
from prunella.server.problems import Invalid

#: Bytes of a body.
MAX_BODY_BYTES = 1_000_000
#: How deep arrays and objects of a body may be nested.
MAX_DEPTH = 64

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


async def read_body(request: Request, operation: Operation) -> Any:
    """Return the request's body as the operation's type; raises `HTTPException`, `Invalid`."""
    if operation.body is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await bounded_body(request, MAX_BODY_BYTES)
    if not data and _may_be_empty(operation):
        data = b"{}"
    elif kind != "application/json":
        raise HTTPException(415, f"send application/json, not {kind[:80] or 'nothing'}")
    if depth(data) > MAX_DEPTH:
        raise Invalid(422, f"nested deeper than {MAX_DEPTH}", "$")
    if rb"\u0000" in data:
        raise Invalid(422, "text can't hold the character U+0000", "$")
    try:
        return msgspec.json.decode(data, type=operation.body)
    except msgspec.ValidationError as error:
        message, path = _placed(error)
        raise Invalid(422, message, path) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, f"the body is no JSON: {error}") from None


def read_fields(fields: Mapping[str, Any], operation: Operation) -> Any:
    """Return the fields of a form as the type of the operation's body; raises `Invalid`."""
    if any("\0" in text for text in fields.values() if isinstance(text, str)):
        raise Invalid(422, "text can't hold the character U+0000", "$")
    try:
        return msgspec.convert(fields, operation.body, strict=False)
    except msgspec.ValidationError as error:
        message, path = _placed(error)
        raise Invalid(422, f"{path.removeprefix('$.')}: {message}", path) from None


def read_query(request: Request, operation: Operation) -> Any:
    """Return the parameters behind the question mark as the operation's type; raises `Invalid`."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise Invalid(422, f"{name[:80]} is given twice", f"$.{name[:80]}")
        if "\0" in value:
            raise Invalid(422, "text can't hold the character U+0000", f"$.{name[:80]}")
        given[name] = value
    try:
        return msgspec.convert(given, operation.query, strict=False)
    except msgspec.ValidationError as error:
        message, path = _placed(error)
        raise Invalid(422, message, path) from None


def read_path(request: Request) -> Mapping[str, str]:
    """Return the parameters of the path; raises `HTTPException` where one can't name anything."""
    found = {name: str(value) for name, value in request.path_params.items()}
    for name, value in found.items():
        if "\0" in value or len(value) > 2_000:
            raise HTTPException(404, f"there is no such {name}")
    return found


async def bounded_body(request: Request, most_bytes: int) -> bytes:
    """Return a body; raises `HTTPException` 413 as soon as it is larger, whatever it says it is."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most_bytes:
        raise HTTPException(413, f"a body may have {most_bytes} bytes, not {length[:20]}")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most_bytes:
            raise HTTPException(413, f"a body may have {most_bytes} bytes")
    return bytes(data)


def depth(data: bytes) -> int:
    """Return how deep the arrays and objects of a JSON text are nested, without parsing it."""
    deepest = level = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", data)):
        level += 1 if bracket in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


def _may_be_empty(operation: Operation) -> bool:
    return operation.body is not None and all(
        not field.required for field in msgspec.structs.fields(operation.body)
    )


def _placed(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return what msgspec complains of, and where: it puts `` - at `$.path` `` at the end."""
    message, _, place = str(error).partition(" - at `")
    return message, place.rstrip("`") or "$"
