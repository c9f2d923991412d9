"""The project's own tests, run in the sandbox."""

import sys
from pathlib import Path
from typing import Any

import pytest

from builders import process
from prunella.adapters.sandbox import detect
from prunella.adapters.test_runner import SandboxTestRunner, find_tests, read_results
from prunella.model.errors import ConfigurationError, SandboxUnavailable
from prunella.model.records import Process
from prunella.model.settings import Settings

SOURCE = "def half(x):\n    return x / 2\n"
TESTS = (
    "import pytest\nfrom goods import half\n"
    "def test_half(): assert half(4) == 2\n"
    "def test_wrong(): assert half(4) == 3\n"
    "@pytest.mark.skip\ndef test_skipped(): pass\n"
    "@pytest.mark.parametrize('x', [1, 2])\ndef test_each(x): assert half(2 * x) == x\n"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    try:
        detect("auto")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    folder = tmp_path / "tree"
    (folder / "tests").mkdir(parents=True)
    (folder / "goods.py").write_text(SOURCE)
    (folder / "tests" / "test_goods.py").write_text(TESTS)
    return folder


def here() -> Process:
    return process(executable=sys.executable, sys_path=("/srv/shop", *sys.path))


def runner(**settings: Any) -> SandboxTestRunner:
    return SandboxTestRunner(Settings(**settings))


def test_each_test_is_told(tree: Path) -> None:
    """A report names every test with its result."""
    report = runner().run(tree, here(), {})
    assert report is not None
    assert report.results == {
        "tests.test_goods::test_half": "passed",
        "tests.test_goods::test_wrong": "failed",
        "tests.test_goods::test_skipped": "skipped",
        "tests.test_goods::test_each[1]": "passed",
        "tests.test_goods::test_each[2]": "passed",
    }
    assert report.exit_code == 1
    assert "1 failed" in report.tail


def test_the_overlay_is_tested_and_the_tree_left_alone(tree: Path) -> None:
    """Tests see the patch; nothing they write reaches the tree."""
    report = runner().run(
        tree,
        here(),
        {
            "goods.py": b"open('written', 'w').close()\ndef half(x):\n    return 3\n",
            "tests/test_new.py": b"def test_new(): pass\n",
        },
    )
    assert report is not None
    assert report.results["tests.test_goods::test_wrong"] == "passed"
    assert report.results["tests.test_goods::test_half"] == "failed"
    assert report.results["tests.test_new::test_new"] == "passed"
    assert sorted(path.name for path in tree.iterdir()) == ["goods.py", "tests"]
    assert (tree / "goods.py").read_text() == SOURCE


def test_a_single_module_can_be_run(tree: Path) -> None:
    """`only` runs one module, also one that is new in the overlay."""
    overlay = {
        "tests/test_new.py": b"from goods import half\ndef test_new(): assert half(2) == 1\n"
    }
    report = runner().run(tree, here(), overlay, only="tests/test_new.py")
    assert report is not None
    assert report.results == {"tests.test_new::test_new": "passed"}


def test_no_tests_are_no_report(tree: Path) -> None:
    """A project without tests has no result, good or bad."""
    (tree / "tests" / "test_goods.py").unlink()
    assert runner().run(tree, here(), {}) is None
    (tree / "tests" / "test_empty.py").write_text("x = 1\n")
    assert runner().run(tree, here(), {}) is None


def test_an_own_command_counts_by_its_exit_code(tree: Path) -> None:
    """A command that isn't pytest is judged by how it ends."""
    good = runner(test_command="python -c 'import goods'").run(tree, here(), {})
    bad = runner(test_command="sh -c 'exit 3'").run(tree, here(), {})
    missing = runner(test_command="no-such-command").run(tree, here(), {})
    assert good is not None
    assert (good.exit_code, dict(good.results)) == (0, {})
    assert bad is not None
    assert bad.exit_code == 3
    assert missing is not None
    assert missing.exit_code == 127
    assert "can't be executed" in missing.tail


def test_tests_that_do_not_end_are_ended(tree: Path) -> None:
    """A run has a time limit; what is over it is said to be."""
    (tree / "tests" / "test_goods.py").write_text("import time\ntime.sleep(1000)\n")
    report = runner(test_timeout_s=2.0).run(tree, here(), {})
    assert report is not None
    assert report.timed_out


def test_output_is_bounded(tree: Path) -> None:
    """However much a test prints, only the end is kept."""
    (tree / "tests" / "test_goods.py").write_text(
        "def test_loud():\n    print('x' * 5_000_000)\n    assert 0\n"
    )
    report = runner().run(tree, here(), {})
    assert report is not None
    assert len(report.tail) <= 8_000
    assert "1 failed" in report.tail


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<not xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite><testcase name="&a;"/></testsuite>',
        b"\xff\xfe\x00",
    ],
)
def test_a_hostile_report_gives_no_results(tmp_path: Path, content: bytes) -> None:
    """A report that is malformed or declares entities isn't believed."""
    path = tmp_path / "junit.xml"
    path.write_bytes(content)
    assert read_results(path) == {}


def test_a_report_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """What was written in the sandbox can't lead out of it."""
    secret = tmp_path / "other.xml"
    secret.write_text('<testsuite><testcase classname="a" name="b"/></testsuite>')
    link = tmp_path / "junit.xml"
    link.symlink_to(secret)
    assert read_results(link) == {}
    assert read_results(secret) == {"a::b": "passed"}


class Files:
    """A repository of given files."""

    root = Path("/srv/shop")
    commit = None

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def files(self) -> list[str]:
        return list(self._files)

    def read(self, path: str) -> bytes | None:
        return self._files[path].encode() if path in self._files else None


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"tests/test_a.py": ""}, True),
        ({"test_a.py": ""}, True),
        ({"pkg/tests/test_a.py": ""}, True),
        ({"checks/test_a.py": ""}, False),
        ({"checks/test_a.py": "", "pytest.ini": "[pytest]"}, True),
        ({"checks/test_a.py": "", "pyproject.toml": "[tool.pytest.ini_options]"}, True),
        ({"checks/test_a.py": "", "setup.cfg": "[tool:pytest]"}, True),
        ({"checks/test_a.py": "", "tox.ini": "[pytest]"}, True),
        ({"checks/test_a.py": "", "pyproject.toml": "not [ toml"}, False),
        ({"pytest.ini": "[pytest]"}, False),
        ({"tests/helper.py": ""}, False),
    ],
)
def test_tests_are_found_by_themselves(files: dict[str, str], found: bool) -> None:
    """pytest runs where there are test files and a configuration or a usual place for them."""
    command = find_tests(Settings(), Files(files))  # type: ignore[arg-type]
    assert (command is not None) is found
    if found:
        assert command is not None
        assert command.startswith("python -m pytest")


def test_a_command_that_is_none_is_refused() -> None:
    """An unbalanced quote in the setting is a configuration error."""
    with pytest.raises(ConfigurationError, match="test_command"):
        find_tests(Settings(test_command="pytest 'x"), Files({}))  # type: ignore[arg-type]
