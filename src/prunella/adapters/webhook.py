"""Alerts posted as JSON to an address of the project's own, signed so that it knows who posts.

The signature is HMAC-SHA256 over the timestamp, a dot and the body, with the key of the setting
``alert_secret``. Whoever receives compares it in constant time, and refuses timestamps that are more
than minutes old: a recorded post can't be sent again then. The id of the alert serves to recognise
one that arrives twice.
"""

import hmac
import json
from collections.abc import Mapping
from hashlib import blake2b, sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from prunella.codec.plain import to_plain
from prunella.model.alerts import Alert
from prunella.model.clock import now_us
from prunella.model.errors import ConfigurationError, NotDelivered
from prunella.sdk.proxies import Proxy, ProxyError, proxy_for

#: Longest wait for a connection and for the answer, each, in seconds.
TIMEOUT_S = 10.0
#: Answers that trying again may change: besides those of a failing server.
_TRANSIENT = frozenset({408, 409, 425, 429})


class Webhook:
    """Implements `prunella.ports.Notifier`."""

    def __init__(self, address: str, secret: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """Take an ``http`` or ``https`` address; raises `ConfigurationError` for anything else."""
        self._timeout_s = timeout_s
        self._secret = secret.encode()
        try:
            self._parts = urlsplit(address.strip())
            self._port = self._parts.port
        except ValueError:
            self._parts, self._port = urlsplit(""), None
        if self._parts.scheme not in {"http", "https"} or not self._parts.hostname:
            raise ConfigurationError(
                "alert_webhook is no http or https address; it is taken from the environment "
                "variable PRUNELLA_ALERT_WEBHOOK"
            )
        self._name = f"webhook {named(address)}"

    @property
    def name(self) -> str:
        return self._name

    def send(self, alert: Alert) -> None:
        body = json.dumps(to_plain(alert), separators=(",", ":")).encode()
        try:
            proxy = self._proxy()
        except ProxyError as error:
            raise NotDelivered(f"{self.name}: {error}") from None
        connection = self._connection(proxy)
        headers, path = self._headers(alert, body), self._path()
        if proxy is not None and self._parts.scheme == "http":  # a proxy reads it
            headers = {**headers, **proxy.headers}
            path = f"http://{self._parts.netloc.rpartition('@')[2]}{path}"
        try:
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            # Not `str(error)`: it may hold the address.
            raise NotDelivered(
                f"{self.name} could not be reached ({type(error).__name__}); check that "
                "alert_webhook is right and the server up"
            ) from None
        finally:
            connection.close()
        if not 200 <= status < 300:
            is_final = 300 <= status < 500 and status not in _TRANSIENT
            raise NotDelivered(
                f"{self.name} answered {status}; it has to answer 2xx", is_final=is_final
            )

    def _proxy(self) -> Proxy | None:
        scheme = self._parts.scheme
        port = self._port or (443 if scheme == "https" else 80)
        return proxy_for(scheme, str(self._parts.hostname), port)

    def _connection(self, proxy: Proxy | None) -> HTTPConnection:
        host, is_encrypted = str(self._parts.hostname), self._parts.scheme == "https"
        kind = HTTPSConnection if is_encrypted else HTTPConnection
        if proxy is None:
            return kind(host, self._port, timeout=self._timeout_s)
        connection = kind(proxy.host, proxy.port, timeout=self._timeout_s)
        if is_encrypted:
            connection.set_tunnel(host, self._port or 443, headers=proxy.headers)
        return connection

    def _path(self) -> str:
        path = self._parts.path or "/"
        return f"{path}?{self._parts.query}" if self._parts.query else path

    def _headers(self, alert: Alert, body: bytes) -> Mapping[str, str]:
        at_s = str(now_us() // 1_000_000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "prunella",
            "Prunella-Alert": alert.alert_id,
            "Prunella-Timestamp": at_s,
        }
        if self._secret:
            headers["Prunella-Signature"] = f"sha256={signature(self._secret, at_s, body)}"
        return headers


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the hex digits that a post with this body at this time is signed with."""
    return hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()


def named(secret_address: str) -> str:
    """Return eight hex digits that tell one address from another and say nothing about it."""
    return blake2b(secret_address.strip().encode(), digest_size=4).hexdigest()
