"""A project folder without git as the base of patches: its files as they stand now."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from prunella.model.errors import PatchRefused, RepositoryError
from prunella.ports import Overlay

#: Folders that hold no source of the project.
_SKIPPED = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env"}
)
_APPLY_S = 60
MAX_FILES = 20_000
MAX_BYTES = 200 * 1024 * 1024


class PlainFolder:
    """The project at `root`, without history; bounded, so that a home folder is refused."""

    commit = None

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @property
    def root(self) -> Path:
        return self._root

    @cached_property
    def _sizes(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        total = 0
        for path in _walk(self._root):
            sizes[path.relative_to(self._root).as_posix()] = size = path.stat().st_size
            total += size
            if len(sizes) > MAX_FILES or total > MAX_BYTES:
                raise RepositoryError(
                    f"{self._root} is no git repository and holds more than {MAX_FILES:,} files or "
                    f"{MAX_BYTES // 2**20} MB: run `git init` and commit, or set PRUNELLA_ROOT to "
                    "the project's folder"
                )
        return sizes

    def files(self) -> Sequence[str]:
        return tuple(self._sizes)

    def read(self, path: str) -> bytes | None:
        if path not in self._sizes:
            return None
        return (self._root / path).read_bytes()

    def check_out(self, into: Path) -> None:
        for name in self._sizes:
            target = into / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._root / name, target)

    def commit_branch(self, branch: str, files: Overlay, message: str) -> str:
        raise RepositoryError(
            f"{self._root} is no git repository, so there is no branch to make: run `git init` "
            "and commit the code first"
        )

    def has_branch(self, branch: str) -> bool:
        """Say whether a branch of that name is there now: never."""
        return False

    def is_edited(self, path: str) -> bool:
        """Say whether the file on disk isn't the base's: it is."""
        return False


def _walk(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [
            name
            for name in subfolders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def apply_patch(tree: Path, patch: bytes) -> None:
    """Apply a unified diff to the files below `tree`.

    Raises `PatchRefused` where it doesn't fit or is no patch, `RepositoryError` without git.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],  # noqa: S607 - the user's own git
            cwd=tree,
            input=patch,
            capture_output=True,
            check=False,
            timeout=_APPLY_S,
            env={**clean, "GIT_CEILING_DIRECTORIES": str(tree.parent), "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise RepositoryError("git is not installed, or not on PATH: install it") from None
    except subprocess.TimeoutExpired:
        raise RepositoryError(f"git apply did not end within {_APPLY_S} s") from None
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()
        raise PatchRefused(
            "does_not_apply",
            f"the patch does not apply to the working tree (git says: {reason}); "
            "give a unified diff that was made on the present code",
        )
