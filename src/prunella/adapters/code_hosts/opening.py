"""Choosing the code host of a project."""

import os
from collections.abc import Mapping

from prunella.adapters.code_hosts.api import TIMEOUT_S
from prunella.adapters.code_hosts.failures import Correspondent
from prunella.adapters.code_hosts.forge import Forge
from prunella.adapters.code_hosts.places import Place, find_place
from prunella.adapters.code_hosts.remote import RemoteHost
from prunella.adapters.git import GitRepository
from prunella.adapters.local_host import LocalHost
from prunella.model.settings import Settings
from prunella.ports import CodeHost, Repository


def open_host(
    settings: Settings,
    repository: Repository,
    environ: Mapping[str, str] | None = None,
    *,
    timeout_s: int = TIMEOUT_S,
) -> CodeHost:
    """Return the code host that settings, environment and git remote name; else the local one.

    Nothing is sent yet, and the host's client isn't needed before. Raises `ConfigurationError`.
    """
    if not isinstance(repository, GitRepository):
        return LocalHost(repository)
    place = find_place(settings, repository.remote(), os.environ if environ is None else environ)
    if place is None:
        return LocalHost(repository)
    return RemoteHost(_forge(place, settings.base_branch, timeout_s), prefix=repository.prefix)


def _forge(place: Place, base: str, timeout_s: int) -> Forge:
    if place.kind == "github":
        from prunella.adapters.code_hosts.github import GitHubForge

        return GitHubForge(_whom(place, "GitHub"), url=place.url, base=base, timeout_s=timeout_s)
    if place.kind == "gitlab":
        from prunella.adapters.code_hosts.gitlab import GitLabForge

        return GitLabForge(_whom(place, "GitLab"), url=place.url, base=base, timeout_s=timeout_s)
    from prunella.adapters.code_hosts.gitea import GiteaForge

    return GiteaForge(_whom(place, "Gitea"), url=place.url, base=base, timeout_s=timeout_s)


def _whom(place: Place, name: str) -> Correspondent:
    return Correspondent(
        name=name, project=place.project, variable=place.variable, token=place.token
    )
