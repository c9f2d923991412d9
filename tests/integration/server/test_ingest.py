"""What programs post to the server: kept once, within bounds, whatever they send."""

import gzip
import json
import re
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from prunella.codec.wire import gap, write_record
from prunella.model.errors import StoreError
from prunella.server.ingest import straight as straight_way
from prunella.server.ingest import spools, telemetry
from prunella.server.ingest.bodies import unpack
from recorded import a_repeat, an_occurrence
from server_requests import sentry_envelope

PROJECT = "/api/v1/projects/local"
NAME = "1700000000000000-7-aabbcc.jsonl"
SENDER = {"X-Prunella-Sender": "ab" * 16}


def lines(*records):
    return b"".join(write_record(record) for record in records)


def post(client, content, offset=0, name=NAME, **headers):
    sent = gzip.compress(content)
    return client.post(
        f"{PROJECT}/spool/{name}?offset={offset}",
        content=sent,
        headers={**SENDER, "Content-Encoding": "gzip", **headers},
    )


def occurrences(workspaces):
    return workspaces.open("local").healer.store.health().rows["occurrence"]


def test_a_post_is_kept_once_however_often_it_comes(client, workspaces):
    """Duplicated and reordered posts are answered with where the file is, and keep nothing."""
    before = occurrences(workspaces)
    first, second = lines(an_occurrence(101), a_repeat(2)), lines(an_occurrence(102))
    assert post(client, second, len(first)).json() == {"offset": 0}
    assert post(client, first).json()["offset"] == len(first)
    again = post(client, first)
    assert (again.status_code, again.json()) == (409, {"offset": len(first)})
    assert post(client, second, len(first)).status_code == 200
    assert post(client, first).status_code == 409
    assert occurrences(workspaces) == before + 2


def test_a_removed_file_is_not_taken_again(client, workspaces):
    """A post that comes after its file was removed keeps nothing, also from its beginning."""
    content = lines(an_occurrence(101))
    assert client.delete(f"{PROJECT}/spool/{NAME}", headers=SENDER).status_code == 204
    assert post(client, content).status_code == 200
    assert client.delete(f"{PROJECT}/spool/{NAME}", headers=SENDER).status_code == 204
    late = post(client, content)
    assert (late.status_code, late.json()) == (410, {"removed": 1})


def test_programs_can_not_write_into_the_files_of_others(client):
    """The same name from another sender is another file."""
    content = lines(an_occurrence(101))
    assert post(client, content).status_code == 200
    other = {"X-Prunella-Sender": "cd" * 16}
    assert post(client, lines(an_occurrence(102)), **other).status_code == 200


def test_gaps_and_torn_lines_keep_the_place_of_what_follows(client, workspaces):
    """What was left out or damaged moves the offset on; the records behind it are kept."""
    before = occurrences(workspaces)
    content = gap(500) + b"00000000 torn\n" + lines(an_occurrence(101))
    answer = post(client, content)
    assert answer.json() == {
        "offset": 500 + len(content) - len(gap(500)),
        "unreadable": 1,
    }
    assert occurrences(workspaces) == before + 1


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("spool/..%2Fx.jsonl?offset=0", SENDER, 404),
        ("spool/x.jsonl?offset=0", SENDER, 400),
        (f"spool/{NAME}?offset=-1", SENDER, 400),
        (f"spool/{NAME}?offset={'9' * 30}", SENDER, 400),
        (f"spool/{NAME}?offset=0", {}, 400),
        (f"spool/{NAME}?offset=0", {"X-Prunella-Sender": "'; DROP"}, 400),
        (f"spool/{NAME}?offset=0", {**SENDER, "Content-Encoding": "gzip"}, 400),
        (f"spool/{NAME}?offset=0", {**SENDER, "Content-Encoding": "zip"}, 415),
        (f"spool/{NAME}?offset=0", SENDER, 400),
    ],
)
def test_what_is_no_post_is_refused(client, path, headers, status):
    """A wrong name, offset, sender, encoding or half a line is the client's fault, and said so."""
    answer = client.post(f"{PROJECT}/{path}", content=b"no line break", headers=headers)
    assert answer.status_code == status


def test_bodies_are_bounded_as_sent_and_unpacked(client):
    """Neither a large body nor one that unpacks to a large one is taken, nor too many lines."""
    url = f"{PROJECT}/spool/{NAME}?offset=0"
    large = bytes(spools.MAX_SENT_BYTES + 1)
    assert client.post(url, content=large, headers=SENDER).status_code == 413
    chunked = client.post(url, content=iter([large[:1000], large]), headers=SENDER)
    assert chunked.status_code == 413
    bomb = zlib.compress(bytes(200 * 1024 * 1024), 9)
    packed = {**SENDER, "Content-Encoding": "deflate"}
    assert client.post(url, content=bomb, headers=packed).status_code == 413
    assert post(client, b"\n" * 60_000).status_code == 413


