"""Shipping against servers that are slow, wrong or hostile: over real sockets."""

import json
import threading
import time

import pytest

from doubles.hostile_server import Keeping, answer, serving
from prunella.codec.wire import read_lines, write_record
from prunella.sdk import connection as connections
from prunella.sdk.connection import Connection, NoAnswerError
from prunella.sdk.counters import counters
from prunella.sdk.dsn import parse
from prunella.sdk.reporting_state import ReportState
from prunella.sdk.shipping import NotShippedError, Shipper, pending_bytes
from recorded import a_call, a_repeat, an_occurrence

NAME = "1700000000000000-7-aabbcc.jsonl"


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / ".prunella" / "spool"
    folder.mkdir(parents=True)
    return folder


def fill(spool, name=NAME, records=None):
    data = b"".join(write_record(r) for r in records or [an_occurrence(1), a_repeat(1)])
    (spool / name).write_bytes(data)
    return data


@pytest.fixture
def shipper():
    made = []

    def make(spool, server, **offsets):
        state = ReportState(place="x", sender="ab" * 16, offsets=dict(offsets))
        connection = Connection(parse(server.dsn), sender=state.sender)
        made.append(connection)
        return Shipper(spool, state, connection), state

    yield make
    for each in made:
        each.close()


def test_a_finished_file_is_shipped_whole_and_removed(spool, shipper):
    """Every byte of a file whose writer is gone arrives once; then the file is gone, too."""
    data = fill(spool)
    keeping = Keeping()
    with serving(keeping) as server:
        found, state = shipper(spool, server)
        assert found.ship() == len(data)
        assert found.ship() == 0
    assert keeping.kept[NAME] == data
    assert [asked.method for asked in server.asked] == ["POST", "DELETE"]
    assert (list(spool.iterdir()), state.offsets) == ([], {})


def test_a_file_is_shipped_in_pieces_of_whole_lines(spool, shipper, monkeypatch):
    """However small the pieces, they are whole lines and arrive in order."""
    data = fill(spool, records=[an_occurrence(n) for n in range(40)])
    keeping = Keeping()
    with serving(keeping) as server:
        found, _ = shipper(spool, server)
        found._chunk_bytes = 3_000
        monkeypatch.setattr("prunella.sdk.shipping.CHUNK_BYTES", 3_000)
        found.ship()
    assert keeping.kept[NAME] == data
    posts = [asked for asked in server.asked if asked.method == "POST"]
    assert len(posts) >= 10
    assert all(asked.lines.endswith(b"\n") for asked in posts)


def test_the_server_knows_how_far_it_is(spool, shipper):
    """A client that knows nothing, too little or too much goes on where the server is."""
    data = fill(spool, records=[an_occurrence(n) for n in range(5)])
    ends = [line.end_offset for line in read_lines(data)]
    for known in (0, ends[0], ends[3], len(data) + 99):
        fill(spool, records=[an_occurrence(n) for n in range(5)])
        keeping = Keeping()
        keeping.kept[NAME] = data[: ends[1]]
        with serving(keeping) as server:
            found, _ = shipper(spool, server, **{NAME: known})
            found.ship()
        assert keeping.kept[NAME] == data


def test_a_server_that_lost_what_it_had_gets_it_again(spool, shipper):
    """A server that was set back to a backup is sent what is still there."""
    data = fill(spool)
    keeping = Keeping()
    with serving(keeping) as server:
        found, _ = shipper(spool, server, **{NAME: len(data)})
        found.ship()  # all was shipped before: it only goes away
    assert keeping.kept == {}
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, b'{"offset": 99999999}', "claims"),
        (200, b'{"offset": 0}', "claims"),
        (200, b'{"offset": -1}', "isn't one of Prunella's"),
        (200, b'{"offset": true}', "isn't one of Prunella's"),
        (200, b"<html>hello", "isn't one of Prunella's"),
        (200, b"[" * 60_000, "isn't one of Prunella's"),
        (409, b'{"offset": 99999999}', "never sent"),
        (409, b'{"offset": 0}', "contradicts"),
        (410, b"gone", "isn't one of Prunella's"),
        (413, b"", "however small"),
        (301, b"", "redirects"),
        (307, b"", "redirects"),
        (401, b"", "refuses the key"),
        (403, b"", "refuses the key"),
        (404, b"", "no such project"),
        (500, b"", "status 500"),
    ],
)
def test_a_wrong_answer_loses_nothing(spool, shipper, status, body, problem):
    """Whatever a server answers that it shouldn't: the file stays, and the answer is told, not obeyed."""
    data = fill(spool)
    before = dict(counters)

    def answering(asked, _connection):
        return answer(status, body, Location="http://127.0.0.1:1/elsewhere")

    with serving(answering) as server:
        found, state = shipper(spool, server)
        with pytest.raises(NotShippedError, match=problem):
            found.ship()
    assert (spool / NAME).read_bytes() == data
    assert "secret-key" not in json.dumps([state.problem, state.place, dict(counters), before])
    assert len(server.asked) < 30


