"""What a code host has to be able to do, in its own terms: the part that differs between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from prunella.model.repair import PublicationState
from prunella.ports import Overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A pull request as the host has it."""

    number: int
    #: Where people see it.
    url: str
    branch: str
    title: str
    body: str
    #: ``OPEN``, ``MERGED`` or ``CLOSED``.
    state: PublicationState
    labels: frozenset[str]
    #: Login of whoever opened it.
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFile:
    """A file as a commit on the host has it."""

    content: bytes
    #: As git writes it: ``100644``, or ``100755`` for a program.
    mode: str


class Forge(Protocol):
    """One repository on a code host. Paths are relative to its top level.

    Each method is one change at most, that is seen whole or not at all. Raises `CodeHostError`.
    """

    #: What people call the host.
    name: str
    #: Where it looks for the owners of code; the first that is there counts. None where the host
    #: asks owners for a review by itself.
    owner_files: Sequence[str]
    #: Longest text of a pull request, in characters.
    max_body: int

    def base_branch(self) -> str: ...

    def may_write(self) -> bool | None:
        """Say whether the token's owner may push here; ``None`` where the host doesn't tell."""
        ...

    def head(self, branch: str) -> str | None:
        """Return the commit that a branch is at."""
        ...

    def message(self, commit: str) -> str:
        """Return the message of a commit."""
        ...

    def read(self, path: str, commit: str) -> HostFile | None: ...

    def commit(
        self, branch: str, parent: str, files: Overlay, message: str, *, present: str | None
    ) -> str:
        """Put `branch` at a new commit that sets `files`, and return the commit's id.

        `parent` is the commit it stands on, where the host can tell. `present` is what the branch is
        at, a commit of our own that is replaced; ``None`` for a new branch.
        """
        ...

    def remove_branch(self, branch: str) -> None: ...

    def opened(self) -> Iterator[Opened]:
        """Yield the open pull requests from branches of this repository, the latest first."""
        ...

    def of_branch(self, branch: str) -> Opened | None:
        """Return the latest pull request of a branch, open or not."""
        ...

    def open(self, branch: str, title: str, body: str, *, draft: bool) -> Opened: ...

    def edit(self, number: int, title: str, body: str) -> None: ...

    def label(self, number: int, labels: Sequence[str]) -> None: ...

    def ask_for_review(self, opened: Opened, owners: Sequence[str]) -> None:
        """Ask people (``@name``) and teams (``@organisation/team``) for a review."""
        ...

    def close(self, number: int, reason: str) -> None:
        """Close a pull request with a comment."""
        ...
