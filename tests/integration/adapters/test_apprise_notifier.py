"""Alerts through Apprise: they arrive harmless, and nothing tells where they went."""

import json
import logging
from dataclasses import replace
from urllib.parse import unquote

import pytest

from builders import AT
from doubles.alert_server import alert_server
from doubles.mail_server import mail_server
from prunella.adapters.apprise_notifier import AppriseNotifier, neutral
from prunella.model.alerts import Alert, AlertKind
from prunella.model.errors import ConfigurationError, NotDelivered
from prunella.pipeline.alerts import alert_id

# Apprise imports it while it looks for its plugins.
pytestmark = pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")

ALERT = Alert(
    alert_id=alert_id(AlertKind.NEW, "inc_1"),
    kind=AlertKind.NEW,
    subject="inc_1",
    title="shop.prices:load_all fails: <!channel>",
    body="@everyone [win](http://evil) `x` *b* <script>",
    link="https://example.org/pull/1",
    decided_at=AT,
)


def test_an_alert_arrives(caplog):
    """Title, body and address are in the post; nothing that is logged names the place."""
    caplog.set_level(logging.DEBUG)
    with alert_server() as posted:
        place = AppriseNotifier(posted.address.replace("http", "json", 1) + "/t0ken", 1)
        place.send(ALERT)
        posted.answers[:] = [500]
        with pytest.raises(NotDelivered) as refused:
            place.send(ALERT)
    document = json.loads(posted.posts[0][2])
    assert "load_all" in document["title"]
    assert "https://example.org/pull/1" in document["message"]
    assert "http://evil" not in document["message"]
    assert "t0ken" not in caplog.text + str(refused.value) + place.name


def test_an_address_that_is_none_is_refused_without_it():
    """The message says which one, and keeps it to itself."""
    with pytest.raises(ConfigurationError, match="number 2") as refused:
        AppriseNotifier("nosuch://t0ken", 2)
    assert "t0ken" not in str(refused.value)


@pytest.mark.parametrize("mark", ["@everyone", "<!channel>", "`x`", "*x*", "[a](b)", "~x~", "|x|"])
def test_marks_mean_nothing_to_any_service(mark):
    """What is markup or a mention somewhere is text everywhere; names stay as they are."""
    assert not set("@<>`*[]~|") & set(neutral(mark))
    assert neutral("shop.load_all_orders") == "shop.load_all_orders"
    assert "\u202e" not in neutral("a\u202eb")
    assert neutral("# head\n- item").count("\u2060") == 4


#: URLs of chats as people write them, and what of them is a secret.
CHATS = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "teams": "workflows://prod.example.org/0123456789abcdef0123/c2lnbmF0dXJlLXNlY3JldA",
}
SECRETS = ("TIiajkdnlazkcOXrIdevi7FQ", "JHMHI8qBe7bk2ZwO5U711o3dV_js", "c2lnbmF0dXJlLXNlY3JldA")


@pytest.fixture
def posted(monkeypatch):
    """A server in the place of the services that Apprise posts to."""
    import requests
    from apprise.plugins import pagerduty
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.slack import NotifySlack

    with alert_server() as server:
        server.content = b"ok"  # as Slack says
        monkeypatch.setattr(NotifySlack, "webhook_url", f"{server.address}/slack")
        monkeypatch.setattr(NotifyDiscord, "notify_url", f"{server.address}/discord")
        regions = {region: f"{server.address}/{region}" for region in ("us", "eu")}
        monkeypatch.setattr(pagerduty, "PAGERDUTY_API_LOOKUP", regions)
        # Of Teams' workflows the host is the user's own, by TLS alone.
        post = requests.post
        here = f"{server.address}/teams"
        monkeypatch.setattr(
            requests,
            "post",
            lambda url, **options: post(
                url.replace("https://prod.example.org:443", here).replace(
                    "https://prod.example.org", here
                ),
                **options,
            ),
        )
        yield server


