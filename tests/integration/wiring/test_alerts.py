"""What people are told: once each, whoever decides and whatever happens on the way."""

import hmac
import json
import threading
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from builders import exception, incident, occurrence, process
from doubles.alert_server import alert_server, black_hole
from prunella.adapters.feed import FileFeed
from prunella.adapters.webhook import Webhook
from prunella.codec.plain import to_plain
from prunella.model.alerts import AlertKind, DeliveryState, Mute
from prunella.model.claims import Claim
from prunella.model.clock import now
from prunella.model.errors import ConfigurationError, NotDelivered, UnknownName
from prunella.model.ids import ClaimId, OccurrenceId, new_id
from prunella.model.incidents import IncidentStatus
from prunella.model.records import Repeat
from prunella.model.repair import Publication
from prunella.model.settings import Settings, load
from prunella.pipeline.alerts import decide_alerts
from prunella.pipeline.deliver import LEASE, deliver
from prunella.pipeline.rollouts import add, take
from prunella.ports import Triaged
from prunella.rollout import By, approve, roll_back
from prunella.wiring.alerts import Alerts
from prunella.wiring.approvals import Approvals
from stores import again

HOUR = timedelta(hours=1)
SETTINGS = Settings()
RETRY = {
    "fix_id": "fix-retry",
    "fix_type": "retry",
    "target": {"sites": ["weather:fetch"], "error_codes": ["NET.READ.TIMEOUT"]},
    "config": {"max_retries": 2},
}


def fail(store, number=1, *, fingerprint="f", at=None, site="shop.prices:average", **changes):
    """Let a function fail, and return the incident that it belongs to."""
    code = changes.pop("error_code", "CODE.MATH.ZERO_DIVISION")
    ignored_by = changes.pop("ignored_by", None)
    for _ in range(number):
        one = occurrence(
            occurrence_id=OccurrenceId(new_id("occ")),
            started_at=at or now(),
            site_id=site,
            group=fingerprint,
            **changes,
        )
        found = store.assign(
            one,
            Triaged(
                fingerprint=fingerprint,
                scheme="1",
                error_code=code,
                location=incident().location if site == "shop.prices:average" else None,
                ignored_by=ignored_by,
            ),
        )
    return found


def kinds(store, at=None):
    return [alert.kind.value for alert in decide_alerts(store, SETTINGS, at=at or now())]


class Place:
    """A place that takes alerts, or doesn't."""

    def __init__(self, name="place", error=None):
        self.name, self.error, self.got = name, error, []

    def send(self, alert):
        if self.error:
            raise self.error
        self.got.append(alert)


def test_fifty_identical_errors_make_one_alert(store):
    """However often it fails, a new incident is told once, to each place once."""
    place, other = Place(), Place("other")
    for _ in range(5):
        fail(store, 10)
        decide_alerts(store, SETTINGS, at=now())
        deliver(store, [place, other], now)
    assert [alert.kind for alert in place.got] == [AlertKind.NEW]
    assert other.got == place.got
    assert "division by zero" in place.got[0].body


def test_a_cure_is_told_where_the_failure_was(store):
    """The end of what people were told of is told once for each time, and of nothing else."""
    one, quiet = fail(store), fail(store, fingerprint="g")
    store.mute(Mute(what=quiet.site_id, until=now() + HOUR, by="ann", since=now()))
    assert kinds(store) == []
    store.unmute(quiet.site_id)
    one = fail(store, fingerprint="h")
    assert kinds(store) == ["new"]
    for back in (["regressed"], []):
        for item in (one, quiet):
            store.set_status(item.incident_id, IncidentStatus.CURED)
        assert kinds(store) == ["cured"]
        assert kinds(store) == []
        if back:
            fail(store, fingerprint="h", at=now() + timedelta(seconds=1))
        assert kinds(store) == back
    assert store.alerts(since=now() - HOUR)[-1].subject == one.incident_id


