"""Where output can't go: full disks, closed streams, other encodings, a folder that is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prunella.cli.exit_codes import ExitCode


def command(folder: Path, shell: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``prunella`` as the shell's ``$PRUNELLA`` in a project of its own."""
    prunella = f"{sys.executable} -m prunella.cli"
    environment = {**os.environ, "PRUNELLA": prunella, "PRUNELLA_DATABASE": "", **variables}
    return subprocess.run(
        ["sh", "-c", shell],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


@pytest.mark.parametrize("arguments", ["doctor", "doctor --json", "--help", "keys --json"])
def test_a_full_disk_is_no_fault_of_prunellas(folder: Path, arguments: str) -> None:
    """What can't be written is said in a line, also if it fits into the last buffer."""
    done = command(folder, f"$PRUNELLA {arguments} > /dev/full")
    assert done.returncode == ExitCode.UNABLE
    assert done.stderr.splitlines() == [b"prunella: [Errno 28] No space left on device"]


def test_closed_streams_are_no_fault(folder: Path) -> None:
    """A command that is started without streams does its work."""
    assert command(folder, "$PRUNELLA keys >&-").returncode == ExitCode.DONE
    assert command(folder, "$PRUNELLA keys 2>&-").returncode == ExitCode.DONE
    assert command(folder, "$PRUNELLA incidents >&- 2>&-").returncode == ExitCode.UNABLE


def test_any_encoding_will_do(folder: Path) -> None:
    """Where a terminal knows no check marks, question marks stand there."""
    for encoding in ("ascii", "latin-1"):
        done = command(folder, "$PRUNELLA doctor", PYTHONIOENCODING=encoding)
        assert b"?  store" in done.stdout, done.stderr
    c_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert b"?  store" in command(folder, "$PRUNELLA doctor", **c_locale).stdout


def test_a_folder_that_is_gone_is_said(folder: Path) -> None:
    """A command needs a working directory, and says so without a traceback."""
    done = command(folder, "mkdir gone; cd gone; rmdir ../gone; $PRUNELLA incidents")
    assert done.returncode == ExitCode.USAGE
    assert b"the working directory is gone" in done.stderr
    assert b"Traceback" not in done.stderr
