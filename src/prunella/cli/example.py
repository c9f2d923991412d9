"""The example program: copied into a folder, put under version control, and driven."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from prunella.model.errors import ConfigurationError, PrunellaError, RepositoryError

#: Names in the package that can't be shipped as they are called in the copy.
_RENAMED = {"gitignore": ".gitignore"}
_TIMEOUT_S = 120
_TOTALS = re.compile(r"(\d+) requests, (\d+) failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What driving the program did."""

    requests: int
    failed: int

    @property
    def ratio(self) -> float:
        """Share of the requests that failed; 0 for none."""
        return self.failed / self.requests if self.requests else 0.0


def copy_example(target: Path | None) -> Path:
    """Copy the program into `target` (a fresh temporary folder for ``None``) and commit it there.

    Returns the folder. Raises `ConfigurationError` where `target` isn't an empty folder that can be
    written, `RepositoryError` where git is missing.
    """
    git = shutil.which("git")
    if git is None:
        raise RepositoryError(
            "git is not installed; install it, the demo's patches become branches"
        )
    folder = _empty_folder(target)
    _copy(files("prunella") / "_demo" / "shop", folder)
    for arguments in (
        ["init", "--quiet", "--template=", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--no-verify", "--message", "Fern & Fig 1.4.0"],
    ):
        _git(git, folder, arguments)
    return folder


def _empty_folder(target: Path | None) -> Path:
    if target is None:
        return Path(tempfile.mkdtemp(prefix="prunella-demo-")).resolve()
    try:
        target.mkdir(parents=True, exist_ok=True)
        occupied = any(target.iterdir())
    except OSError as error:
        raise ConfigurationError(f"--dir {target}: {error.strerror or error}") from error
    if occupied:
        raise ConfigurationError(f"--dir {target} is not empty; name a folder that is new or empty")
    return target.resolve()


def _copy(source: Traversable, target: Path) -> None:
    for item in source.iterdir():
        if item.name == "__pycache__":
            continue
        destination = target / _RENAMED.get(item.name, item.name)
        if item.is_dir():
            destination.mkdir()
            _copy(item, destination)
        else:
            destination.write_bytes(item.read_bytes())


def _git(git: str, folder: Path, arguments: list[str]) -> None:
    identity = ["-c", "user.name=Fern & Fig", "-c", "user.email=shop@example.org"]
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [git, *identity, "-c", "commit.gpgsign=false", *arguments],
        cwd=folder,
        env=_environment(without=("GIT_",)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RepositoryError(f"git {arguments[0]} failed in {folder}: {done.stderr.strip()}")


def tests_can_run() -> bool:
    """Tell whether this interpreter, which runs the program, has what its tests need."""
    return find_spec("pytest") is not None


def drive(folder: Path) -> Iterator[str | Traffic]:
    """Run the program's traffic; yield each line it logs while it runs, in the end the totals.

    Raises `PrunellaError` where the program itself doesn't run.
    """
    totals = None
    for line in _output(folder, "traffic.py"):
        if match := _TOTALS.fullmatch(line.strip()):
            totals = Traffic(requests=int(match[1]), failed=int(match[2]))
        else:
            yield line
    if totals is None:
        raise PrunellaError("the example program ended without saying what it did")
    yield totals


def drive_evening(folder: Path, seconds: int) -> Generator[Mapping[str, Traffic], None, None]:
    """Run the evening; yield, about once a second, what was asked of each partner since the last time.

    Closing the iterator ends the program. Raises `PrunellaError` where it doesn't run.
    """
    lines = _output(folder, "evening.py", "--seconds", str(seconds))
    with closing(lines):
        for line in lines:
            told = _counted(line)
            if told:
                yield told


def _counted(line: str) -> Mapping[str, Traffic]:
    try:
        told = json.loads(line)
        return {
            str(name): Traffic(requests=int(asked), failed=int(told["failed"].get(name, 0)))
            for name, asked in told["asked"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}  # something that the program logged


def _output(folder: Path, *arguments: str) -> Generator[str, None, None]:
    """Run a script of the program; yield its lines while it runs, and end it when closed."""
    process = subprocess.Popen(  # noqa: S603 - fixed arguments
        [sys.executable, *arguments],
        cwd=folder,
        # Settings of the shell that the demo is started from aren't the example program's.
        env=_environment(without=("PRUNELLA_",)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    last = ""
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            for line in process.stdout:
                last = line.strip() or last
                yield line.rstrip("\n")
            process.wait(_TIMEOUT_S)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise PrunellaError(
            f"the example program ended with exit code {process.returncode}: {last or 'no output'}"
        )


def _environment(*, without: tuple[str, ...]) -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}
