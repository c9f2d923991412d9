"""The address that a program reports to: ``https://KEY@host[:port][/path]/project``."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from prunella.model.errors import ConfigurationError

_PORTS = {"https": 443, "http": 80}
_KEY = re.compile(r"[A-Za-z0-9_.~+=-]{1,300}")
_PROJECT = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*")
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FORM = "it has the form https://KEY@host/project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsn:
    """A parsed DSN. The key is in no text of it."""

    is_encrypted: bool
    host: str
    port: int
    #: Path below which the server is, empty or beginning with ``/``.
    prefix: str
    project: str
    #: Empty where the server is on this machine and asks for none.
    key: str = field(repr=False)

    @property
    def place(self) -> str:
        """The project's address without the key."""
        scheme = "https" if self.is_encrypted else "http"
        port = "" if self.port == _PORTS[scheme] else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}{port}{self.prefix}/{self.project}"

    def path(self, rest: str) -> str:
        """Return the path of a request about the project."""
        return f"{self.prefix}/api/v1/projects/{self.project}/{rest}"


def parse(text: str, *, plain_http: bool = False) -> Dsn:
    """Read a DSN; raises `ConfigurationError`, whose message has nothing of the DSN's key in it.

    Without `plain_http`, ``http`` is refused but for this machine: the key and the records could be
    read on their way.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"the DSN is no address; {_FORM}") from None
    host = parts.hostname or ""
    prefix, _, project = parts.path.rstrip("/").rpartition("/")
    key = parts.username or ""
    if parts.scheme not in _PORTS or parts.query or parts.fragment or parts.password is not None:
        raise ConfigurationError(f"the DSN can't be used; {_FORM}, and nothing else")
    if not _HOST.fullmatch(host) or not _PREFIX.fullmatch(prefix):
        raise ConfigurationError(f"the DSN names no host that can be reached; {_FORM}")
    if not _PROJECT.fullmatch(project):
        raise ConfigurationError(
            f"the DSN names no project; {_FORM}, a project's name being of a-z, 0-9, _ and -"
        )
    is_encrypted, is_here = parts.scheme == "https", host in _LOOPBACK
    if not _KEY.fullmatch(key) and (key or not is_here):
        raise ConfigurationError(
            f"the DSN has no project key, or one with impossible characters; {_FORM}"
        )
    if not (is_encrypted or is_here or plain_http):
        raise ConfigurationError(
            f"the DSN reports to {host} without encryption: use https, or set "
            "PRUNELLA_DSN_PLAIN_HTTP=1 where everyone on the way may read the key and the records"
        )
    return Dsn(
        is_encrypted=is_encrypted,
        host=host,
        port=port or _PORTS[parts.scheme],
        prefix=prefix,
        project=project,
        key=key,
    )
