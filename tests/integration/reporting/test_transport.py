"""How programs hear of fixes where the stream doesn't come through, and whom they talk to at all."""

import json
import shutil
import ssl
import subprocess
import threading
import time

import pytest

from doubles.alert_server import black_hole
from doubles.hostile_server import Keeping, answer, serving
from doubles.proxy_server import proxying
from doubles.report_server import program, until
from prunella.sdk import listening
from prunella.sdk.connection import Connection, NoAnswerError
from prunella.sdk.dsn import parse
from prunella.sdk.feed import FILE_NAME
from prunella.sdk.listening import Listener

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def document(*fixes):
    return {"installations": [{"fix": name} for name in fixes], "off": {}}


class Feed:
    """The server's feed: what it says now, and what happens to whoever wants it as a stream."""

    def __init__(self, on_stream):
        self.on_stream = on_stream
        self.says = document("fix-1")
        self.changed = threading.Condition()

    def __call__(self, asked, connection):
        content = json.dumps(self.says).encode()
        if asked.path.endswith("/feed/events"):
            return self.on_stream(self, connection)
        etag = f'"{len(content)}"'
        if asked.headers.get("if-none-match") == etag:
            return answer(304, ETag=etag)
        return answer(200, content, ETag=etag)

    def say(self, *fixes):
        with self.changed:
            self.says = document(*fixes)
            self.changed.notify_all()


def event(feed):
    return b"event: feed\ndata: " + json.dumps(feed.says).encode() + b"\n\n"


def refused(status):
    return lambda _feed, _connection: answer(status, b"no streams here")


def page_of_a_proxy(_feed, _connection):
    return answer(200, b"<!doctype html><title>Blocked</title>\n", Content_Type="text/html")


def cut_off(_feed, connection):
    """A stream that breaks in the middle of an event, and of a line."""
    connection.sendall(EVENTS + b': prunella\n\nevent: feed\ndata: {"installati')


def held_back(_feed, connection):
    """A proxy that collects the stream until it ends, which it never does."""
    connection.sendall(EVENTS)
    time.sleep(20)


def without_end(_feed, connection):
    """A line that goes on and on."""
    connection.sendall(EVENTS + b"data: ")
    while True:
        connection.sendall(b"x" * 65_536)


def good(feed, connection):
    connection.sendall(EVENTS + event(feed))
    while True:
        with feed.changed:
            feed.changed.wait(20)
            connection.sendall(event(feed))


@pytest.fixture
def hears(tmp_path, monkeypatch):
    """Return what starts a listener, and what it has heard."""
    monkeypatch.setattr(listening, "IDLE_S", 0.5)
    monkeypatch.setattr(listening, "POLL_S", 0.05)
    monkeypatch.setattr(listening, "_RETRY_S", (0.2, 0.4))
    monkeypatch.setattr(listening, "MAX_BYTES", 1_000_000)
    stop, threads, connections = threading.Event(), [], []

    def start(server):
        connections.append(Connection(parse(server.dsn)))
        listener = Listener(tmp_path, connections[-1], stop)
        threads.append(threading.Thread(target=listener.run))
        threads[-1].start()
        return heard

    def heard():
        path = tmp_path / FILE_NAME
        found = json.loads(path.read_bytes())["installations"] if path.exists() else []
        return [each["fix"] for each in found]

    yield start
    stop.set()
    for thread in threads:
        thread.join(30)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    "on_stream",
    [
        *(pytest.param(refused(status), id=str(status)) for status in (401, 404, 500, 503)),
        page_of_a_proxy,
        cut_off,
        held_back,
        without_end,
    ],
)
def test_where_the_stream_fails_fixes_are_asked_for(hears, on_stream):
    """Whatever keeps the stream back, a fix is heard of by polling, and so is the next."""
    feed = Feed(on_stream)
    with serving(feed) as server:
        heard = hears(server)
        until(lambda: heard() == ["fix-1"], what="the first fix")
        feed.say("fix-1", "fix-number-2")
        until(lambda: heard() == ["fix-1", "fix-number-2"], what="the next fix")
        polls = [asked for asked in server.asked if asked.path.endswith("/feed")]
        assert polls[0].headers["authorization"] == "Bearer secret-key"
        assert any("if-none-match" in asked.headers for asked in polls)
        streams = [asked for asked in server.asked if asked.path.endswith("/feed/events")]
        assert streams


