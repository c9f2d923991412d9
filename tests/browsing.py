"""A server in a process of its own, and what a browser needs to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None
)
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_READY_S = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A project that is served."""

    root: Path
    #: Address of the server, without a slash at its end.
    url: str

    @property
    def home(self) -> str:
        return f"{self.url}/p/local"


@contextmanager
def serving(root: Path, *options: str) -> Iterator[Served]:
    """Run `prunella serve` for the project at `root`; with ``--auth`` people have to log in."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRUNELLA_")}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "prunella.cli", "serve"),
            *("--port", str(port), "--root", str(root), *options),
        ],
        env=clean,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield Served(root, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def visiting(browser: "Browser", **options: Any) -> "Iterator[BrowserContext]":
    """Open a browser context of its own, and close it when its pages have come to rest.

    In the middle of a navigation Chromium now and then never answers that a context is closed.
    """
    context = browser.new_context(**options)
    yield context
    for page in context.pages:
        page.goto("about:blank")
    context.close()


def awake(page: "Page") -> None:
    """Wait until a project's page takes keys: its scripts come once it has been seen."""
    page.locator("#live:is(.on, .polling)").wait_for()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + _READY_S
    while time.monotonic() < give_up_at and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/p/local/")
            if connection.getresponse().status in {200, 303}:  # the page, or the way to the login
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError(f"prunella serve does not answer on port {port}")