def test_a_cure_is_told_beyond_the_hours_limit(store):
    """Whoever was told of a failure is told of its end, and what was folded stays folded."""
    settings = Settings(alerts_per_hour=1)
    found = [fail(store, fingerprint=name) for name in "abc"]
    decide_alerts(store, settings, at=now())
    for item in found:
        store.set_status(item.incident_id, IncidentStatus.CURED)
    told = decide_alerts(store, settings, at=now())
    assert [alert.kind for alert in told] == [AlertKind.CURED]


def test_ignored_errors_never_alert(store):
    """What is ignored is not told: not when it comes, and not where it was ignored since."""
    fail(store, ignored_by="ZeroDivisionError")
    assert kinds(store) == []
    later = fail(store, fingerprint="g")
    assert kinds(store) == ["new"]
    store.set_status(later.incident_id, IncidentStatus.IGNORED, ignored_by="a person")
    place = Place()
    deliver(store, [place], now)
    assert place.got == []


def test_a_regression_is_told_with_its_release(store):
    """The release of the program that fails again is in the text, not that of the first failure."""
    triaged = Triaged(fingerprint="f", scheme="1", error_code="", location=None, ignored_by=None)
    for release, at in (("1.0", now()), ("2.0", now() + timedelta(minutes=1))):
        began = process(process_id=f"proc_{release}", release=release)
        failure = occurrence(
            occurrence_id=f"occ_{release}", process_id=f"proc_{release}", started_at=at
        )
        store.ingest([began, failure], spool_name=release, end_offset=1)
        found = store.assign(failure, triaged)
        if release == "1.0":
            store.set_status(found.incident_id, IncidentStatus.CURED)
    [told] = decide_alerts(store, SETTINGS, at=now())
    assert told.kind is AlertKind.REGRESSED
    assert "It fails again in release 2.0." in told.body


def test_a_regression_is_told_each_time(store):
    """Cured and failing again is told, once each time that it happens; repeats count too."""
    found = fail(store)
    assert kinds(store) == ["new"]
    for _ in range(2):
        store.set_status(found.incident_id, IncidentStatus.CURED)
        assert kinds(store) == ["cured"]
        fail(store, at=now() + timedelta(seconds=1))
        assert kinds(store) == ["regressed"]
        assert kinds(store) == []
    store.set_status(found.incident_id, IncidentStatus.CURED)
    again = Repeat(
        process_id="proc_1",
        group="f",
        site_id="shop.prices:average",
        at=now() + timedelta(seconds=2),
        count=3,
    )
    store.ingest([again], spool_name="s", end_offset=1)
    assert kinds(store) == ["regressed"]


def test_a_spike_is_told_once(store):
    """Many more failures than in the hours before are a spike; a steady rate and a burst as before aren't."""
    at = now()
    for hours in range(10, 0, -1):
        fail(store, 2, at=at - hours * HOUR)
        fail(store, 2, at=at - hours * HOUR, fingerprint="steady")
        fail(store, 2, at=at - hours * HOUR, fingerprint="bursts")
    fail(store, 60, at=at - 5 * HOUR, fingerprint="bursts")
    decide_alerts(store, SETTINGS, at=at)
    fail(store, 40, at=at)
    fail(store, 2, at=at, fingerprint="steady")
    fail(store, 30, at=at, fingerprint="bursts")
    assert kinds(store) == ["spike"]
    assert kinds(store, at + timedelta(minutes=11)) == []


def test_fixes_are_told_of(store):
    """A fix that waits, and one that was rolled back, are told once each."""
    feed = type("Nobody", (), {"publish": lambda self, store: True})()
    by = By(actor="a", at=now())
    add(store, feed, RETRY, by)
    assert kinds(store) == ["awaiting_approval"]
    take(store, feed, "fix-retry", approve, by)
    assert kinds(store) == []
    take(store, feed, "fix-retry", roll_back, by)
    assert kinds(store) == ["fix_rolled_back"]
    assert kinds(store) == []


