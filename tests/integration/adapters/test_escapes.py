"""Patches that try to get out of the sandbox: contained, with the healer alive, and rejected."""

import os
import socket
import sys
from pathlib import Path

import pytest

from builders import call, candidate, occurrence, process
from prunella.adapters.replay import SandboxReplayer
from prunella.model.errors import SandboxUnavailable
from prunella.model.records import Process
from prunella.model.repair import Patch, Rejected, ReplayEnding
from prunella.model.settings import Settings
from prunella.validate import judge, replay_request, reproduce

PATH = "shop/prices.py"
BASE = """\
import os, socket

def average(values):
    return sum(values) / len(values)
"""
#: What a patched function does when it would have failed; `{secret}` is a file outside.
ESCAPES = {
    "network": "socket.create_connection(('127.0.0.1', {port}), 2).close()",
    "home folder": "open(os.path.expanduser('~' + '{user}') + '/{name}').close()",
    "file outside": "open('{secret}').close()",
    "environment": "os.environ['PRUNELLA_TEST_SECRET']",
    "writing outside": "open('{folder}/made', 'w').close()",
    "writing the tree": "open(__file__, 'a').close()",
    "symlink": "os.symlink('{secret}', '/tmp/link'); open('/tmp/link').close()",
    "hard link": "os.link('{secret}', '/tmp/hard')",
    "fork bomb": "[os.fork() for _ in iter(int, 1)]",
    "memory": "len(bytearray(1 << 40))",
    "kill of the parent": "os.kill(os.getppid(), 9); os.kill({pid}, 9)",
    "kill of everything": "os.kill(-1, 9)",
}


@pytest.fixture(scope="module", params=["bubblewrap", "namespaces"])
def replayer(request: pytest.FixtureRequest) -> SandboxReplayer:
    settings = Settings(sandbox=request.param, replay_timeout_s=2.0, replay_memory_mb=256)
    try:
        return SandboxReplayer(settings)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "shop").mkdir(parents=True)
    (folder / PATH).write_text(BASE)
    return folder


def here() -> Process:
    return process(executable=sys.executable, sys_path=("/srv/shop", *sys.path))


def patched(attempt: str) -> bytes:
    guard = f"    if not values:\n        {attempt}\n        return 'ESCAPED'\n    return sum"
    return BASE.replace("    return sum", guard).encode()


@pytest.mark.parametrize("escape", ESCAPES)
def test_an_escape_is_contained_and_rejected(
    tree: Path,
    tmp_path: Path,
    replayer: SandboxReplayer,
    escape: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It doesn't succeed, nothing of other variants is harmed, and the verdict is a rejection."""
    monkeypatch.setenv("PRUNELLA_TEST_SECRET", "s3cret")
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        attempt = ESCAPES[escape].format(
            port=server.getsockname()[1],
            user="",
            name=".bashrc",
            secret=secret,
            folder=tmp_path,
            pid=os.getpid(),
        )
        after = patched(attempt)
        requests = [replay_request(occurrence()), replay_request(call())]
        rows = replayer.replay(tree, here(), requests, [{}, {PATH: after}, {}])
        assert rows[1][0].ending is not ReplayEnding.RETURNED
        for row in (rows[0], rows[2]):
            assert [item.ending for item in row] == [ReplayEnding.RAISED, ReplayEnding.RETURNED]
        baseline = reproduce(replayer, tree, here(), [occurrence()], [call()])
        patch = Patch(path=PATH, qualname="average", before=BASE.encode(), after=after, diff="")
        verdicts = judge([candidate(patch=patch)], baseline, replayer, None, tree, here())
    assert isinstance(verdicts[0], Rejected)
    assert secret.read_text() == "s3cret"
    assert not (tmp_path / "made").exists()
    assert (tree / PATH).read_text() == BASE
