"""`prunella demo --serve`: the dashboard on the example program while its traffic goes on."""

import json
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

_PATIENCE_S = 120


def test_the_demo_is_served_while_its_traffic_runs(tmp_path: Path) -> None:
    """Failures of the running program show up in the dashboard; the interrupt ends both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "prunella.cli", "demo", "--serve", "--json"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--dir", str(tmp_path / "shop")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["url"].endswith(f":{port}/")
        give_up_at = time.monotonic() + _PATIENCE_S
        while "shop.partners" not in _page(port, "/p/local/incidents?site=shop.partners"):
            assert time.monotonic() < give_up_at
            time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def _page(port: int, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        page = connection.getresponse().read().decode()
        return page.partition("data-list")[2]
    except OSError:
        return ""  # it isn't up yet
    finally:
        connection.close()