def test_brotli_is_unpacked_within_the_same_bound():
    """A body packed by brotli is taken where the library is there, and never beyond the bound."""
    brotli = pytest.importorskip("brotli")
    assert unpack(brotli.compress(b"x" * 5000), "br", max_bytes=5000) == b"x" * 5000
    for body in (brotli.compress(b"x" * 5001), brotli.compress(bytes(50_000_000))):
        with pytest.raises(Exception, match="larger"):
            unpack(body, "br", max_bytes=5000)
    for body in (brotli.compress(b"x" * 5000)[:-3], b"\xff" * 100):
        with pytest.raises(Exception, match="compressed"):
            unpack(body, "br", max_bytes=5000)


def test_deep_and_strange_records_are_counted_not_kept(client, workspaces):
    """Nesting without end, other types and huge numbers neither break the server nor the store."""
    from prunella.codec.wire import frame

    deep = b"[" * 100_000 + b"]" * 100_000
    strange = [
        b'{"class":"occurrence","inputs":' + deep + b"}",
        b'{"class":"occurrence"}',
        b'{"class":"process","pid":' + b"9" * 5000 + b"}",
        b'{"class":"__class__"}',
        b"null",
        b'{"class":"repeat","process_id":"p","group":"g","site_id":"s","at":0,"count":-5}',
    ]
    answer = post(client, b"".join(frame(each) for each in strange) + lines(an_occurrence(101)))
    assert answer.status_code == 200
    assert answer.json()["unreadable"] == 5


def test_the_feed_is_told_once_until_it_changes(client, workspaces):
    """Who has the document already gets 304; a change has another name."""
    first = client.get(f"{PROJECT}/feed")
    assert first.json() == {
        "installations": [],
        "off": {"all": False, "fixes": [], "sdk": False},
    }
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get(f"{PROJECT}/feed", headers=known).status_code == 304
    workspaces.open("local").healer.fixes.approve("fix-averages")
    second = client.get(f"{PROJECT}/feed", headers=known)
    assert [each["mode"] for each in second.json()["installations"]] == ["enforce"]