def test_a_pull_request_is_told_with_its_address(store):
    """A published patch is told once, with where it is to be seen."""
    from builders import candidate

    found = fail(store)
    decide_alerts(store, SETTINGS, at=now())
    one = candidate(incident_id=found.incident_id)
    store.save_candidates([one])
    store.save_publication(
        Publication(
            candidate_id=one.candidate_id,
            branch="prunella/fix-average-1",
            commit="0" * 40,
            url="https://example.org/pull/1",
            published_at=now(),
        )
    )
    claim = Claim(
        claim_id=ClaimId("clm_1"),
        incident_id=found.incident_id,
        function="shop.prices:average",
        actor="a",
        started_at=now(),
        lease_until=now() + HOUR,
    )
    store.claim(claim, cooldown=timedelta(0))
    store.keep_claim(replace(claim, ended_at=now(), outcome="published"))
    told = decide_alerts(store, SETTINGS, at=now())
    assert [(item.kind, item.link) for item in told] == [
        (AlertKind.PULL_REQUEST, "https://example.org/pull/1")
    ]
    assert kinds(store) == []


def test_an_hour_has_a_limit(store):
    """Beyond the limit nothing more is sent but one alert that says so; the others are kept."""
    for number in range(30):
        fail(store, fingerprint=str(number))
    told = decide_alerts(store, Settings(alerts_per_hour=5), at=now())
    assert [item.kind.value for item in told].count("new") == 5
    assert [item.kind.value for item in told].count("more") == 1
    states = [item.standing for item in Alerts(store, SETTINGS).list()]
    assert states.count("folded") == 25


@pytest.mark.parametrize(
    "what", ["shop.prices:average", "average", "CODE.MATH", "CODE.MATH.ZERO_DIVISION"]
)
def test_a_mute_covers_a_site_or_a_code(store, what):
    """What is due while its site or code is muted is never sent; the rest is."""
    alerts = Alerts(store, SETTINGS)
    alerts.mute(what, HOUR)
    fail(store)
    fail(store, fingerprint="g", site="shop.other:total", error_code="CODE.MATHS.OTHER")
    place = Place()
    decide_alerts(store, SETTINGS, at=now())
    deliver(store, [place], now)
    assert [alert.sites for alert in place.got] == [("shop.other:total",)]
    alerts.unmute(what)
    assert kinds(store) == []
    with pytest.raises(UnknownName, match="is not muted"):
        alerts.unmute(what)


def test_a_mute_ends(store):
    """A mute whose time is over mutes nothing."""
    at = now()
    store.mute(Mute(what="average", until=at - HOUR, by="a", since=at - 2 * HOUR))
    fail(store)
    assert kinds(store) == ["new"]


def test_a_place_that_is_down_is_tried_again(store):
    """A failed attempt is repeated after a wait that grows; after a day it is given up."""
    fail(store)
    decide_alerts(store, SETTINGS, at=now())
    at = now()
    place = Place(error=NotDelivered("down"))
    waits = []
    for _ in range(4):
        deliver(store, [place], lambda at=at: at)
        (delivery,) = store.deliveries(since=at - 2 * 24 * HOUR)
        waits.append((delivery.due_at - at).total_seconds())
        assert deliver(store, [place], lambda at=at: at).failed == ()  # not due
        at = delivery.due_at
    assert waits == [30, 60, 120, 240]
    at += timedelta(hours=23, minutes=50)
    deliver(store, [place], lambda: at)
    assert store.deliveries(since=at - 48 * HOUR)[0].state is DeliveryState.GIVEN_UP
    place.error = None
    deliver(store, [place], lambda: at + HOUR)
    assert place.got == []


def test_one_place_that_is_down_keeps_no_other_from_it(store):
    """Each place has its own way; a failure that is for good isn't repeated."""
    fail(store)
    decide_alerts(store, SETTINGS, at=now())
    good, bad = Place("good"), Place("bad", NotDelivered("gone", is_final=True))
    report = deliver(store, [bad, good], now)
    assert (report.sent, report.failed) == (1, (("bad", "gone"),))
    assert len(good.got) == 1
    later = now() + 2 * HOUR
    assert deliver(store, [bad, good], lambda: later).failed == ()


