"""The code host of a machine without one: a branch in the repository, and the text beside it."""

from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from prunella.model.clock import now
from prunella.model.errors import RepositoryError
from prunella.model.project import data_folder
from prunella.model.repair import Publication
from prunella.patching import unified_diff
from prunella.ports import PullRequest, Repository


class LocalHost:
    """Publishes into the user's own repository and ``.prunella/pull-requests``."""

    name = "the local repository"
    is_remote = False

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        #: Names are taken one at a time, also when several incidents are healed at once.
        self._naming = Lock()

    def publish(self, request: PullRequest) -> Publication:
        """Make the branch and write the pull-request text; for a plain folder, text and patch.

        Raises `RepositoryError` where the branch can't be made; nothing is left behind then.
        """
        folder = data_folder(self._repository.root) / "pull-requests"
        commit = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._naming, ExitStack() as undo:
                branch, name = self._free_name(request.branch, folder)
                text = folder / f"{name}.md"
                patch = request.candidate.patch
                # Made anew: the diff that is shown has lost what is no Unicode.
                diff = unified_diff(patch.path, patch.before, patch.after)
                for path, content in (
                    (text, request.body.encode("utf-8", "backslashreplace")),
                    (folder / f"{name}.patch", diff.encode("utf-8", "surrogateescape")),
                ):
                    undo.callback(path.unlink, missing_ok=True)
                    _write(path, content)
                if self._repository.commit is not None:
                    commit = self._repository.commit_branch(branch, request.files, request.message)
                undo.pop_all()
        except OSError as error:
            raise RepositoryError(
                f"the pull-request text can't be written into {folder}: "
                f"{error.strerror or error}; no branch was made. Allow this user to write there"
            ) from error
        return Publication(
            candidate_id=request.candidate.candidate_id,
            incident_id=request.candidate.incident_id,
            branch=branch if commit else None,
            commit=commit,
            url=text.as_uri(),
            published_at=now(),
        )

    def base(self) -> str | None:
        return self._repository.commit

    def read(self, path: str, base: str | None) -> bytes | None:
        """Return a file of the repository's base, which doesn't move while a healer is open."""
        return self._repository.read(path)

    def look(self, publication: Publication) -> Publication | None:
        branch = publication.branch
        there = branch is None or self._repository.has_branch(branch)
        return publication if there else None

    def withdraw(self, publication: Publication, reason: str) -> None:
        """Leave the branch: it is the user's own, and nobody else sees it."""

    def _free_name(self, branch: str, folder: Path) -> tuple[str, str]:
        number = 1
        candidate = branch
        while self._repository.has_branch(candidate) or (folder / _file_name(candidate)).exists():
            number += 1
            candidate = f"{branch}-{number}"
        return candidate, Path(_file_name(candidate)).stem


def _file_name(branch: str) -> str:
    return branch.replace("/", "-") + ".md"


def _write(path: Path, content: bytes) -> None:
    """Write all or nothing."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