def test_another_project_is_not_there(client):
    """Programs reach no project but their key's."""
    for method, path in (
        ("POST", f"spool/{NAME}?offset=0"),
        ("GET", "feed"),
        ("GET", "feed/events"),
    ):
        url = f"/api/v1/projects/others/{path}"
        assert client.request(method, url, headers=SENDER).status_code == 404


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/v1/traces", "application/x-protobuf", b"", 200),
        ("/v1/traces", "application/x-protobuf", b"\xff\xff\xff", 400),
        ("/v1/logs", "application/x-protobuf", b"\x0a\xff\xff\xff\xff\x0f", 400),
        ("/v1/traces", "application/json", b"{}", 200),
        ("/v1/traces", "application/json", b"[1, 2]", 200),
        ("/v1/logs", "application/json", b'{"resourceLogs": 7}', 200),
        ("/v1/traces", "application/json", b"[" * 200_000, 400),
        ("/v1/traces", "text/html", b"", 415),
        ("/api/1/envelope/", "application/x-sentry-envelope", b"", 400),
        ("/api/1/envelope/", "application/x-sentry-envelope", b"{}\n", 200),
        ("/api/1/envelope/", "application/x-sentry-envelope", b"{}\n" + b"{}\n\n" * 2000, 400),
        ("/api/1/envelope/", "application/x-sentry-envelope", b'{}\n{"length":-5}\n', 400),
        ("/api/1/envelope/", "application/x-sentry-envelope", b'{}\n{"length":1e9}\n{', 200),
        ("/api/1/envelope/", "application/x-sentry-envelope", b'{}\n{"length":999}\nab', 400),
        ("/api/1/envelope/", "application/x-sentry-envelope", b'{}\n{"type":"event"}\n7', 400),
        ("/api/1/store/", "application/json", b'{"exception": [7, {"type": []}]}', 200),
        ("/api/1/store/", "application/json", b"nonsense", 400),
    ],
)
def test_other_telemetry_never_breaks_the_server(client, path, kind, body, status):
    """What is no request of its protocol is refused, what says nothing of failures passed over."""
    answer = client.post(path, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_telemetry_is_bounded_like_posts(client):
    """A bomb in a Sentry envelope is never unpacked."""
    bomb = gzip.compress(bytes(telemetry.MAX_BYTES + 1))
    headers = {"Content-Encoding": "gzip"}
    assert client.post("/api/1/envelope/", content=bomb, headers=headers).status_code == 413


def test_a_report_that_is_sent_again_counts_once(client, workspaces):
    """The same events and spans twice are one failure; different ones are counted, few kept whole."""
    before = occurrences(workspaces)
    for number in (1, 1, *range(1, 101)):
        sent = sentry_envelope(number)
        assert client.post("/api/1/envelope/", content=sent).status_code == 200
    healer = workspaces.open("local").healer
    healer.settle()
    (found,) = [each for each in healer.store.incidents() if each.site_id == "shop.jobs:run"]
    assert found.count == 100
    assert occurrences(workspaces) == before + 7


def test_old_clients_of_sentry_are_heard(client, workspaces):
    """An event posted to store/, as clients did before envelopes, is an occurrence, too."""
    event = json.loads(sentry_envelope(1).splitlines()[2])
    answer = client.post("/api/7/store/", json=event)
    assert answer.json() == {"id": event["event_id"]}
    found = workspaces.open("local").healer.store.incidents()
    assert "shop.jobs:run" in {each.site_id for each in found}


@pytest.mark.parametrize("room", ["_left", "_left_bytes"])
def test_a_busy_server_sends_clients_away_at_once(client, room):
    """Where too many requests are in, or too much, the next is asked to come back, and comes in later."""
    content = lines(an_occurrence(101))
    client.get(f"{PROJECT}/feed")
    receiving = client.app.state.receiving
    left = getattr(receiving, room)
    setattr(receiving, room, 0)
    for answer in (post(client, content), client.post("/api/1/envelope/", content=b"{}\n")):
        assert answer.status_code == 503
    setattr(receiving, room, left)
    assert post(client, content).status_code == 200
    assert getattr(receiving, room) == left


def test_those_that_are_sent_away_come_back_one_after_the_other(client):
    """Clients that all have to come again are told different moments."""
    client.get(f"{PROJECT}/feed")
    client.app.state.receiving._left = 0
    waits = {post(client, b"").headers["retry-after"] for _ in range(40)}
    assert len(waits) > 3
    assert all(0 < int(wait) < 60 for wait in waits)


def test_posts_that_come_at_once_are_all_answered_each_with_its_own(client, workspaces):
    """However many wait, each is kept and answered: the good, the bad, the repeated, the late."""
    good = lines(an_occurrence(101), a_repeat(2))
    before = occurrences(workspaces)

    def send(number):
        name = f"17{number:014}-7-aa.jsonl"
        match number % 4:
            case 0:
                return post(client, lines(an_occurrence(1_000 + number)), name=name)
            case 1:
                return client.post(f"{PROJECT}/spool/{name}", content=b"no lines", headers=SENDER)
            case 2:
                return post(client, good, offset=7, name=name)
            case _:
                packed = {**SENDER, "Content-Encoding": "gzip"}
                return client.post(f"{PROJECT}/spool/{name}", content=b"no gzip", headers=packed)

    with client, ThreadPoolExecutor(16) as pool:  # one event loop for all
        found = [answer.status_code for answer in pool.map(send, range(80))]
    assert found == [200, 400, 409, 400] * 20
    assert occurrences(workspaces) == before + 20


def test_where_the_store_can_take_nothing_all_are_asked_to_come_again(
    client, workspaces, monkeypatch
):
    """A store that fails is answered with 503, and what comes when it works again is kept."""
    programs = workspaces.open("local").healer.programs

    def fail():
        raise StoreError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(programs, "_store", fail)
        answer = post(client, lines(an_occurrence(101)))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert post(client, lines(an_occurrence(101))).status_code == 200


@pytest.mark.parametrize(
    ("project", "name", "sender", "status"),
    [
        ("local", NAME, SENDER, 200),
        ("local", "x.jsonl", SENDER, 400),
        ("local", NAME, {}, 400),
        ("others", NAME, SENDER, 404),
    ],
)
def test_the_straight_way_answers_as_the_route_does(client, project, name, sender, status):
    """A path that only the route reads is answered alike: status, headers and kind of body."""
    url, content = f"/api/v1/projects/{project}/spool/{name}", lines(a_repeat(2))
    straight = client.post(f"{url}?offset=0", content=content, headers=sender)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(straight_way, "_POST", re.compile("nothing"))
        other = {**sender, "X-Prunella-Sender": "cd" * 16} if sender else {}
        routed = client.post(f"{url}?offset=0", content=content, headers=other)
    assert (straight.status_code, routed.status_code) == (status, status)
    assert straight.headers == routed.headers
    assert straight.json() == routed.json()
