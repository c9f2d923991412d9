"""The committed base of a real git repository."""

import subprocess
from pathlib import Path

import pytest

from prunella.adapters.git import GitRepository
from prunella.adapters.plain_folder import PlainFolder
from prunella.model.errors import RepositoryError


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "a.py").write_bytes(b"x = 1\r\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / ".gitignore").write_text("*.log\n")
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def test_base_is_the_commit_not_the_work_tree(root: Path, tmp_path: Path) -> None:
    """Local edits and untracked files are not part of the base."""
    (root / "pkg" / "a.py").write_text("x = 2\n")
    (root / "new.py").write_text("")
    repository = GitRepository(root)
    repository.check_out(into := tmp_path / "base")
    assert repository.read("pkg/a.py") == b"x = 1\r\n"
    assert repository.read("new.py") is None
    assert (into / "pkg" / "a.py").read_bytes() == b"x = 1\r\n"
    assert not (into / "new.py").exists()
    assert (into / "run.sh").stat().st_mode & 0o111


def test_branch_changes_nothing_of_the_user(root: Path) -> None:
    """A new branch leaves work tree, index, HEAD and staged changes as they were."""
    (root / "pkg" / "a.py").write_text("x = 2\n")
    (root / "staged.py").write_text("s\n")
    git(root, "add", "staged.py")
    before = (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD"))
    index = (root / ".git" / "index").read_bytes()
    repository = GitRepository(root)
    created = repository.commit_branch(
        "prunella/fix-a-1", {"pkg/a.py": b"x = 3\r\n", "tests/test_new.py": b"t\n"}, "Fix a"
    )
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert (root / ".git" / "index").read_bytes() == index
    assert git(root, "rev-parse", "prunella/fix-a-1") == created
    assert git(root, "diff", "--name-only", "main", "prunella/fix-a-1").split() == [
        "pkg/a.py",
        "tests/test_new.py",
    ]
    assert git(root, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert repository.has_branch("prunella/fix-a-1")
    assert not repository.has_branch("prunella/fix-b")


def test_existing_branch_is_never_moved(root: Path) -> None:
    """Making a branch that exists is refused, and the branch stays where it was."""
    repository = GitRepository(root)
    first = repository.commit_branch("fix", {"pkg/a.py": b"1"}, "m")
    with pytest.raises(RepositoryError):
        repository.commit_branch("fix", {"pkg/a.py": b"2"}, "m")
    assert git(root, "rev-parse", "fix") == first


def test_paths_of_a_project_below_the_top_level(root: Path, tmp_path: Path) -> None:
    """A project that is a folder of a larger repository sees its own files only."""
    repository = GitRepository(root / "pkg")
    assert repository.files() == ("a.py",)
    repository.check_out(into := tmp_path / "base")
    assert [path.name for path in into.iterdir()] == ["a.py"]
    repository.commit_branch("fix", {"a.py": b"y"}, "m")
    assert git(root, "show", "fix:pkg/a.py") == "y"
    assert git(root, "diff", "--name-only", "main", "fix") == "pkg/a.py"


def test_file_mode_survives(root: Path) -> None:
    """An executable file stays executable on the branch."""
    GitRepository(root).commit_branch("fix", {"run.sh": b"#!/bin/sh\ntrue\n"}, "m")
    assert git(root, "ls-tree", "fix", "run.sh").startswith("100755")


def test_detached_head_serves_as_base(root: Path) -> None:
    """A detached HEAD is a base like any other, and stays detached."""
    git(root, "checkout", "-q", "--detach")
    repository = GitRepository(root)
    repository.commit_branch("fix", {"pkg/a.py": b"y"}, "m")
    assert git(root, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


def test_hooks_of_the_user_do_not_run(root: Path, tmp_path: Path) -> None:
    """No hook runs when a branch is made."""
    hook = root / ".git" / "hooks" / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    GitRepository(root).commit_branch("fix", {"pkg/a.py": b"y"}, "m")
    assert not (tmp_path / "ran").exists()


def test_repository_without_commit_is_refused(tmp_path: Path) -> None:
    """A repository without a commit says that one is needed."""
    git(tmp_path, "init", "-q")
    with pytest.raises(RepositoryError, match="no commit yet"):
        GitRepository(tmp_path)


def test_folder_without_git_is_no_repository(tmp_path: Path) -> None:
    """A folder outside any repository is refused with git's own reason."""
    with pytest.raises(RepositoryError, match="not a git repository"):
        GitRepository(tmp_path)


def test_missing_git_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git on PATH the message says so."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RepositoryError, match="not installed"):
        GitRepository(root)


def test_plain_folder_skips_what_is_no_source(tmp_path: Path) -> None:
    """Hidden folders, caches and virtual environments are no part of a plain folder."""
    for name in ("a.py", ".secret/x.py", "__pycache__/a.pyc", "env1/pyvenv.cfg", "env1/lib.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1")
    folder = PlainFolder(tmp_path)
    assert folder.files() == ("a.py",)
    assert folder.read("env1/lib.py") is None
    with pytest.raises(RepositoryError, match="git init"):
        folder.commit_branch("b", {}, "m")


def test_folder_that_was_never_committed_is_refused(root: Path) -> None:
    """A folder of the repository that the commit doesn't have is no base."""
    (root / "fresh").mkdir()
    with pytest.raises(RepositoryError, match="commit it first"):
        GitRepository(root / "fresh")