@pytest.mark.parametrize("chat", CHATS)
def test_chats_get_what_happened_and_nothing_else(posted, chat):
    """Slack, Discord and Teams are posted title, body and link; no markup, no part of the URL."""
    AppriseNotifier(CHATS[chat], 1).send(ALERT)
    ((path, _, body),) = posted.posts
    assert path.startswith(f"/{chat}/")
    words = " ".join(strings(json.loads(body)))
    assert "shop.prices:load_all fails" in words
    assert "https://example.org/pull/1" in words
    for harmful in ("@everyone", "<!channel>", "http://evil", "<script>", *SECRETS):
        assert harmful not in words


@pytest.mark.parametrize("chat", CHATS)
def test_links_of_prunella_stay_links(posted, chat):
    """What leads to the dashboard and to an approval can be followed as it stands in the message."""
    page = "https://prunella.example/p/local/fixes/fix_a_b"
    approval = "https://prunella.example/approve/local/a_b.c-d"
    AppriseNotifier(CHATS[chat], 1).send(replace(ALERT, page=page, approval=approval))
    words = unquote(" ".join(strings(json.loads(posted.posts[0][2]))))
    assert page in words
    assert f"Approve or decline: {approval}" in words


def test_in_markdown_links_have_no_marks(posted):
    """Where a service reads Markdown, an address has no character that it would take for a mark."""
    approval = "https://prunella.example/approve/local/a_b_c.d"
    AppriseNotifier(CHATS["teams"], 1).send(replace(ALERT, approval=approval))
    words = " ".join(strings(json.loads(posted.posts[0][2])))
    assert "https://prunella.example/approve/local/a%5Fb%5Fc.d" in words


def strings(document):
    if isinstance(document, str):
        yield document
    elif isinstance(document, (dict, list)):
        for item in document.values() if isinstance(document, dict) else document:
            yield from strings(item)


def test_mail_says_what_happened():
    """Subject and text tell what happened, with the link, and hold neither markup nor password."""
    with mail_server() as mailed:
        url = f"mailto://127.0.0.1:{mailed.port}?mode=insecure&from=a@example.org&to=b@example.org"
        AppriseNotifier(url, 1).send(ALERT)
    text = mailed.text()
    assert "load_all fails" in mailed.messages[0]["Subject"]
    assert "https://example.org/pull/1" in text
    assert "http://evil" not in text
    assert "<script>" not in text
    assert mailed.messages[0]["To"].endswith("b@example.org")


PAGER = "pagerduty://routing-key@api-key/shop"


def test_pagerduty_has_one_incident_for_one_incident(posted):
    """Whatever is told of an incident goes by its id, and its cure resolves it."""
    place = AppriseNotifier(PAGER, 1)
    again = replace(ALERT, kind=AlertKind.SPIKE, link="")
    cured = replace(ALERT, kind=AlertKind.CURED)
    other = replace(ALERT, subject="")
    for alert in (ALERT, again, cured, other):
        place.send(alert)
    first, second, third, fourth = (json.loads(body) for _, _, body in posted.posts)
    keys = [item["dedup_key"] for item in (first, second, third, fourth)]
    assert keys == ["inc_1", "inc_1", "inc_1", ALERT.alert_id]
    actions = [item["event_action"] for item in (first, second, third)]
    assert actions == ["trigger", "trigger", "resolve"]
    assert "shop.prices:load_all fails" in first["payload"]["summary"]
    assert first["links"] == [{"href": "https://example.org/pull/1"}]
    assert "api-key" not in json.dumps(first)


def test_pagerduty_takes_no_more_than_it_takes(posted):
    """A long alert is cut to what PagerDuty takes; it isn't refused, nor sent as several."""
    AppriseNotifier(PAGER, 1).send(replace(ALERT, body="x" * 3000))
    (post,) = posted.posts
    assert len(json.loads(post[2])["payload"]["summary"]) <= 1024


def test_a_key_of_the_users_own_stays(posted):
    """Where the URL names a key, everything is told by that one, and cures resolve nothing."""
    place = AppriseNotifier(f"{PAGER}?dedup=mine", 1)
    place.send(ALERT)
    place.send(replace(ALERT, kind=AlertKind.CURED))
    documents = [json.loads(body) for _, _, body in posted.posts]
    assert [item["dedup_key"] for item in documents] == ["mine", "mine"]
    assert [item["event_action"] for item in documents] == ["trigger", "trigger"]
