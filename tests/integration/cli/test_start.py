import subprocess
import sys

import pytest


def python(code, *, path=None):
    """Run code in a fresh interpreter; return what it did."""
    environment = {"PYTHONPATH": path} if path else None
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_help_loads_no_healer():
    """`--help` is instant because commands import what they need when they run."""
    code = (
        "import sys; from prunella.cli.app import run; run(['--help']); "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in "
        "('rich', 'numpy', 'sqlite3', 'pydantic_ai') or name.startswith(('prunella.wiring', "
        "'prunella.pipeline', 'prunella.adapters'))))"
    )
    done = python(code)
    assert done.stdout.rstrip().endswith("[]"), done.stdout + done.stderr


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_extra_is_named(missing):
    """Plain `pip install prunella` has the command; it says what to install, and ends with 3."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {missing!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "sys.argv = ['prunella', 'doctor']\n"
        "from prunella.cli import main\n"
        "main()\n"
    )
    done = python(code)
    assert done.returncode == 3
    assert 'pip install "prunella[heal]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_failure():
    """`prunella … | head -1` ends with 0 and without a complaint."""
    code = f"{sys.executable} -m prunella.cli --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "0\n"
    assert done.stderr == ""
