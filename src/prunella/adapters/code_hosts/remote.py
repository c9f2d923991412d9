"""Publishing on a code host in steps that can each be repeated.

The branch's name is known before the first of them, and the pull request carries a mark. So whoever
comes after a crash finds what is there already, and goes on behind it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from prunella.adapters.code_hosts.forge import Forge, Opened
from prunella.model.clock import now
from prunella.model.errors import CodeHostError
from prunella.model.repair import Publication, PublicationState
from prunella.ports import Overlay, PullRequest
from prunella.publish import BRANCHES, TRAILER, owners_of

#: Reasons for which a host's refusal of something that is only convenient is passed over.
_MINOR = frozenset({"forbidden", "not_found", "conflict"})
#: Reasons that leave open whether the host has done it all the same.
_UNCERTAIN = frozenset({"unavailable", "timeout", "unusable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a code host stands to the token's owner."""

    #: Branch that pull requests go to, and the commit it is at.
    branch: str
    commit: str
    #: Whether the owner may push here; ``None`` where the host doesn't tell.
    may_write: bool | None


class RemoteHost:
    """Opens pull requests by way of `forge`; `prefix` is the project's folder in the repository."""

    is_remote = True

    def __init__(self, forge: Forge, *, prefix: str = "") -> None:
        self._forge, self._prefix = forge, prefix

    @property
    def name(self) -> str:
        return self._forge.name

    def base(self) -> str:
        branch = self._forge.base_branch()
        commit = self._forge.head(branch)
        if commit is None:
            raise CodeHostError(
                "not_found",
                f"{self.name} has no branch {branch!r} that a pull request could go to: correct "
                "the setting base_branch",
            )
        return commit

    def standing(self) -> Standing:
        """Ask the host for what a pull request needs, and change nothing; raises `CodeHostError`."""
        commit = self.base()
        return Standing(
            branch=self._forge.base_branch(), commit=commit, may_write=self._forge.may_write()
        )

    def read(self, path: str, base: str | None) -> bytes | None:
        found = self._forge.read(self._prefix + path, base or self.base())
        return None if found is None else found.content

    def publish(self, request: PullRequest) -> Publication:
        """Bring branch and pull request about, or bring those that are there up to date.

        Where people have committed to the branch, or closed the pull request, it is left as it is.
        """
        files = {self._prefix + path: content for path, content in request.files.items()}
        opened = self._find(request)
        if opened is not None and opened.state is not PublicationState.OPEN:
            return _publication(request, opened, commit=None)
        branch = opened.branch if opened else request.branch
        present = self._forge.head(branch)
        ours = present is None or self._is_ours(present)
        commit = present
        if present is None or (ours and not self._has(files, present)):
            parent = request.base or self.base()
            commit = self._forge.commit(branch, parent, files, request.message, present=present)
        body = request.body[: self._forge.max_body]
        if opened is None:
            opened = self._open(branch, request, body)
        elif ours and (opened.title, opened.body) != (request.title, body):
            self._forge.edit(opened.number, request.title, body)
        return _publication(request, opened, commit=commit, note=self._dress(opened, request))

    def look(self, publication: Publication) -> Publication | None:
        if publication.branch is None:
            return None
        opened = self._forge.of_branch(publication.branch)
        if opened is not None:
            return replace(publication, state=opened.state, url=opened.url)
        if self._forge.head(publication.branch) is None:
            return None
        return replace(publication, state=PublicationState.ANNOUNCED)

    def withdraw(self, publication: Publication, reason: str) -> None:
        branch = publication.branch
        if branch is None:
            return
        opened = self._forge.of_branch(branch)
        if opened is not None and opened.state is PublicationState.OPEN:
            self._forge.close(opened.number, reason)
        self._remove(branch)

    def _find(self, request: PullRequest) -> Opened | None:
        """Return the open pull request of the mark, else the latest of the branch."""
        for opened in self._forge.opened():
            marked = opened.body.splitlines()[:1] == [request.marker]
            if marked and opened.branch.startswith(BRANCHES):
                return opened
        return self._forge.of_branch(request.branch)

    def _is_ours(self, commit: str) -> bool:
        return f"\n{TRAILER}: " in self._forge.message(commit)

    def _has(self, files: Overlay, commit: str) -> bool:
        for path, content in files.items():
            found = self._forge.read(path, commit)
            if found is None or found.content != content:
                return False
        return True

    def _open(self, branch: str, request: PullRequest, body: str) -> Opened:
        """Open the pull request; where that fails for certain, the branch goes as well."""
        try:
            return self._forge.open(branch, request.title, body, draft=request.draft)
        except CodeHostError as error:
            opened = None
            if error.reason in _UNCERTAIN | {"conflict"}:  # or another healer was faster
                opened = self._forge.of_branch(branch)
            if opened is not None and opened.state is PublicationState.OPEN:
                return opened
            with suppress(CodeHostError):  # what stays is found again by its name
                self._remove(branch)
            raise

    def _remove(self, branch: str) -> None:
        head = self._forge.head(branch)
        if head is not None and self._is_ours(head):
            self._forge.remove_branch(branch)

    def _dress(self, opened: Opened, request: PullRequest) -> str:
        """Ask owners for a review, then label it: a label says that both are done."""
        if opened.labels.intersection(request.labels):
            return ""
        owners = self._owners(request) if not request.draft else ()
        notes = (
            self._if_allowed(lambda: self._forge.ask_for_review(opened, owners)),
            self._if_allowed(lambda: self._forge.label(opened.number, request.labels)),
        )
        return "; ".join(filter(None, notes))

    def _owners(self, request: PullRequest) -> tuple[str, ...]:
        base = request.base or self.base()
        for place in self._forge.owner_files:
            found = self._forge.read(place, base)
            if found is not None:
                text = found.content.decode(errors="replace")
                return owners_of(text, self._prefix + request.candidate.patch.path)
        return ()

    def _if_allowed(self, do: Callable[[], None]) -> str:
        try:
            do()
        except CodeHostError as error:
            if error.reason not in _MINOR:
                raise
            return str(error)
        return ""


def _publication(
    request: PullRequest, opened: Opened, *, commit: str | None, note: str = ""
) -> Publication:
    return Publication(
        candidate_id=request.candidate.candidate_id,
        incident_id=request.candidate.incident_id,
        state=opened.state,
        reason=note,
        branch=opened.branch,
        commit=commit,
        url=opened.url,
        published_at=now(),
    )
