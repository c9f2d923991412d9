"""Where pull requests go, and where a token never does."""

import pytest

from prunella.adapters.code_hosts.places import find_place, split_remote
from prunella.model.errors import ConfigurationError
from prunella.model.settings import Settings

GITHUB = {"GITHUB_TOKEN": "t"}


@pytest.mark.parametrize(
    ("remote", "found"),
    [
        ("git@github.com:shop/backend.git", ("github.com", "shop/backend")),
        ("https://user:secret@github.com/shop/backend", ("github.com", "shop/backend")),
        ("ssh://git@gitlab.com:22/a/b/c.git", ("gitlab.com", "a/b/c")),
        ("/srv/git/backend.git", ("", "")),
        ("file:///srv/git/backend.git", ("", "")),
        ("", ("", "")),
    ],
)
def test_remotes_are_split(remote: str, found: tuple[str, str]) -> None:
    """Every form that git writes gives host and path; a local one gives neither."""
    assert split_remote(remote) == found


@pytest.mark.parametrize(
    ("remote", "environ", "url"),
    [
        ("git@github.com:shop/backend.git", GITHUB, "https://api.github.com"),
        ("git@gitlab.com:shop/backend.git", {"GITLAB_TOKEN": "t"}, "https://gitlab.com"),
        ("git@codeberg.org:a/b.git", {"FORGEJO_TOKEN": "t"}, "https://codeberg.org/api/v1"),
        (None, {**GITHUB, "GITHUB_REPO_NAME": "shop/backend"}, "https://api.github.com"),
    ],
)
def test_the_host_is_found(remote: str | None, environ: dict[str, str], url: str) -> None:
    """The remote and a token for its host are enough, or a token and the repository's name."""
    place = find_place(Settings(), remote, environ)
    assert place is not None
    assert (place.url, place.token) == (url, "t")


@pytest.mark.parametrize(
    ("settings", "remote", "environ"),
    [
        (Settings(), "git@github.com:shop/backend.git", {}),
        (Settings(offline=True, code_host="github"), "git@github.com:a/b.git", GITHUB),
        (Settings(code_host="local"), "git@github.com:a/b.git", GITHUB),
        (Settings(), "git@github.com.evil.example:a/b.git", GITHUB),
        (Settings(), "git@gitlab.com:a/b.git", GITHUB),
        (Settings(), "git@git.example.org:a/b.git", {**GITHUB, "GITHUB_REPO_NAME": "a/b"}),
    ],
)
def test_a_token_goes_nowhere_by_guessing(
    settings: Settings, remote: str, environ: dict[str, str]
) -> None:
    """Without a token, offline, or for a host that isn't known to be its own, all stays local."""
    assert find_place(settings, remote, environ) is None


def test_a_host_of_ones_own_is_named_by_the_settings() -> None:
    """GitHub Enterprise is found by the setting and the remote's host, or by its address."""
    remote = "git@git.example.org:shop/backend.git"
    named = find_place(Settings(code_host="github"), remote, GITHUB)
    addressed = find_place(Settings(code_host_url="https://git.example.org"), remote, GITHUB)
    assert named is not None
    assert named == addressed
    assert named.url == "https://git.example.org/api/v3"


@pytest.mark.parametrize(
    ("settings", "environ", "words"),
    [
        (Settings(code_host="gitlab"), GITHUB, "GITLAB_TOKEN"),
        (Settings(code_host="github"), {**GITHUB, "GITHUB_REPO_NAME": "a b"}, "owner/name"),
        (Settings(code_host="github", code_host_url="http://g.example"), GITHUB, "https://"),
        (Settings(code_host="github", code_host_url="nonsense"), GITHUB, "code_host_url"),
        (Settings(code_host="github", code_host_url="https://u:p@g.example"), GITHUB, "address"),
    ],
)
def test_what_is_missing_or_unusable_is_told(
    settings: Settings, environ: dict[str, str], words: str
) -> None:
    """A named host without token, repository or a safe address says which of them to set."""
    with pytest.raises(ConfigurationError, match=words):
        find_place(settings, "git@github.com:shop/backend.git", environ)
