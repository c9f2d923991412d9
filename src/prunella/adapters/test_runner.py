"""Runs a project's own tests in a sandbox, on a private copy of the checked-out tree."""

import configparser
import os
import select
import shlex
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired
from xml.etree import ElementTree

from prunella.adapters import mounts
from prunella.adapters.replay import rerooted_path
from prunella.adapters.replay_runner.confine import Confinement
from prunella.adapters.sandbox import open_sandbox
from prunella.model.errors import ConfigurationError
from prunella.model.records import Process
from prunella.model.repair import TestReport
from prunella.model.settings import Settings
from prunella.ports import Overlay, Repository

#: Tests build and load more than one replayed call does.
_MEMORY_FACTOR = 4
_FILE_BYTES = 1 << 30
_PROCESSES = 512
_TAIL_BYTES = 8_000
_MAX_REPORT_BYTES = 32 * 1024 * 1024
_MAX_TESTS = 100_000
_TIMEOUT_S = 600.0
_PYTEST = ("{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider")
#: pytest's exit code for: no test was collected.
_NOTHING_COLLECTED = 5


class SandboxTestRunner:
    """Implements `prunella.ports.TestRunner`; raises `SandboxUnavailable` when it is made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        limits = Confinement(
            memory_bytes=_MEMORY_FACTOR * settings.replay_memory_mb * 1024 * 1024,
            file_bytes=_FILE_BYTES,
            processes=_PROCESSES,
        )
        self._sandbox = open_sandbox(settings.sandbox, limits)

    def run(
        self, tree: Path, process: Process, overlay: Overlay, *, only: str = ""
    ) -> TestReport | None:
        """Run the configured command, or pytest where the project has tests for it.

        ``None`` where there are none, or where the program's interpreter has no pytest.
        """
        command = test_command(self._settings, [*_tree_files(tree), *overlay], _reader(tree))
        if command is None:
            return None
        if only:
            command = [*_PYTEST, only]
        with tempfile.TemporaryDirectory(prefix="prunella-tests-") as name:
            copy = Path(name, "tree")
            shutil.copytree(tree, copy, symlinks=True)
            for path, content in overlay.items():
                target = copy / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            return self._run(command, copy, process, Path(name))

    def _run(
        self, command: Sequence[str], copy: Path, process: Process, private: Path
    ) -> TestReport | None:
        executable = self._settings.python or process.executable
        results_folder = private / "results"
        results_folder.mkdir()
        results_file = results_folder / "junit.xml"
        command = [executable if item == "{python}" else item for item in command]
        whole = [*command, f"--junitxml={results_file}"] if _is_pytest(command) else command
        path = rerooted_path(process, copy)
        variables = {
            "PATH": f"{Path(executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(_own_entries(path, copy)),
            "PRUNELLA_DISABLED": "1",
        }
        started = time.monotonic()
        with self._sandbox.run_module(
            "launch",
            executable=executable,
            arguments=whole,
            readable=mounts.import_folders(path),
            writable=(str(copy), str(results_folder)),
            variables=variables,
            folder=str(copy),
            stdout=PIPE,
            stderr=STDOUT,
        ) as running:
            timeout_s = self._settings.test_timeout_s or _TIMEOUT_S
            tail, timed_out = _listen(running, started + timeout_s)
        if _is_pytest(command) and _no_tests(running.returncode, tail):
            return None
        return TestReport(
            command=tuple(command),
            results={} if timed_out else read_results(results_file),
            exit_code=running.returncode,
            duration_s=round(time.monotonic() - started, 3),
            tail=tail,
            timed_out=timed_out,
        )


def find_tests(settings: Settings, repository: Repository) -> str | None:
    """Return the command that would run the project's tests, for people; ``None`` without tests."""
    command = test_command(settings, repository.files(), repository.read)
    return None if command is None else shlex.join(command).replace("'{python}'", "python")


