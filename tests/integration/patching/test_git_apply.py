"""Diffs, applied by the real git."""

import subprocess
from pathlib import Path

import pytest

from prunella.patching import replace_function, unified_diff

CASES = {
    "plain.py": (b"a = 1\nb = 2\n", b"a = 1\nb = 3\n"),
    "no newline.py": (b"a = 1\nb = 2", b"a = 1\nb = 3"),
    "gains_newline.py": (b"a = 1", b"a = 1\n"),
    "loses_newline.py": (b"a = 1\nb\n", b"a = 1\nb"),
    "crlf.py": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    "cr.py": (b"a\rb\rc", b"a\rB\rc"),
    "latin.py": (b"# \xe9\nx\n", b"# \xe9\n\xfc\n"),
    "folder/ü'\".py": (b"x\n", b"y\n"),
    "far.py": (
        b"".join(b"%d\n" % n for n in range(99)),
        b"0\n" + b"".join(b"%d\n" % n for n in range(2, 97)),
    ),
    "emptied.py": (b"x\n", b""),
    "filled.py": (b"", b"x\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_git_applies_the_diff_exactly(name: str, tmp_path: Path) -> None:
    """`git apply` of the diff makes the file equal to `after`, byte by byte."""
    before, after = CASES[name]
    _check(tmp_path, name, before, after)


def test_git_applies_a_new_file(tmp_path: Path) -> None:
    """A file that wasn't there is made."""
    _check(tmp_path, "new/file.py", None, b"x = 1\n")


def test_git_applies_a_patched_function(tmp_path: Path) -> None:
    """What `replace_function` does is what its diff does."""
    before = b"import os\r\n\r\ndef f(x):\r\n    return 1 / x"
    result = replace_function(before, "f", "import re\ndef f(x):\n    return 0\n")
    _check(tmp_path, "a.py", result.before, result.after)


def _check(folder: Path, name: str, before: bytes | None, after: bytes) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    if before is not None:
        path.write_bytes(before)
    diff = unified_diff(name, before, after).encode("utf-8", "surrogateescape")
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=folder, input=diff, check=True)
    assert path.read_bytes() == after
