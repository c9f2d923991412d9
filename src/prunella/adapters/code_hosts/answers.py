"""Reading what a host answered: of the form that its API documents, or an error that says so."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any


def part(data: Any, *names: str) -> Any:
    """Return what stands under `names`; raises `ValueError` where an object or a name is missing."""
    for name in names:
        if not isinstance(data, Mapping) or name not in data:
            raise ValueError(f"no {'.'.join(names)}")
        data = data[name]
    return data


def text(data: Any, *names: str) -> str:
    """Return the text under `names`; raises `ValueError`."""
    value = part(data, *names)
    if not isinstance(value, str):
        raise ValueError(f"{'.'.join(names)} is no text")
    return value


def number(data: Any, *names: str) -> int:
    """Return the number under `names`; raises `ValueError`."""
    value = part(data, *names)
    if not isinstance(value, int):
        raise ValueError(f"{'.'.join(names)} is no number")
    return value


def items(data: Any) -> Sequence[Any]:
    """Return `data` if it is a list; raises `ValueError`."""
    if not isinstance(data, list):
        raise ValueError("no list")
    return data


def may_push(repository: Any) -> bool | None:
    """Return what a repository's answer says of its asker's right to push; raises `ValueError`."""
    permissions = repository.get("permissions")
    return None if permissions is None else part(permissions, "push") is True


def decoded(data: Any) -> bytes:
    """Return the content of a file or blob, which hosts send in base64; raises `ValueError`."""
    if part(data, "encoding") != "base64":
        raise ValueError(f"content in the unknown encoding {part(data, 'encoding')!r}")
    try:
        return base64.b64decode(text(data, "content"))
    except binascii.Error as error:
        raise ValueError(f"content is no base64: {error}") from None


def encoded(content: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(content).decode("ascii")
