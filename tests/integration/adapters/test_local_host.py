"""Publishing into the user's own repository."""

import subprocess
from pathlib import Path
from urllib.parse import urlparse

import pytest

from builders import AT, accepted, candidate, diagnosis, incident
from prunella.adapters.git import GitRepository
from prunella.adapters.local_host import LocalHost
from prunella.adapters.plain_folder import PlainFolder
from prunella.model.repair import Patch
from prunella.ports import PullRequest
from prunella.publish import compose

BEFORE = 'name = "caf\xe9"\nx = 1\n'.encode("latin-1")
AFTER = 'name = "caf\xe9"\nx = 2\n'.encode("latin-1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_bytes(BEFORE)
    return tmp_path


@pytest.fixture
def repository(root: Path) -> GitRepository:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(root), *identity, *command], check=True)
    return GitRepository(root)


def request() -> PullRequest:
    patch = Patch(path="a.py", qualname="f", before=BEFORE, after=AFTER, diff="shown")
    return compose(
        incident=incident(),
        diagnosis=diagnosis(),
        candidate=candidate(patch=patch),
        verdict=accepted(),
        alternatives=[],
        regression_test=None,
        at=AT,
    )


def test_branch_text_and_patch_stand_beside_each_other(repository: GitRepository) -> None:
    """A publication names its branch and the file that holds the pull-request text."""
    publication = LocalHost(repository).publish(request())
    assert publication.branch == "prunella/fix-f-20261120-120000"
    assert repository.has_branch(publication.branch)
    text = Path(urlparse(publication.url).path)
    assert text.parent == repository.root / ".prunella" / "pull-requests"
    assert "division by zero" in text.read_text()


def test_patch_file_applies_byte_for_byte(root: Path, repository: GitRepository) -> None:
    """The patch file turns the base into the patched file, also where that is no UTF-8."""
    LocalHost(repository).publish(request())
    (patch,) = (root / ".prunella" / "pull-requests").glob("*.patch")
    subprocess.run(["git", "-C", str(root), "apply", str(patch)], check=True)
    assert (root / "a.py").read_bytes() == AFTER


def test_two_publications_of_one_second_have_names_of_their_own(
    repository: GitRepository,
) -> None:
    """A name that is taken is never taken again."""
    host = LocalHost(repository)
    first, second = host.publish(request()), host.publish(request())
    assert second.branch == f"{first.branch}-2"
    assert first.url != second.url


def test_without_git_there_is_a_patch_and_no_branch(root: Path) -> None:
    """A plain folder gets text and patch; nothing pretends to be a branch."""
    publication = LocalHost(PlainFolder(root)).publish(request())
    assert publication.branch is None
    assert publication.commit is None
    assert len(list((root / ".prunella" / "pull-requests").iterdir())) == 2
