"""DSNs: what they name, and what of them is never said."""

import pytest

from prunella.model.errors import ConfigurationError
from prunella.sdk.dsn import parse


@pytest.mark.parametrize(
    ("text", "place", "path"),
    [
        ("https://KEY@host/shop", "https://host/shop", "/api/v1/projects/shop/feed"),
        ("https://KEY@host:8443/shop/", "https://host:8443/shop", "/api/v1/projects/shop/feed"),
        ("https://KEY@host/a/b/shop", "https://host/a/b/shop", "/a/b/api/v1/projects/shop/feed"),
        ("http://127.0.0.1:8787/local", "http://127.0.0.1:8787/local", None),
        ("http://KEY@[::1]:8787/local", "http://[::1]:8787/local", None),
    ],
)
def test_a_dsn_names_a_project_on_a_server(text, place, path):
    """Host, port, path and project come back in its place, the key doesn't."""
    found = parse(text)
    assert found.place == place
    if path is not None:
        assert found.path("feed") == path
    assert "KEY" not in f"{found!r}{found.place}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host/shop",
        "ftp://SECRET@host/shop",
        "https://host/shop",
        "https://SECRET@host",
        "https://SECRET@host/Shop",
        "https://SECRET@host/../shop",
        "https://SECRET:more@host/shop",
        "https://SECRET@host/shop?x=1",
        "https://SECRET@host/shop#x",
        "https://SECRET@host:99999/shop",
        "https://SECRET%0d%0aX@host/shop",
        "https://SECRET@ho st/shop",
        "http://SECRET@host/shop",
    ],
)
def test_what_is_no_dsn_is_refused_without_its_key(text):
    """The error says what a DSN looks like, and nothing of the key."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    assert "SECRET" not in str(caught.value)


def test_plain_http_takes_a_setting():
    """Without encryption, only this machine is reported to, unless somebody says otherwise."""
    assert parse("http://KEY@host/shop", plain_http=True).port == 80