def test_a_sender_that_dies_leaves_the_alert_to_others(store):
    """An alert in the hands of a sender goes to nobody else, until its lease ends."""
    fail(store)
    decide_alerts(store, SETTINGS, at=now())
    at = now()
    assert store.take_alert("place", at=at, since=at - HOUR, lease=LEASE) is not None
    place = Place()
    deliver(store, [place], lambda: at)
    assert place.got == []
    deliver(store, [place], lambda: at + LEASE)
    assert len(place.got) == 1


def test_many_senders_tell_once(store):
    """Bots that decide and send at the same moment tell everything once."""
    for number in range(5):
        fail(store, fingerprint=str(number))
    place, gate = Place(), threading.Barrier(4)

    def run():
        mine = again(store)
        gate.wait()
        decide_alerts(mine, SETTINGS, at=now())
        deliver(mine, [place], now)
        mine.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(place.got) == 5
    assert len({alert.alert_id for alert in place.got}) == 5


def test_a_post_is_signed(store):
    """A post carries an HMAC-SHA256 over timestamp and body, and the alert's id."""
    fail(store, exception=exception(message="x" * 10_000))
    with alert_server() as posted:
        alerts = Alerts(
            store,
            Settings(alert_webhook=f"{posted.address}/hook?token=t0", alert_secret="s3cret"),  # noqa: S106 - of this test
        )
        assert alerts.send().sent == 1
    ((path, headers, body),) = posted.posts
    signed = headers["Prunella-Timestamp"].encode() + b"." + body
    wanted = hmac.new(b"s3cret", signed, sha256).hexdigest()
    assert headers["Prunella-Signature"] == f"sha256={wanted}"
    told = json.loads(body)
    assert (path, headers["Prunella-Alert"]) == ("/hook?token=t0", told["alert_id"])
    assert told["kind"] == "new"
    assert len(body) < 3000


def test_a_webhook_says_what_is_wrong_without_its_address():
    """Refusals are final, failing servers aren't, and no message holds the address."""
    one = decided()
    with alert_server() as posted:
        hook = Webhook(f"{posted.address}/t0ken", "")
        for status, is_final in ((404, True), (500, False), (429, False)):
            posted.answers[:] = [status]
            with pytest.raises(NotDelivered, match=str(status)) as refused:
                hook.send(one)
            assert refused.value.is_final is is_final
            assert "t0ken" not in str(refused.value)
    with pytest.raises(NotDelivered, match="could not be reached") as refused:
        hook.send(one)
    assert "127.0.0.1" not in str(refused.value)
    with black_hole() as address, pytest.raises(NotDelivered, match="could not be reached"):
        Webhook(address, "", timeout_s=0.1).send(one)
    for address in ("ftp://x/t0ken", "http://", "http://a:b/t0ken", "t0ken"):
        with pytest.raises(ConfigurationError) as refused:
            Webhook(address, "")
        assert "t0ken" not in str(refused.value)


def decided():
    from prunella.model.alerts import Alert
    from prunella.pipeline.alerts import alert_id

    return Alert(
        alert_id=alert_id(AlertKind.TEST, 1),
        kind=AlertKind.TEST,
        subject="",
        title="t",
        body="b",
        decided_at=now(),
    )


def test_addresses_are_taken_from_the_environment_alone(tmp_path):
    """A secret in a committed file is refused; nothing that prints settings shows it."""
    (tmp_path / "pyproject.toml").write_text('[tool.prunella]\nalert_webhook = "http://x/t0ken"\n')
    with pytest.raises(ConfigurationError, match="PRUNELLA_ALERT_WEBHOOK") as refused:
        load(tmp_path, environ={})
    assert "t0ken" not in str(refused.value)
    (tmp_path / "pyproject.toml").unlink()
    loaded = load(tmp_path, environ={"PRUNELLA_ALERT_WEBHOOK": "http://x/t0ken"})
    assert loaded.settings.alert_webhook == "http://x/t0ken"
    assert "t0ken" not in repr(loaded)


