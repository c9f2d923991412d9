"""What httpx, requests, urllib3 and urllib raise for answers of servers."""

import urllib.request

import httpx
import requests
import urllib3

from taxonomy_corpus.cases import Case, cases
from taxonomy_corpus.server import raw, server, status

CASES: list[Case] = []

_STATUSES = {
    "HTTP.REQUEST.BAD": (400,),
    "HTTP.REQUEST.UNPROCESSABLE": (422,),
    "HTTP.REQUEST.TOO_LARGE": (413,),
    "HTTP.REQUEST.TIMEOUT": (408,),
    "HTTP.REQUEST.REJECTED": (405, 418),
    "HTTP.AUTH.UNAUTHORIZED": (401,),
    "HTTP.AUTH.FORBIDDEN": (403,),
    "HTTP.RESOURCE.NOT_FOUND": (404, 410),
    "HTTP.RESOURCE.CONFLICT": (409,),
    "HTTP.LIMIT.RATE": (429,),
    "HTTP.SERVER.ERROR": (500,),
    "HTTP.SERVER.BAD_GATEWAY": (502,),
    "HTTP.SERVER.UNAVAILABLE": (503,),
    "HTTP.SERVER.GATEWAY_TIMEOUT": (504,),
    "HTTP.SERVER.NOT_IMPLEMENTED": (501,),
}


def by_httpx(code):
    httpx.get(server().url(status(code))).raise_for_status()


def by_requests(code):
    requests.get(server().url(status(code)), timeout=5).raise_for_status()


def by_urllib(code):
    with urllib.request.urlopen(server().url(status(code)), timeout=5):
        pass


def too_often(code):
    retry = urllib3.Retry(total=1, status_forcelist=[code], backoff_factor=0)
    with urllib3.PoolManager() as pool:
        pool.request("GET", server().url(status(code)), retries=retry, timeout=5)


def too_often_by_requests(code):
    retry = urllib3.Retry(total=1, status_forcelist=[code], backoff_factor=0)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        session.get(server().url(status(code)), timeout=5)


def wrapped(code):
    class PriceUnknown(Exception):
        pass

    try:
        by_httpx(code)
    except httpx.HTTPStatusError as error:
        raise PriceUnknown("no price") from error


def json_of(library, body):
    return library.get(server().url(raw(200, body)), timeout=5).json()


for code, numbers in _STATUSES.items():
    for number in numbers:
        cases(
            CASES,
            code,
            **{
                f"httpx_{number}": lambda number=number: by_httpx(number),
                f"requests_{number}": lambda number=number: by_requests(number),
            },
        )
for code in (
    "HTTP.AUTH.FORBIDDEN",
    "HTTP.RESOURCE.NOT_FOUND",
    "HTTP.LIMIT.RATE",
    "HTTP.SERVER.ERROR",
):
    number = _STATUSES[code][0]
    cases(CASES, code, **{f"urllib_{number}": lambda number=number: by_urllib(number)})
cases(
    CASES, "HTTP.SERVER.UNAVAILABLE",
    retried=lambda: too_often(503), retried_by_requests=lambda: too_often_by_requests(503),
    wrapped=lambda: wrapped(503),
)  # fmt: skip
cases(
    CASES, "OUTPUT.JSON.ABSENT",
    httpx_html=lambda: json_of(httpx, b"<html>"), requests_html=lambda: json_of(requests, b"<html>"),
    requests_empty=lambda: json_of(requests, b""),
)  # fmt: skip
cases(
    CASES, "OUTPUT.JSON.MALFORMED",
    requests_comma=lambda: json_of(requests, b'{"a": 1,}'),
)  # fmt: skip
