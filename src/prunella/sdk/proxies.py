"""The proxy by which the world is reached, where the environment names one, as other programs read it.

``HTTPS_PROXY`` or ``HTTP_PROXY`` (or ``ALL_PROXY``) is its address, ``http://NAME:PASSWORD@HOST:PORT``;
``NO_PROXY`` lists hosts that are reached without: names with all below them, addresses, networks, each
with a port or without, or ``*``. In lower case each goes first. This machine is never asked for through
a proxy.
"""

import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORT = 80


class ProxyError(ValueError):
    """The environment names a proxy that can't be used, or it refuses; the text is our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy of HTTP. The password is in no text of it."""

    host: str
    port: int
    #: Value of the header ``Proxy-Authorization``; empty where the address has no name and password.
    authorization: str = field(repr=False)

    @property
    def place(self) -> str:
        return authority(self.host, self.port)

    @property
    def headers(self) -> dict[str, str]:
        """What a request to the proxy itself carries."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def proxy_for(
    scheme: str, host: str, port: int, environ: Mapping[str, str] = os.environ
) -> Proxy | None:
    """Return the proxy for requests to ``scheme://host:port``, ``None`` where they go straight.

    Raises `ProxyError` where the environment names one that can't be used.
    """
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable = next((each for each in (name, name.upper()) if each in environ), "")
        # A web server gives programs the header "Proxy" of a request, of anybody's, as HTTP_PROXY.
        if variable and not (variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
            address = environ[variable].strip()
            if not address or _is_left_out(host, port, environ):
                return None
            return _read(address, variable)
    return None


def _read(address: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme != "http" or not host:
        raise ProxyError(
            f"{variable} names no proxy that can be used: it has to be http://HOST:PORT"
        )
    said = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    basic = binascii.b2a_base64(said.encode(), newline=False).decode()
    return Proxy(
        host=host, port=port, authorization=f"Basic {basic}" if parts.username is not None else ""
    )


def _is_left_out(host: str, port: int, environ: Mapping[str, str]) -> bool:
    """Say whether a host is reached without a proxy."""
    host = host.lower().rstrip(".")
    if host in _LOOPBACK:
        return True
    listed = environ.get("no_proxy", environ.get("NO_PROXY", ""))
    return any(_covers(entry, host, port) for entry in listed.lower().split(","))


def _covers(entry: str, host: str, port: int) -> bool:
    entry = entry.strip()
    if entry == "*":
        return True
    if "/" in entry:
        return _is_in_network(host, entry)
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
        entry = name
    name = entry.strip("[]").removeprefix("*").lstrip(".").rstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _is_in_network(host: str, network: str) -> bool:
    import ipaddress  # seldom wanted, and programs pay for it

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def authority(host: str, port: int) -> str:
    """Return host and port as an address has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