def test_a_stream_that_comes_through_again_is_used_again(hears):
    """Polling is for the time being: the stream is tried again, and then nothing is asked for."""
    feed = Feed(refused(503))
    with serving(feed) as server:
        heard = hears(server)
        until(lambda: heard() == ["fix-1"], what="the first fix")
        feed.on_stream = good
        streams = len(server.asked)
        until(
            lambda: any(a.path.endswith("/events") for a in server.asked[streams:]), what="a retry"
        )
        asked = len(server.asked)
        feed.say("fix-1", "fix-by-stream")
        until(lambda: heard()[-1:] == ["fix-by-stream"], what="the next fix")
        assert not [a for a in server.asked[asked:] if a.path.endswith("/feed")]


# --- certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return what makes self-signed certificates: a server's context, and the file to trust."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl")
    folder = tmp_path_factory.mktemp("certificates")

    def make(name):
        key, certificate = folder / "key.pem", folder / f"{name.replace(':', '-')}.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=a server", "-addext", f"subjectAltName={name}"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context, certificate

    return {name: make(name) for name in ("IP:127.0.0.1", "DNS:other.example")}


def ask(server):
    connection = Connection(parse(server.dsn))
    try:
        return connection.request("GET", "feed", deadline_s=10).status
    finally:
        connection.close()


def test_a_server_that_nobody_vouches_for_is_told_nothing(certificates, monkeypatch):
    """With a certificate of its own making it gets no request, so no key; the reason is told."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    context, _ = certificates["IP:127.0.0.1"]
    with serving(Feed(good), tls=context) as server:
        with pytest.raises(NoAnswerError, match="its certificate isn't valid: self"):
            ask(server)
        connection = Connection(parse(server.dsn))
        with pytest.raises(NoAnswerError, match="its certificate isn't valid: self"):
            next(connection.lines("feed/events", idle_s=10, max_bytes=1_000))
        assert (server.came, server.asked) == (2, [])


def test_whom_the_environment_trusts_is_trusted(certificates, monkeypatch):
    """With SSL_CERT_FILE its requests come through: a company's own authority needs no more."""
    context, file = certificates["IP:127.0.0.1"]
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(Feed(good), tls=context) as server:
        assert ask(server) == 200
        assert server.asked[0].headers["authorization"] == "Bearer secret-key"


def test_a_certificate_of_another_name_is_refused(certificates, monkeypatch):
    """Trusted, but somebody else's: nothing is sent."""
    context, file = certificates["DNS:other.example"]
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(Feed(good), tls=context) as server:
        with pytest.raises(NoAnswerError, match="its certificate isn't valid: "):
            ask(server)
        assert (server.came, server.asked) == (1, [])


# --- proxies


@pytest.fixture
def behind(certificates, monkeypatch):
    """Return what asks a server by a name that only the proxy knows, as encrypted as it is."""
    context, file = certificates["DNS:other.example"]
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def ask_by(proxy_address, scheme="https"):
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy_address)
        dsn = f"{scheme}://secret-key@other.example:7/shop"
        connection = Connection(parse(dsn, plain_http=True))
        try:
            statuses = [connection.request("GET", "feed", deadline_s=10).status for _ in range(2)]
            stream = connection.lines("feed/events", idle_s=10, max_bytes=10_000)
            return [*statuses, next(stream)]
        finally:
            connection.close()

    return context, ask_by


def test_through_a_proxy_it_asks_through_a_tunnel(behind):
    """The proxy is told the server's name, and reads neither key nor request; streams work, too."""
    context, ask_by = behind
    with serving(Feed(good), tls=context) as server, proxying(server.port) as proxy:
        assert ask_by(f"http://127.0.0.1:{proxy.port}") == [200, 200, b"event: feed"]
        assert proxy.asked == ["CONNECT other.example:7 HTTP/1.1"] * 2
        assert b"secret-key" not in proxy.read
        assert b"shop" not in proxy.read
        assert server.asked[0].headers["authorization"] == "Bearer secret-key"
        assert not any("proxy" in name for asked in server.asked for name in asked.headers)


def test_without_encryption_the_proxy_passes_requests_on(behind):
    """It gets the whole address, as proxies want it, and the server's name stays what it is."""
    _, ask_by = behind
    with serving(Feed(good)) as server, proxying(server.port) as proxy:
        assert ask_by(f"http://127.0.0.1:{proxy.port}", "http") == [200, 200, b"event: feed"]
        assert proxy.asked[0] == "GET http://other.example:7/api/v1/projects/shop/feed HTTP/1.1"
        assert server.asked[0].path == "/api/v1/projects/shop/feed"
        assert server.asked[0].headers["host"] == "other.example:7"