def test_command(
    settings: Settings, files: Sequence[str], read: Callable[[str], bytes | None]
) -> list[str] | None:
    """Return the command as a list in which ``{python}`` stands for the program's interpreter.

    The setting ``test_command`` decides; else pytest, where the project configures it or has a
    folder of tests or a test module. Raises `ConfigurationError` for a command that isn't one.
    """
    if settings.test_command:
        try:
            command = shlex.split(settings.test_command)
        except ValueError as error:
            raise ConfigurationError(
                f"the setting test_command, {settings.test_command!r}, is no command: {error}"
            ) from error
        if command and command[0] in ("python", "python3"):
            command[0] = "{python}"
        return command or None
    if not any(_is_test_file(path) for path in files):
        return None
    in_tests = any(_is_test_file(p) and _below_tests_or_top(p) for p in files)
    if not in_tests and not _configures_pytest(read):
        return None
    return list(_PYTEST)


def _is_test_file(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _below_tests_or_top(path: str) -> bool:
    folders = PurePosixPath(path).parts[:-1]
    return not folders or any(folder in ("tests", "test") for folder in folders)


def _configures_pytest(read: Callable[[str], bytes | None]) -> bool:
    if read("pytest.ini") is not None or read(".pytest.ini") is not None:
        return True
    try:
        project = tomllib.loads((read("pyproject.toml") or b"").decode())
        if "pytest" in project.get("tool", {}):
            return True
    except (ValueError, AttributeError, TypeError):
        return False
    for path, section in (("setup.cfg", "tool:pytest"), ("tox.ini", "pytest")):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string((read(path) or b"").decode())
        except (configparser.Error, UnicodeDecodeError):
            continue
        if parser.has_section(section):
            return True
    return False


def _tree_files(tree: Path) -> list[str]:
    found = []
    for folder, subfolders, files in os.walk(tree):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [os.path.relpath(f"{folder}/{name}", tree) for name in files]
    return found


def _reader(tree: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        try:
            return (tree / path).read_bytes()
        except OSError:
            return None

    return read


def _is_pytest(command: Sequence[str]) -> bool:
    return any(PurePosixPath(item).name in ("pytest", "py.test") for item in command[:3])


def _own_entries(path: Sequence[str], copy: Path) -> list[str]:
    """Return what the interpreter doesn't put on its import path by itself."""
    return [
        entry
        for entry in path
        if entry == str(copy)
        or entry.startswith(f"{copy}/")
        or not ("site-packages" in entry or "dist-packages" in entry or "/lib/python3" in entry)
    ]


def _no_tests(exit_code: int, tail: str) -> bool:
    missing = "No module named pytest" in tail or "No module named 'pytest'" in tail
    return exit_code == _NOTHING_COLLECTED or (exit_code != 0 and missing)


def _listen(process: "Popen[bytes]", deadline: float) -> tuple[str, bool]:
    """Return the last output and whether the time ran out before its end."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    tail = b""
    descriptor = process.stdout.fileno()
    timed_out = False
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            timed_out = True
            break
        part = os.read(descriptor, 1 << 16)
        if not part:
            break
        tail = (tail + part)[-_TAIL_BYTES:]
    process.stdout.close()
    if not timed_out:
        # It may have closed its output and go on.
        try:
            process.wait(max(deadline - time.monotonic(), 1.0))
        except TimeoutExpired:
            timed_out = True
    return tail.decode(errors="replace"), timed_out


def read_results(path: Path) -> Mapping[str, str]:
    """Return test id → ``passed``, ``failed``, ``error`` or ``skipped`` from a JUnit XML file.

    The file comes from the sandbox: one that is missing, too large, malformed, or that declares
    entities gives no results.
    """
    try:
        if path.is_symlink() or path.stat().st_size > _MAX_REPORT_BYTES:
            return {}
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            return {}
        root = ElementTree.fromstring(data)  # noqa: S314 - bounded, and without entities
    except (OSError, ElementTree.ParseError, ValueError):
        return {}
    results: dict[str, str] = {}
    for case in root.iter("testcase"):
        if len(results) >= _MAX_TESTS:
            break
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        results[name] = _worse(results.get(name), _result(case))
    return results


def _result(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    if "error" in kinds:
        return "error"
    if "failure" in kinds:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def _worse(one: str | None, other: str) -> str:
    """A test with a failing teardown is reported twice; the worse report counts."""
    order = ("passed", "skipped", "failed", "error")
    return other if one is None else max(one, other, key=order.index)
