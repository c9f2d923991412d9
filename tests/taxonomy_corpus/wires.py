"""What httpx, requests, urllib3, urllib and http.client raise when there is no answer."""

import asyncio
import http.client
import urllib.request

import httpx
import requests
import urllib3

from taxonomy_corpus.cases import Case, cases
from taxonomy_corpus.server import (
    BAD_GZIP,
    CLOSED,
    CUT,
    CUT_CHUNK,
    GARBAGE,
    closed_port,
    full_port,
    redirect_to_itself,
    reset,
    server,
    silence,
    status,
    untrusted_server,
)

CASES: list[Case] = []

_SHORT = 0.05
_NOWHERE = "http://name.invalid/"


def by_httpx(url, **options):
    return httpx.get(url, **{"timeout": 5, "trust_env": False, **options})


def by_async_httpx(url, timeout=5):
    async def get():
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            return await client.get(url)

    return asyncio.run(get())


def by_requests(url, **options):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, **{"timeout": 5, **options})


def by_urllib3(url, **options):
    with urllib3.PoolManager() as pool:
        return pool.request("GET", url, **{"timeout": 5, "retries": False, **options})


def by_urllib(url, timeout=5):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        url, timeout=timeout
    ) as it:
        return it.read()


def by_http_client(answer):
    connection = http.client.HTTPConnection("127.0.0.1", server().port, timeout=5)
    try:
        connection.request("GET", server().url(answer).partition(str(server().port))[2])
        return connection.getresponse().read()
    finally:
        connection.close()


def closed(scheme="http"):
    return f"{scheme}://127.0.0.1:{closed_port()}/"


def full():
    return f"http://127.0.0.1:{full_port()}/"


def plain_as_tls():
    return server().url(status(200), scheme="https")


def untrusted():
    return untrusted_server().url(status(200), scheme="https")


def pool_of_httpx():
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(
        limits=limits, timeout=httpx.Timeout(5, pool=_SHORT), trust_env=False
    ) as client:
        with client.stream("GET", server().url(silence_after_head)):
            client.get(server().url(status(200)))