def test_a_proxy_that_wants_a_password_gets_it(behind):
    """By the basic scheme; without the right one the reason is told, and the server not asked."""
    context, ask_by = behind
    with (
        serving(Feed(good), tls=context) as server,
        proxying(server.port, password="ana:p@ss") as proxy,  # noqa: S106 - of this test
    ):
        assert ask_by(f"http://ana:p%40ss@127.0.0.1:{proxy.port}") == [200, 200, b"event: feed"]
        came = server.came
        for address in (f"http://127.0.0.1:{proxy.port}", f"ana:wr0ng@127.0.0.1:{proxy.port}"):
            with pytest.raises(NoAnswerError, match="wants a name and a password") as refused:
                ask_by(address)
            assert "wr0ng" not in str(refused.value)
        assert server.came == came


def test_a_proxy_that_fails_is_told_from_the_server(behind):
    """That it refuses, isn't there or can't be used is said of the proxy; nobody goes around it."""
    context, ask_by = behind
    with serving(Feed(good), tls=context) as server:
        with (
            proxying(server.port, refuses=403) as proxy,
            pytest.raises(
                NoAnswerError, match=rf"proxy 127.0.0.1:{proxy.port} refuses: status 403"
            ),
        ):
            ask_by(f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(
            NoAnswerError, match=f"proxy 127.0.0.1:{proxy.port}: Connection refused"
        ):
            ask_by(f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(NoAnswerError, match="HTTPS_PROXY names no proxy that can be used"):
            ask_by("socks5://127.0.0.1:1")
        assert server.came == 0


def test_a_proxy_that_never_answers_takes_no_longer_than_the_deadline(behind, monkeypatch):
    """Opening the tunnel is within a request's time."""
    with black_hole() as address:
        monkeypatch.setenv("HTTPS_PROXY", address.removesuffix("/hole"))
        connection = Connection(parse("https://key@other.example/shop"))
        with pytest.raises(NoAnswerError, match="no answer in time"):
            connection.request("GET", "feed", deadline_s=0.2)


def test_a_program_reports_through_a_proxy(tmp_path, certificates):
    """With HTTPS_PROXY in its environment its failures come through, and nothing goes straight."""
    context, file = certificates["DNS:other.example"]
    keeping, feed = Keeping(), Feed(refused(404))

    def answering(asked, connection):
        return (keeping if "/spool/" in asked.path else feed)(asked, connection)

    with serving(answering, tls=context) as server, proxying(server.port) as proxy:
        environment = {
            "SSL_CERT_FILE": str(file),
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
        }
        dsn = "https://secret-key@other.example/shop"
        running = program(tmp_path / "app", PROGRAM.format(wait="input()"), dsn=dsn, **environment)
        until(lambda: b"KeyError" in b"".join(keeping.kept.values()), what="the failure")
        _, errors = running.communicate("\n", timeout=30)
        assert (running.returncode, errors) == (0, "")
        assert b"secret-key" not in proxy.read


PROGRAM = """
    import prunella

    @prunella.heal
    def fail(order):
        raise KeyError(order)

    try:
        fail("a")
    except KeyError:
        pass
    {wait}
"""


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_program_sends_its_records_to_whom_it_can_trust(tmp_path, certificates, is_trusted):
    """To a server without a valid certificate nothing goes out, and all is kept for later."""
    context, file = certificates["IP:127.0.0.1"]
    trusted = {"SSL_CERT_FILE": str(file)} if is_trusted else {}
    keeping, feed = Keeping(), Feed(refused(404))

    def answering(asked, connection):
        return (keeping if "/spool/" in asked.path else feed)(asked, connection)

    with serving(answering, tls=context) as server:
        text = PROGRAM.format(wait="input()")
        running = program(tmp_path / "app", text, dsn=server.dsn, **trusted)
        spool = tmp_path / "app" / ".prunella" / "spool"
        if is_trusted:
            until(lambda: b"KeyError" in b"".join(keeping.kept.values()), what="the failure")
        else:
            until(lambda: server.came >= 2, what="a try")
        _, errors = running.communicate("\n", timeout=30)
        assert (running.returncode, errors) == (0, "")
        assert bool(server.asked) == is_trusted
        kept = b"".join(path.read_bytes() for path in spool.iterdir())
        assert (b"KeyError" in kept) == (not is_trusted)
