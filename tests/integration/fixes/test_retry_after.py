"""`Retry-After` as the libraries' own errors carry it."""

from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from prunella.fixes.retry_after import retry_after_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADERS = {"Retry-After": "7"}


def http() -> Any:
    """Return httpx, by the name that is installed."""
    for name in ("httpx2", "httpx"):
        if find_spec(name) is not None:
            return import_module(name)
    pytest.skip("httpx isn't installed")


def of_httpx() -> BaseException:
    httpx = http()
    request = httpx.Request("GET", "http://localhost/")
    response = httpx.Response(503, headers=HEADERS, request=request)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    return caught.value


def of_requests() -> BaseException:
    requests = pytest.importorskip("requests")
    response = requests.Response()
    response.status_code = 429
    response.headers.update(HEADERS)
    with pytest.raises(requests.HTTPError) as caught:
        response.raise_for_status()
    return caught.value  # type: ignore[no-any-return]  # an exception of an untyped library


def of_model_client(module: str) -> BaseException:
    client: Any = pytest.importorskip(module)
    httpx = http()
    request = httpx.Request("POST", "http://localhost/")
    response = httpx.Response(429, headers=HEADERS, request=request)
    return client.RateLimitError("slow down", response=response, body=None)  # type: ignore[no-any-return]  # as above


def of_urllib() -> BaseException:
    from email.message import Message
    from urllib.error import HTTPError

    headers = Message()
    headers["Retry-After"] = "7"
    return HTTPError("http://localhost/", 503, "busy", headers, None)


@pytest.mark.parametrize(
    "make",
    [of_httpx, of_requests, of_urllib, lambda: of_model_client("openai"),
     lambda: of_model_client("anthropic")],
    ids=["httpx", "requests", "urllib", "openai", "anthropic"],
)  # fmt: skip
def test_what_the_server_asks_for_is_found(make: Any) -> None:
    """In the error itself, or in what it was raised from."""
    error = make()
    assert retry_after_s(error, NOW) == 7.0
    outer = RuntimeError("wrapped")
    outer.__cause__ = error
    assert retry_after_s(outer, NOW) == 7.0
    if hasattr(error, "close"):
        error.close()


def test_hostile_errors_say_nothing() -> None:
    """An attribute that raises, headers that aren't any, endless text."""

    class Hostile(Exception):
        @property
        def response(self) -> Any:
            raise OSError

        headers = {"retry-after": "9" * 1_000}  # noqa: RUF012 - as foreign classes have it

    assert retry_after_s(Hostile(), NOW) is None