def test_offline_sends_nothing(store):
    """With `offline` there is no place at all."""
    fail(store)
    with alert_server() as posted:
        alerts = Alerts(store, Settings(alert_webhook=posted.address, offline=True))
        assert alerts.send().sent == 0
        with pytest.raises(ConfigurationError, match="nowhere"):
            alerts.test()
    assert posted.posts == []


ADDRESSED = Settings(server_url="https://prunella.example")


def sent_with_links(store, folder, settings=ADDRESSED):
    """Return what a place gets of all that is due, with the links that the settings allow."""
    with alert_server() as posted:
        settings = replace(settings, alert_webhook=posted.address)
        approvals = Approvals(store, FileFeed(folder), folder, settings=settings)
        Alerts(store, settings, approvals).send()
    return [json.loads(body) for _, _, body in posted.posts]


def test_an_alert_leads_to_its_page(store, tmp_path):
    """Where the server's address is set, alerts of incidents and fixes lead to their pages."""
    failed = fail(store)
    add(store, FileFeed(tmp_path), RETRY, By(actor="ada", at=now()))
    posts = {post["kind"]: post for post in sent_with_links(store, tmp_path)}
    page = f"https://prunella.example/p/local/incidents/{failed.incident_id}"
    assert (posts["new"]["page"], posts["new"]["approval"]) == (page, "")
    fix = "https://prunella.example/p/local/fixes/fix-retry"
    assert posts["awaiting_approval"]["page"] == fix


def test_without_the_servers_address_an_alert_has_no_links(store, tmp_path):
    """Nothing is guessed, and no approval is given away."""
    fail(store)
    add(store, FileFeed(tmp_path), RETRY, By(actor="ada", at=now()))
    posts = sent_with_links(store, tmp_path, SETTINGS)
    assert {(post["page"], post["approval"]) for post in posts} == {("", "")}
    assert "approval.link_made" not in [entry.action for entry in store.audit()]


def test_what_waits_is_approved_by_the_alert(store, tmp_path):
    """The link of an alert approves the fix, once, for three days; no list of alerts has it."""
    rollout = add(store, FileFeed(tmp_path), RETRY, By(actor="ada", at=now()))
    decide_alerts(store, ADDRESSED, at=now())
    [told] = store.alerts(since=now() - HOUR)
    approvals = Approvals(store, FileFeed(tmp_path), tmp_path, settings=ADDRESSED)
    first, again = approvals.told(told, rollout), approvals.told(told, rollout)
    [post] = sent_with_links(store, tmp_path)
    assert first == again == post["approval"]
    token = first.removeprefix("https://prunella.example/approve/local/")
    assert token not in json.dumps([to_plain(each) for each in store.alerts(since=now() - HOUR)])
    history = [entry.action for entry in store.audit(subject=rollout.rollout_id)]
    assert history.count("approval.link_made") == 1
    after = approvals.redeem(token, who="grace")
    assert (
        store.audit(subject=rollout.rollout_id)[-1].reason
        == "approved by a link that an alert made"
    )
    assert approvals.told(told, after) == ""
    early = replace(told, decided_at=now() - timedelta(days=3))
    assert approvals.told(early, rollout) == ""


def test_an_alert_is_told_although_no_link_can_be_made(store, tmp_path):
    """Where the secret can't be used the alert leads to the page, which has a button."""
    (tmp_path / "secret").write_text("?")
    add(store, FileFeed(tmp_path), RETRY, By(actor="ada", at=now()))
    [post] = sent_with_links(store, tmp_path)
    assert (post["kind"], post["approval"]) == ("awaiting_approval", "")
    assert post["page"].endswith("/fixes/fix-retry")
