"""Which proxy the environment names for an address."""

import pytest

from prunella.sdk.proxies import Proxy, ProxyError, proxy_for

HTTPS = {"HTTPS_PROXY": "http://proxy.example:3128"}


def asked(environ, scheme="https", host="prunella.example", port=443):
    found = proxy_for(scheme, host, port, environ)
    return found and found.place


@pytest.mark.parametrize(
    ("environ", "scheme", "place"),
    [
        (HTTPS, "https", "proxy.example:3128"),
        (HTTPS, "http", None),
        ({"HTTP_PROXY": "proxy.example:1"}, "http", "proxy.example:1"),
        ({"HTTP_PROXY": "proxy.example:1", "REQUEST_METHOD": "GET"}, "http", None),
        ({"ALL_PROXY": "http://[::1]"}, "https", "[::1]:80"),
        ({**HTTPS, "https_proxy": "http://other:1"}, "https", "other:1"),
        ({**HTTPS, "https_proxy": ""}, "https", None),
        ({**HTTPS, "ALL_PROXY": "http://other:1"}, "https", "proxy.example:3128"),
        ({}, "https", None),
    ],
)
def test_the_environment_names_the_proxy(environ, scheme, place):
    """By scheme, lower case first, ALL_PROXY last; never by what a web server was asked with."""
    assert asked(environ, scheme) == place


@pytest.mark.parametrize(
    ("listed", "host", "straight"),
    [
        ("prunella.example", "prunella.example", True),
        ("example", "prunella.example", True),
        (".example", "Prunella.Example.", True),
        ("*.example", "prunella.example", True),
        ("ella.example", "prunella.example", False),
        ("*", "prunella.example", True),
        ("a, prunella.example:443", "prunella.example", True),
        ("prunella.example:8443", "prunella.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "prunella.example", False),
        ("[fd00::1]:443", "fd00::1", True),
        ("fd00::1", "fd00::1", True),
        ("", "localhost", True),
        ("", "127.0.0.1", True),
        (",", "prunella.example", False),
    ],
)
def test_some_hosts_are_reached_without(listed, host, straight):
    """Those of NO_PROXY with all below them, and this machine."""
    assert (asked({**HTTPS, "NO_PROXY": listed}, host=host) is None) is straight
    assert (asked({**HTTPS, "no_proxy": listed, "NO_PROXY": "*"}, host=host) is None) is straight


def test_a_password_is_shown_to_the_proxy_alone():
    """Name and password are unquoted into the header, and stand in no text."""
    found = proxy_for("https", "h", 443, {"https_proxy": "http://ana:p%40ss@proxy:1"})
    assert found == Proxy(host="proxy", port=1, authorization="Basic YW5hOnBAc3M=")
    assert found.headers == {"Proxy-Authorization": "Basic YW5hOnBAc3M="}
    assert "YW5h" not in repr(found)


@pytest.mark.parametrize("address", ["socks5://ana:s3cret@h:1", "https://h", "http://", "h:port"])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(address):
    """Rather than going around it; the variable is named, its value isn't."""
    with pytest.raises(ProxyError, match="ALL_PROXY names no proxy that can be used") as refused:
        proxy_for("https", "h", 443, {"ALL_PROXY": address})
    assert "s3cret" not in str(refused.value)
