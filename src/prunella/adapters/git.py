"""The committed base of a git repository, by git's plumbing commands.

Nothing here touches the user's work tree, index, HEAD or hooks: trees are read and written through
an index of our own, and a branch comes to be by one `update-ref` that demands that it is new.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from prunella.model.errors import RepositoryError
from prunella.ports import Overlay

_AUTHOR = {"NAME": "Prunella", "EMAIL": "prunella@localhost"}
_TIMEOUT_S = 120
_ZERO = ""  # update-ref's old value for "must not exist yet"


class GitRepository:
    """The HEAD commit of the repository that the folder `root` lies in, as `root` sees it.

    Paths are relative to `root`, which may be a folder below the repository's top level.
    """

    def __init__(self, root: Path) -> None:
        """Raise `RepositoryError` where `root` is in no repository, or in one without a commit."""
        # Commands run at the top level: in a subfolder git reads paths relative to it.
        self._root = self._top = root.resolve()
        self._prefix = os.fsdecode(self._git("rev-parse", "--show-prefix")).rstrip("\n")
        self._top = Path(os.fsdecode(self._git("rev-parse", "--show-toplevel")).rstrip("\n"))
        try:
            self._commit = self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except RepositoryError:
            raise RepositoryError(
                f"the git repository at {root} has no commit yet; patches are made on the "
                "committed code: commit it first"
            ) from None
        try:
            self._git("rev-parse", "--verify", "--quiet", self._tree)
        except RepositoryError:
            raise RepositoryError(
                f"{root} is not in the commit {self.commit[:12]} of its git repository; patches "
                "are made on the committed code: commit it first"
            ) from None

    @property
    def root(self) -> Path:
        return self._root

    @property
    def commit(self) -> str:
        return self._commit.decode().strip()

    @cached_property
    def _modes(self) -> Mapping[str, str]:
        """Path below the root → file mode, of every file of the base."""
        listing = self._git("ls-tree", "-r", "-z", self._tree).split(b"\0")
        modes = {}
        for entry in filter(None, listing):
            description, _, path = entry.partition(b"\t")
            mode, kind, _ = description.split(b" ")
            if kind == b"blob":
                modes[os.fsdecode(path)] = mode.decode()
        return modes

    @property
    def _tree(self) -> str:
        return f"{self.commit}:{self._prefix}"

    @property
    def prefix(self) -> str:
        """The root's path below the repository's top level: empty, or ending with ``/``."""
        return self._prefix

    def remote(self) -> str | None:
        """Return the address of the remote ``origin``, or of the only one; ``None`` if unclear."""
        names = os.fsdecode(self._git("remote")).split()
        name = "origin" if "origin" in names else names[0] if len(names) == 1 else None
        if name is None:
            return None
        return os.fsdecode(self._git("remote", "get-url", name)).strip()

    def files(self) -> Sequence[str]:
        return tuple(self._modes)

    def read(self, path: str) -> bytes | None:
        if path not in self._modes:
            return None
        return self._git("cat-file", "blob", f"{self.commit}:{self._prefix}{path}")

    def check_out(self, into: Path) -> None:
        with _own_index() as environment:
            self._git("read-tree", self._tree, environment=environment)
            self._git(
                "checkout-index",
                "--all",
                "--force",
                f"--prefix={into}{os.sep}",
                environment=environment,
            )

    def commit_branch(self, branch: str, files: Overlay, message: str) -> str:
        with _own_index() as environment:
            self._git("read-tree", self.commit, environment=environment)
            for path, content in files.items():
                blob = self._git("hash-object", "-w", "--stdin", "--no-filters", stdin=content)
                mode = self._modes.get(path, "100644")
                entry = f"{mode},{blob.decode().strip()},{self._prefix}{path}"
                self._git("update-index", "--add", "--cacheinfo", entry, environment=environment)
            tree = self._git("write-tree", environment=environment).decode().strip()
        identity = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in _AUTHOR.items()
        }
        commit = self._git(
            "commit-tree", tree, "-p", self.commit, stdin=message.encode(), environment=identity
        )
        created = commit.decode().strip()
        self._git("update-ref", "-m", "prunella", f"refs/heads/{branch}", created, _ZERO)
        return created

    def has_branch(self, branch: str) -> bool:
        """Say whether a branch of that name is there now."""
        try:
            self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
        except RepositoryError:
            return False
        return True

    def is_edited(self, path: str) -> bool:
        """Say whether the work tree has other lines in that file than the base, or no such file."""
        try:
            present = (self._root / path).read_bytes()
        except OSError:
            return True
        return present.splitlines() != (self.read(path) or b"").splitlines()

    def _git(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        command = ["git", "-C", str(self._top), *_QUIET, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, arguments never reach a shell
                command,
                input=stdin if stdin is not None else b"",
                capture_output=True,
                check=False,
                timeout=_TIMEOUT_S,
                env={**_clean_environment(), **(environment or {})},
            )
        except FileNotFoundError:
            raise RepositoryError("git is not installed, or not on PATH: install it") from None
        except subprocess.TimeoutExpired:
            raise RepositoryError(
                f"git {arguments[0]} did not end within {_TIMEOUT_S} s in {self._root}"
            ) from None
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
            raise RepositoryError(f"git {arguments[0]} failed in {self._root}: {reason}")
        return done.stdout


# The user's hooks and file-system monitor are not ours to run.
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")


def _clean_environment() -> dict[str, str]:
    """The environment without variables that would point git at another repository or index."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class _own_index:  # noqa: N801 - used as a function
    """Context manager: environment variables that give git a fresh index of our own."""

    def __enter__(self) -> Mapping[str, str]:
        self._folder = tempfile.TemporaryDirectory(prefix="prunella-index-")
        return {"GIT_INDEX_FILE": str(Path(self._folder.name) / "index")}

    def __exit__(self, *_exception: object) -> None:
        self._folder.cleanup()
