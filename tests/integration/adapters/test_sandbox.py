"""What runs in the sandbox stays in the sandbox, at every level that isolates."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from prunella.adapters import sandbox as sandboxes
from prunella.adapters.replay_runner.confine import Confinement
from prunella.adapters.sandbox import Sandbox, detect
from prunella.model.errors import SandboxUnavailable


def works(level: str) -> bool:
    try:
        return detect(level) == level
    except SandboxUnavailable:
        return False


@pytest.fixture(params=["bubblewrap", "namespaces"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    if not works(request.param):
        pytest.skip(f"{request.param} does not work on this machine")
    limits = Confinement(memory_bytes=256 << 20, file_bytes=1 << 20, processes=64)
    return Sandbox(level=request.param, limits=limits)


def run(
    sandbox: Sandbox, program: str, *arguments: str, writable: tuple[str, ...] = ()
) -> tuple[int, str]:
    """Run a Python program inside; return its exit code and output."""
    with sandbox.run_module(
        "launch",
        executable=sys.executable,
        arguments=(sys.executable, "-I", "-c", program, *arguments),
        writable=writable,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        output, _ = process.communicate(timeout=60)
    return process.returncode, output.decode(errors="replace")


TRY = """
import sys
def attempt(action):
    try:
        print("REACHED", action())
    except (OSError, ValueError) as error:
        print("contained", type(error).__name__)
"""


def test_a_command_runs_and_its_exit_code_comes_back(sandbox: Sandbox) -> None:
    """Inside is an ordinary Python."""
    assert run(sandbox, "import json, ssl, sqlite3; print(6 * 7); raise SystemExit(3)") == (
        3,
        "42\n",
    )


def test_the_network_is_not_there(sandbox: Sandbox) -> None:
    """Neither the host's own loopback nor any other address answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        program = TRY + (
            "import socket\n"
            "attempt(lambda: socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2))\n"
            "attempt(lambda: socket.create_connection(('192.0.2.1', 80), 2))\n"
        )
        _, output = run(sandbox, program, port)
    assert output.splitlines() == ["contained ConnectionRefusedError", "contained OSError"]


def test_abstract_sockets_of_the_host_are_out_of_reach(sandbox: Sandbox) -> None:
    """A socket in the abstract namespace, as desktop sessions have, can't be connected to."""
    name = f"\0prunella-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        program = TRY + (
            "import socket\n"
            "channel = socket.socket(socket.AF_UNIX)\n"
            "attempt(lambda: channel.connect(chr(0) + sys.argv[1]))\n"
        )
        _, output = run(sandbox, program, name[1:])
    assert "REACHED" not in output


def test_the_home_folder_is_hidden(sandbox: Sandbox) -> None:
    """Files of the home folder don't exist inside, whatever they are called there."""
    home = Path.home()
    program = TRY + (
        "import os\n"
        "for name in ('.ssh', '.netrc', '.bashrc', '.profile', '.aws', '.gitconfig', '.pypirc'):\n"
        "    attempt(lambda: os.stat(os.path.join(sys.argv[1], name)))\n"
        "print(os.path.expanduser('~'), os.listdir(os.path.expanduser('~')))\n"
    )
    _, output = run(sandbox, program, str(home))
    assert "REACHED" not in output
    assert output.splitlines()[-1] == f"{sandboxes.HOME} []"


def test_secret_files_of_the_machine_are_hidden(sandbox: Sandbox, tmp_path: Path) -> None:
    """Passwords, other users' folders and other temporary files don't exist inside."""
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    program = TRY + (
        "for path in ('/etc/shadow', '/etc/passwd', '/var/log', '/home', '/run', '/sys', sys.argv[1]):\n"
        "    attempt(lambda: open(path).read() if '.' in path else __import__('os').listdir(path))\n"
    )
    _, output = run(sandbox, program, str(secret))
    assert "REACHED" not in output


