"""A server for each test, with a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.report_server import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    root = tmp_path / "server"
    root.mkdir()
    found = Server(root)
    yield found
    found.close()