def endless(_asked, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")


def headers(_asked, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: " + b"x" * 1000 + b"\r\n")


def drip(_asked, connection):
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def silent(_asked, _connection):
    time.sleep(5)


def garbage(_asked, connection):
    connection.sendall(b"\x00\xff" * 1000 + b"\r\n\r\n")


def cut(_asked, connection):
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"offset"')


def continues(_asked, connection):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def test_answers_without_end_or_sense_are_given_up(spool, shipper, monkeypatch):
    """Garbage, an endless answer, headers without end, a byte now and then: none is waited for long."""
    monkeypatch.setattr("prunella.sdk.shipping.DEADLINE_S", 0.6)
    fill(spool)

    for hostile in (endless, headers, drip, silent, garbage, cut, continues):
        with serving(hostile) as server:
            found, _ = shipper(spool, server)
            done = threading.Event()

            def attempt(found=found, done=done):
                with pytest.raises(NotShippedError):
                    found.ship()
                done.set()

            threading.Thread(target=attempt, daemon=True).start()
            assert done.wait(10), hostile.__name__
        assert (spool / NAME).exists()


def test_a_server_that_takes_no_bytes_is_given_up(spool, monkeypatch):
    """A server that accepts a connection and reads nothing holds nobody up."""
    monkeypatch.setattr("prunella.sdk.shipping.DEADLINE_S", 0.5)
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    dsn = parse(f"http://k@127.0.0.1:{listener.getsockname()[1]}/shop")
    with pytest.raises(NoAnswerError, match="in time"):
        Connection(dsn).request("POST", "spool/x", body=bytes(64_000_000), deadline_s=0.5)
    listener.close()


def test_retry_after_is_respected_within_an_hour(spool, shipper):
    """What a server asks for is waited, as a number or as a date, and never longer than an hour."""
    fill(spool)
    for text, low, high in [
        ("17", 17, 17),
        ("999999", 3600, 3600),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 3600, 3600),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
    ]:
        with serving(lambda *_, text=text: answer(429, b"", Retry_After=text)) as server:
            found, _ = shipper(spool, server)
            with pytest.raises(NotShippedError) as caught:
                found.ship()
        assert caught.value.wait_s is not None
        assert low <= caught.value.wait_s <= high


def test_what_is_too_large_for_the_server_is_sent_in_smaller_pieces(spool, shipper):
    """A server with a small limit gets everything but the record that never fits, which is counted."""
    large = an_occurrence(99, inputs=["d", "values", "x" * 40_000])
    records = [*(a_call(n) for n in range(30)), large, an_occurrence(1)]
    data = fill(spool, records=records)
    large_line = write_record(large)
    keeping = Keeping()
    sizes = []

    def strict(asked, connection):
        if len(asked.lines) > 20_000:
            return answer(413)
        name = asked.path.split("/spool/")[1].partition("?")[0]
        lines = asked.lines
        if lines.startswith(b"gap "):
            size = int(lines[4:])
            sizes.append(size)
            keeping.kept[name] += data[asked.offset : asked.offset + size]
            return answer(200, json.dumps({"offset": asked.offset + size}).encode())
        return keeping(asked, connection)

    with serving(strict) as server:
        found, state = shipper(spool, server)
        found.ship()
    assert keeping.kept[NAME] == data
    assert (sizes, state.dropped) == ([len(large_line)], 1)
    assert list(spool.iterdir()) == []


def test_a_torn_end_is_passed_over_when_its_writer_is_gone(spool, shipper):
    """The half line that a dead process left doesn't hold up its file."""
    data = fill(spool)
    with (spool / NAME).open("ab") as file:
        file.write(b'0000 {"class"')
    told = []

    def answering(asked, _connection):
        if asked.method == "POST":
            told.append((asked.offset, asked.lines))
            size = len(asked.lines)
            if asked.lines.startswith(b"gap "):
                size = int(asked.lines[4:])
            return answer(200, json.dumps({"offset": asked.offset + size}).encode())
        return answer(204)

    with serving(answering) as server:
        found, _ = shipper(spool, server)
        found.ship()
    assert told == [(0, data), (len(data), b"gap 13\n")]
    assert list(spool.iterdir()) == []


def test_links_and_pipes_in_the_spool_are_left_alone(spool, shipper, tmp_path):
    """What others put into the folder isn't sent anywhere."""
    import os

    secret = tmp_path / "secret"
    secret.write_text("a secret\n")
    (spool / "1-1-aa.jsonl").symlink_to(secret)
    os.mkfifo(spool / "1-2-bb.jsonl")
    os.link(secret, spool / "1-3-cc.jsonl")
    keeping = Keeping()
    with serving(keeping) as server:
        found, state = shipper(spool, server)
        assert found.ship() == 0
    assert server.asked == []
    assert pending_bytes(spool, state) >= 0


def test_an_idle_connection_is_kept_for_a_while(spool, monkeypatch):
    """Requests in a row share a connection; one that the server closed meanwhile is made anew."""
    seen = []

    def answering(_asked, connection):
        seen.append(connection.fileno())
        return answer(200, b"{}")

    with serving(answering) as server:
        found = Connection(parse(server.dsn))
        assert found.request("GET", "feed").status == 200
        assert found.request("GET", "feed").status == 200
        assert len(set(seen)) == 1
        found._http.sock._sock.shutdown(2)
        assert found.request("GET", "feed").status == 200
        monkeypatch.setattr(connections, "_IDLE_S", 0.0)
        assert found.request("GET", "feed").status == 200
        found.close()
    assert server.asked[0].headers["authorization"] == "Bearer secret-key"