def test_the_environment_is_empty(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the healer gets in, nor can it be read from another process."""
    monkeypatch.setenv("MY_API_KEY", "hunter2")
    program = (
        "import glob, os\n"
        "print(sorted(os.environ))\n"
        "for path in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try:\n"
        "        print(open(path).read())\n"
        "    except OSError:\n"
        "        pass\n"
    )
    _, output = run(sandbox, program)
    assert "hunter2" not in output
    assert "MY_API_KEY" not in output


def test_nothing_outside_can_be_written(sandbox: Sandbox, tmp_path: Path) -> None:
    """System, interpreter, package and foreign folders refuse; only what was given is writable."""
    given = tmp_path / "given"
    given.mkdir()
    program = TRY + (
        "for path in ('/x', '/usr/x', '/etc/x', '/proc/sys/kernel/core_pattern', sys.prefix + '/x',\n"
        "             sys.argv[1] + '/x', '/dev/x'):\n"
        "    attempt(lambda: open(path, 'w'))\n"
        "open(sys.argv[2] + '/inside', 'w').write('ok')\n"
    )
    code, output = run(sandbox, program, str(tmp_path), str(given), writable=(str(given),))
    assert code == 0, output
    assert "REACHED" not in output
    assert (given / "inside").read_text() == "ok"
    assert not (tmp_path / "x").exists()


def test_links_lead_nowhere(sandbox: Sandbox, tmp_path: Path) -> None:
    """A symbolic or hard link made inside doesn't reach what isn't there."""
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    given = tmp_path / "given"
    given.mkdir()
    program = TRY + (
        "import os\n"
        "os.symlink(sys.argv[1], sys.argv[2] + '/link')\n"
        "attempt(lambda: open(sys.argv[2] + '/link').read())\n"
        "attempt(lambda: os.link(sys.argv[1], sys.argv[2] + '/hard'))\n"
        "os.symlink('/proc/1/root' + sys.argv[1], sys.argv[2] + '/root')\n"
        "attempt(lambda: open(sys.argv[2] + '/root').read())\n"
    )
    _, output = run(sandbox, program, str(secret), str(given), writable=(str(given),))
    assert "REACHED" not in output
    assert "hunter2" not in output


def test_a_fork_bomb_ends(sandbox: Sandbox) -> None:
    """Processes multiply up to the limit; the caller lives, and all of them are gone afterwards."""
    program = (
        "import os, time\n"
        "count = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(1000)\n"
        "        count += 1\n"
        "except BlockingIOError:\n"
        "    print(count, flush=True)\n"
        "    os._exit(0)\n"
    )
    code, output = run(sandbox, program)
    assert code == 0, output
    assert 0 < int(output) < 64


def test_memory_is_bounded(sandbox: Sandbox) -> None:
    """A program that takes too much gets a MemoryError, not the machine."""
    program = "try:\n    x = bytearray(1 << 30)\nexcept MemoryError:\n    print('bounded')\n"
    assert run(sandbox, program)[1] == "bounded\n"


def test_files_are_bounded(sandbox: Sandbox) -> None:
    """A file can't grow beyond the limit."""
    program = TRY + "attempt(lambda: open('/tmp/big', 'wb').write(bytes(2 << 20)))\n"
    assert "REACHED" not in run(sandbox, program)[1]


def test_the_caller_can_not_be_killed(sandbox: Sandbox) -> None:
    """No process of the host is visible, so that none can be signalled."""
    program = TRY + (
        "import os, signal\n"
        "attempt(lambda: os.kill(int(sys.argv[1]), signal.SIGKILL))\n"
        "os.kill(-1, signal.SIGTERM) if len(sys.argv) > 2 else None\n"
        "print(len([name for name in os.listdir('/proc') if name.isdigit()]))\n"
    )
    other = subprocess.Popen(["sleep", "60"])  # a pid that can't be one inside by chance
    try:
        # pids start again at 1 inside: take one far beyond
        pid = str(max(other.pid, 5000))
        _, output = run(sandbox, program, pid)
        assert "contained ProcessLookupError" in output
        assert int(output.splitlines()[-1]) < 8
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_no_privilege_is_left(sandbox: Sandbox) -> None:
    """Inside is an ordinary user without capabilities who can't gain any."""
    program = (
        "import os, re\n"
        "status = open('/proc/self/status').read()\n"
        "print(os.getuid() != 0, re.search('CapEff:\\\\s*(\\\\w+)', status)[1], 'NoNewPrivs:\\\\t1' in status)\n"
    )
    _, output = run(sandbox, program.replace("\\\\", "\\"))
    assert output == "True 0000000000000000 True\n"


def test_leaving_the_block_ends_everything_inside(sandbox: Sandbox) -> None:
    """A daemon that detached itself doesn't outlive the sandbox."""
    mark = f"prunella-daemon-{os.getpid()}-{sandbox.level}"
    program = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(1000)\n"
        "    os._exit(0)\n"
        "print('up', flush=True)\n"
        "time.sleep(1000)\n"
    )
    with sandbox.run_module(
        "launch",
        executable=sys.executable,
        arguments=(sys.executable, "-I", "-c", program, mark),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
    for _ in range(100):
        if not any(mark in line for line in command_lines()):
            return
        threading.Event().wait(0.05)
    pytest.fail("a process of the sandbox is still running")


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def test_nothing_is_left_in_the_temporary_folder(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox cleans up behind itself."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(sandbox, "pass")
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_interpreter_is_no_crash_of_ours(sandbox: Sandbox) -> None:
    """A program that can't be executed is an exit code."""
    with sandbox.run_module(
        "launch",
        executable=sys.executable,
        arguments=("/nowhere/program",),
        stderr=subprocess.PIPE,
    ) as process:
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 127
    assert b"can't be executed" in complaint


def test_none_is_used_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing isolates, `auto` refuses and says what to do; `none` goes on."""
    monkeypatch.setattr(sandboxes, "_try", lambda level: "not here")
    with pytest.raises(SandboxUnavailable, match=r"bubblewrap: not here.*sandbox = none"):
        detect("auto")
    with pytest.raises(SandboxUnavailable):
        detect("namespaces")
    assert detect("none") == "none"
