"""Where a project's source is, and where pull requests are opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prunella.model.repair import (
    Candidate,
    Publication,
)
from prunella.ports.sandbox import Overlay


class Repository(Protocol):
    """The committed base that patches are made on."""

    @property
    def root(self) -> Path:
        """The folder that paths are relative to."""
        ...

    @property
    def commit(self) -> str | None:
        """Id of the base commit; ``None`` for a plain folder without git."""
        ...

    def files(self) -> Sequence[str]:
        """Return the paths of the base's files, with ``/``."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file of the base, or ``None`` where it has none of that path."""
        ...

    def check_out(self, into: Path) -> None:
        """Write the base into the empty folder `into`."""
        ...

    def commit_branch(self, branch: str, files: Overlay, message: str) -> str:
        """Make `branch` with one commit on the base that sets `files`; return the commit's id.

        Touches neither work tree nor index. Raises `RepositoryError`.
        """
        ...

    def has_branch(self, branch: str) -> bool:
        """Say whether a branch of that name is there now."""
        ...

    def is_edited(self, path: str) -> bool:
        """Say whether the file on disk isn't the base's, so that a patch leaves edits out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """An accepted patch as it is handed to people."""

    candidate: Candidate
    branch: str
    title: str
    #: Markdown; its first line is `marker`.
    body: str
    message: str
    #: Everything the branch changes.
    files: Overlay
    #: Names the incident: of all open pull requests of one marker there is one.
    marker: str
    labels: tuple[str, ...] = ()
    #: Shown to people as not ready to be merged without a close look.
    draft: bool = False
    #: Commit that `files` were made on, as `CodeHost.base` told it; ``None`` for a plain folder.
    base: str | None = None


class CodeHost(Protocol):
    """Where pull requests are opened.

    Every step can be repeated: after a crash anywhere, asking again finishes what was begun. Raises
    `CodeHostError`, or `RepositoryError` where the host is the local repository.
    """

    @property
    def name(self) -> str:
        """What people call it: ``GitHub``, ``the local repository``."""
        ...

    @property
    def is_remote(self) -> bool:
        """Its base isn't the local commit, and publishing brings up to date what is there."""
        ...

    def base(self) -> str | None:
        """Return the commit that a pull request would be made on now; ``None`` without history."""
        ...

    def read(self, path: str, base: str | None) -> bytes | None:
        """Return a file of that commit, or ``None`` where it has none of that path."""
        ...

    def publish(self, request: PullRequest) -> Publication:
        """Bring branch and pull request about, or bring those of the same marker up to date."""
        ...

    def look(self, publication: Publication) -> Publication | None:
        """Return the publication as it stands; ``None`` with neither branch nor pull request."""
        ...

    def withdraw(self, publication: Publication, reason: str) -> None:
        """Close the pull request with `reason`, and remove the branch unless people went on there."""
        ...
