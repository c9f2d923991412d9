"""A real server of Prunella in a process of its own, and programs that report to it."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import prunella

SOURCE = str(Path(prunella.__file__).parents[1])


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def until(condition, *, within_s=20.0, what="it"):
    """Wait until `condition` is true; its value is returned."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {within_s} s")


class Server:
    """``prunella serve`` on a folder, to be killed and started again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        (root / ".prunella").mkdir(exist_ok=True)
        self.log = (root / "server.log").open("ab")

    @property
    def dsn(self) -> str:
        return f"http://127.0.0.1:{self.port}/local"

    def url(self, rest: str) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/projects/local/{rest}"

    def start(self) -> "Server":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PRUNELLA_")}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "prunella.cli", "serve"),
                *("--root", str(self.root), "--port", str(self.port)),
            ],
            env={**environment, "PYTHONPATH": SOURCE, "PRUNELLA_ROOT": str(self.root)},
            stdout=self.log,
            stderr=self.log,
            cwd=self.root,
        )
        until(self._answers, within_s=90, what="the server's start")
        return self

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url("feed"), timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def close(self) -> None:
        self.kill()
        self.log.close()


def program(root: Path, text: str, *, dsn: str, **environment: str) -> subprocess.Popen[str]:
    """Start a program in the folder `root` that reports to `dsn`."""
    root.mkdir(exist_ok=True)
    script = root / "program.py"
    script.write_text(textwrap.dedent(text))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PRUNELLA_", "PYTEST_"))}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        cwd=root,
        env={
            **kept,
            "PYTHONPATH": SOURCE,
            "PRUNELLA_ROOT": str(root),
            "PRUNELLA_DSN": dsn,
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
