"""Alerts through Apprise: they arrive harmless, and nothing tells where they went."""

import json
import logging

import pytest

from builders import AT
from doubles.alert_server import alert_server
from prunella.adapters.apprise_notifier import AppriseNotifier, neutral
from prunella.model.alerts import Alert, AlertKind
from prunella.model.errors import ConfigurationError, NotDelivered
from prunella.pipeline.alerts import alert_id

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