def silence_after_head(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    silence(connection)


def pool_of_urllib3():
    with urllib3.HTTPConnectionPool("127.0.0.1", server().port, maxsize=1, block=True) as pool:
        path = server().url(status(200)).partition(str(server().port))[2]
        kept = pool.request("GET", path, preload_content=False, timeout=5)
        try:
            pool.request("GET", path, pool_timeout=_SHORT, retries=False)
        finally:
            kept.release_conn()


def read_twice():
    with httpx.Client(trust_env=False) as client:
        with client.stream("GET", server().url(status(200))) as response:
            list(response.iter_bytes())
            list(response.iter_bytes())


def closed_client():
    client = httpx.Client()
    client.close()
    client.get(closed())


def closed_pool():
    pool = urllib3.HTTPConnectionPool("127.0.0.1", 1)
    pool.close()
    pool.request("GET", "/")


def through_a_proxy(library):
    proxy = closed()
    if library is httpx:
        return httpx.get("https://name.invalid/", proxy=proxy, timeout=5)
    return by_requests("https://name.invalid/", proxies={"https": proxy})


cases(
    CASES, "NET.CONNECTION.REFUSED",
    httpx_refused=lambda: by_httpx(closed()), async_httpx_refused=lambda: by_async_httpx(closed()),
    requests_refused=lambda: by_requests(closed()), urllib3_refused=lambda: by_urllib3(closed()),
    urllib3_retried=lambda: by_urllib3(closed(), retries=1), urllib_refused=lambda: by_urllib(closed()),
)  # fmt: skip
cases(
    CASES, "NET.DNS.NOT_FOUND",
    httpx_name=lambda: by_httpx(_NOWHERE), requests_name=lambda: by_requests(_NOWHERE),
    urllib3_name=lambda: by_urllib3(_NOWHERE), urllib_name=lambda: by_urllib(_NOWHERE),
    async_httpx_name=lambda: by_async_httpx(_NOWHERE),
)  # fmt: skip
cases(
    CASES, "NET.CONNECTION.TIMEOUT",
    httpx_connect=lambda: by_httpx(full(), timeout=_SHORT),
    async_httpx_connect=lambda: by_async_httpx(full(), timeout=_SHORT),
    requests_connect=lambda: by_requests(full(), timeout=(_SHORT, 5)),
    urllib3_connect=lambda: by_urllib3(full(), timeout=urllib3.Timeout(connect=_SHORT)),
)  # fmt: skip
cases(
    CASES, "NET.READ.TIMEOUT",
    httpx_read=lambda: by_httpx(server().url(silence), timeout=_SHORT),
    async_httpx_read=lambda: by_async_httpx(server().url(silence), timeout=_SHORT),
    requests_read=lambda: by_requests(server().url(silence), timeout=(5, _SHORT)),
    requests_body=lambda: by_requests(server().url(silence_after_head), timeout=_SHORT),
    urllib3_read=lambda: by_urllib3(server().url(silence), timeout=_SHORT),
    urllib3_body=lambda: by_urllib3(server().url(silence_after_head), timeout=_SHORT),
)  # fmt: skip
cases(
    CASES, "NET.IO.TIMEOUT",
    urllib_read=lambda: by_urllib(server().url(silence), timeout=_SHORT),
)  # fmt: skip
cases(CASES, "NET.POOL.TIMEOUT", httpx_pool=pool_of_httpx, urllib3_pool=pool_of_urllib3)
cases(
    CASES, "NET.CONNECTION.CLOSED",
    httpx_closed=lambda: by_httpx(server().url(CLOSED)),
    requests_closed=lambda: by_requests(server().url(CLOSED)),
    urllib3_closed=lambda: by_urllib3(server().url(CLOSED)),
    urllib_closed=lambda: by_urllib(server().url(CLOSED)),
    http_client_closed=lambda: by_http_client(CLOSED),
)  # fmt: skip
cases(
    CASES, "NET.CONNECTION.RESET",
    httpx_reset=lambda: by_httpx(server().url(reset)),
    requests_reset=lambda: by_requests(server().url(reset)),
    urllib3_reset=lambda: by_urllib3(server().url(reset)),
    urllib_reset=lambda: by_urllib(server().url(reset)),
)  # fmt: skip
cases(
    CASES, "NET.PROTOCOL.INCOMPLETE",
    httpx_cut=lambda: by_httpx(server().url(CUT)), requests_cut=lambda: by_requests(server().url(CUT)),
    urllib3_cut=lambda: by_urllib3(server().url(CUT)), urllib_cut=lambda: by_urllib(server().url(CUT)),
    httpx_chunk=lambda: by_httpx(server().url(CUT_CHUNK)),
    requests_chunk=lambda: by_requests(server().url(CUT_CHUNK)),
    http_client_cut=lambda: by_http_client(CUT),
)  # fmt: skip
cases(
    CASES, "NET.PROTOCOL.VIOLATION",
    httpx_garbage=lambda: by_httpx(server().url(GARBAGE)),
    requests_garbage=lambda: by_requests(server().url(GARBAGE)),
    http_client_garbage=lambda: by_http_client(GARBAGE),
    httpx_own=lambda: by_httpx(server().url(status(200)), headers={"A": "b\nc"}),
    requests_own=lambda: by_requests(server().url(status(200)), headers={"A": "b\nc"}),
)  # fmt: skip
cases(
    CASES, "HTTP.BODY.ENCODING",
    httpx_gzip=lambda: by_httpx(server().url(BAD_GZIP)),
    requests_gzip=lambda: by_requests(server().url(BAD_GZIP)),
    urllib3_gzip=lambda: by_urllib3(server().url(BAD_GZIP)),
)  # fmt: skip
cases(
    CASES, "HTTP.REDIRECT.LOOP",
    httpx_loop=lambda: by_httpx(redirect_to_itself(), follow_redirects=True),
    requests_loop=lambda: by_requests(redirect_to_itself()),
    urllib3_loop=lambda: by_urllib3(redirect_to_itself(), retries=3),
)  # fmt: skip
cases(
    CASES, "NET.TLS.CERTIFICATE",
    httpx_untrusted=lambda: by_httpx(untrusted()), requests_untrusted=lambda: by_requests(untrusted()),
    urllib3_untrusted=lambda: by_urllib3(untrusted()), urllib_untrusted=lambda: by_urllib(untrusted()),
)  # fmt: skip
cases(
    CASES, "NET.TLS.HANDSHAKE",
    httpx_plain=lambda: by_httpx(plain_as_tls()), requests_plain=lambda: by_requests(plain_as_tls()),
    urllib3_plain=lambda: by_urllib3(plain_as_tls()),
)  # fmt: skip
cases(
    CASES, "NET.PROXY.FAILED",
    requests_proxy=lambda: through_a_proxy(requests),
)  # fmt: skip
cases(CASES, "NET.CONNECTION.REFUSED", httpx_proxy=lambda: through_a_proxy(httpx))
cases(
    CASES, "NET.URL.INVALID",
    httpx_scheme=lambda: by_httpx("gopher://a/"), httpx_port=lambda: by_httpx("http://a:port/"),
    requests_schema=lambda: by_requests("a/b"), requests_url=lambda: by_requests("http://"),
    requests_scheme=lambda: by_requests("gopher://a/"), urllib3_url=lambda: by_urllib3("http://a:port/"),
    http_client_port=lambda: http.client.HTTPConnection("127.0.0.1:port"),
)  # fmt: skip
cases(
    CASES, "CODE.STATE.INVALID",
    httpx_twice=read_twice, httpx_closed_client=closed_client, urllib3_closed_pool=closed_pool,
)  # fmt: skip
