"""A bare git repository, as a code host keeps it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path


class BareRepository:
    """Plumbing commands over a bare repository at `path`."""

    def __init__(self, path: Path, *, files: Mapping[str, bytes | str] | None = None) -> None:
        self.path = path
        if not path.exists():
            subprocess.run(
                ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True
            )
        if files:
            self.push("main", files, "first")

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        """Run git here; the answer is what it prints."""
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", "-C", str(self.path), *identity, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
        )
        if done.returncode and check:
            raise RuntimeError(done.stderr.decode())
        return b"" if done.returncode else done.stdout

    def head(self, branch: str) -> str | None:
        """Return the commit of a branch."""
        found = self.git("rev-parse", "--verify", "-q", f"refs/heads/{branch}", check=False)
        return found.decode().strip() or None

    def branches(self) -> list[str]:
        """Return the names of all branches."""
        return self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").decode().split()

    def show(self, branch: str, path: str) -> bytes | None:
        """Return a file of a branch."""
        head = self.head(branch)
        found = self.git("ls-tree", f"{head}", path) if head else b""
        return self.git("cat-file", "blob", f"{head}:{path}") if found else None

    def blob(self, content: bytes) -> str:
        """Keep a blob."""
        return self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def tree(self, base: str | None, entries: Mapping[str, tuple[str, str]]) -> str:
        """Make a tree: that of `base`, with ``path → (mode, blob)`` put in."""
        index = str(self.path / "index.of.the.double")
        Path(index).unlink(missing_ok=True)
        run = self._with_index(index)
        if base:
            run("read-tree", base)
        for path, (mode, blob) in entries.items():
            run("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")
        return run("write-tree").decode().strip()

    def _with_index(self, index: str):
        def run(*arguments: str) -> bytes:
            return subprocess.run(
                ["git", "-C", str(self.path), *arguments],
                env={"GIT_INDEX_FILE": index, "PATH": "/usr/bin:/bin:/usr/local/bin"},
                capture_output=True,
                check=True,
            ).stdout

        return run

    def commit(self, tree: str, parents: list[str], message: str) -> str:
        """Make a commit that no branch is at."""
        arguments = [item for parent in parents for item in ("-p", parent)]
        made = self.git("commit-tree", tree, *arguments, stdin=message.encode())
        return made.decode().strip()

    def move(self, branch: str, commit: str | None) -> None:
        """Put a branch at a commit, or remove it."""
        if commit is None:
            self.git("update-ref", "-d", f"refs/heads/{branch}")
        else:
            self.git("update-ref", f"refs/heads/{branch}", commit)

    def push(self, branch: str, files: Mapping[str, bytes | str], message: str) -> str:
        """Commit files onto a branch, as a colleague would."""
        head = self.head(branch)
        entries = {
            path: ("100644", self.blob(text.encode() if isinstance(text, str) else text))
            for path, text in files.items()
        }
        made = self.commit(self.tree(head, entries), [head] if head else [], message)
        self.move(branch, made)
        return made
