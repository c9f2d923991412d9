"""Which repository on which host a project is, by its git remote, environment and settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from prunella.model.errors import ConfigurationError
from prunella.model.settings import Settings

#: ``git@host:owner/name.git``
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]+):(?P<path>[^:].*)")
_PROJECT = re.compile(r"[\w.~-]+(?:/[\w.~-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of code host, and how its users name things."""

    name: str
    #: Environment variables with the token, and with ``owner/name``; the first that is set counts.
    tokens: tuple[str, ...]
    projects: tuple[str, ...]
    #: Hosts that are known to be of this kind: a token is sent to no other unless the settings say so.
    known: tuple[str, ...]
    #: Path of the API below the host.
    api: str


KINDS = (
    Kind(
        name="github",
        tokens=("GITHUB_TOKEN",),
        projects=("GITHUB_REPO_NAME", "GITHUB_REPOSITORY"),
        known=("github.com",),
        api="/api/v3",
    ),
    Kind(
        name="gitlab",
        tokens=("GITLAB_TOKEN",),
        projects=("GITLAB_REPO_NAME", "CI_PROJECT_PATH"),
        known=("gitlab.com",),
        api="",
    ),
    Kind(
        name="gitea",
        tokens=("GITEA_TOKEN", "FORGEJO_TOKEN"),
        projects=("GITEA_REPO_NAME", "FORGEJO_REPO_NAME"),
        known=("codeberg.org", "gitea.com"),
        api="/api/v1",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository on a code host."""

    kind: str
    #: Address of the API, without a slash at its end.
    url: str
    #: ``owner/name``; with groups on GitLab.
    project: str
    token: str
    #: The environment variable that it came from.
    variable: str


def find_place(settings: Settings, remote: str | None, environ: Mapping[str, str]) -> Place | None:
    """Return where pull requests of a project go; ``None`` means into the local repository.

    `remote` is the address of the git remote. Raises `ConfigurationError` where the settings name a
    code host, and the token, the repository or the address for it is missing or unusable.
    """
    if settings.offline or settings.code_host == "local":
        return None
    host, path = split_remote(remote or "")
    if settings.code_host != "auto":
        kind = next(item for item in KINDS if item.name == settings.code_host)
        return _place(kind, settings, host, path, environ)
    for kind in KINDS:
        told = _first(kind.projects[:1], environ)[1] or settings.code_host_url
        at_home = host in kind.known or (host and host == urlsplit(settings.code_host_url).hostname)
        if _first(kind.tokens, environ)[1] and (at_home or (not host and told)):
            return _place(kind, settings, host, path, environ)
    return None


def split_remote(remote: str) -> tuple[str, str]:
    """Return host and path of a git remote: ``("github.com", "owner/name")``; ``("", "")`` if local."""
    if "://" in remote:
        parts = urlsplit(remote)
        if parts.scheme == "file":
            return "", ""
        host, path = parts.hostname or "", parts.path
    else:
        found = _SCP.fullmatch(remote)
        if found is None:
            return "", ""
        host, path = found["host"].lower(), found["path"]
    return host, path.strip("/").removesuffix(".git")


def _place(
    kind: Kind, settings: Settings, host: str, path: str, environ: Mapping[str, str]
) -> Place:
    variable, token = _first(kind.tokens, environ)
    if not token:
        raise ConfigurationError(
            f"the setting code_host is {kind.name}, but there is no token for it: set "
            f"{' or '.join(kind.tokens)}, or code_host to local"
        )
    project = _first(kind.projects, environ)[1] or path
    if not _PROJECT.fullmatch(project):
        raise ConfigurationError(
            f"the repository on {kind.name} is not known (found {project!r}): set "
            f"{kind.projects[0]} to owner/name, or give git a remote named origin"
        )
    return Place(
        kind=kind.name,
        url=_address(kind, settings, host),
        project=project,
        token=token,
        variable=variable,
    )


def _address(kind: Kind, settings: Settings, host: str) -> str:
    url = settings.code_host_url.rstrip("/")
    if not url:
        host = host or kind.known[0]
        is_github = (kind.name, host) == ("github", "github.com")
        return "https://api.github.com" if is_github else f"https://{host}{kind.api}"
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.query:
        raise ConfigurationError(
            f"the setting code_host_url is no address of an API: {url!r}; it looks like "
            f"https://{kind.name}.example.org{kind.api}"
        )
    if parts.scheme != "https" and not _is_loopback(parts.hostname):
        raise ConfigurationError(
            f"the setting code_host_url has to begin with https://, so that nobody reads the token "
            f"on its way: {url!r}"
        )
    if kind.api and not parts.path and parts.hostname != "api.github.com":
        return url + kind.api
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str]:
    for name in names:
        if value := environ.get(name, "").strip():
            return name, value
    return names[0], ""
