"""How long a server asks to be left alone: ``Retry-After`` of an HTTP error, of whatever library."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_NAMES = (("retry-after-ms", 0.001), ("retry-after", 1.0))


def retry_after_s(error: BaseException, now: datetime) -> float | None:
    """Return the seconds that an error's response asks to wait; ``None`` if it doesn't say.

    The response is found as httpx, requests, openai and anthropic carry it (``.response.headers``),
    urllib (``.headers``), or as the cause of the error. Nothing of it is trusted: what is no number
    and no date says nothing.
    """
    seen: BaseException | None = error
    for _ in range(3):
        if seen is None:
            return None
        response = _attribute(seen, "response")
        for carrier in (response, seen):
            headers = None if carrier is None else _attribute(carrier, "headers")
            found = None if headers is None else _from_headers(headers, now)
            if found is not None:
                return found
        seen = seen.__cause__
    return None


def _attribute(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a foreign property may raise anything
        return None


def _from_headers(headers: Any, now: datetime) -> float | None:
    for name, factor in _NAMES:
        text = _header(headers, name)
        if text is None:
            continue
        try:
            seconds = float(text) * factor
        except ValueError:
            found = _until(text, now)
            if found is not None:
                return found
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def _header(headers: Any, name: str) -> str | None:
    get = _attribute(headers, "get")
    if get is None:
        return None
    for each in (name, name.title()):
        try:
            found = get(each)
        except Exception:  # noqa: BLE001 - a foreign class of headers
            return None
        if isinstance(found, bytes):
            found = found.decode("latin-1")
        if type(found) in (str, int, float) and len(str(found)) <= 64:
            return str(found)
    return None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
