"""README and tutorial, done as a reader does them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.documents import ROOT, blocks

#: Sets up or changes the machine; `make demo` and `make test` are what CI itself runs.
NOT_RUN = ("make ", "pip install")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The reader's environment: `python` and `prunella` are found, and nothing of ours is set."""
    folder = tmp_path_factory.mktemp("bin")
    for name, arguments in (("python", ""), ("prunella", "-m prunella.cli ")):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRUNELLA_")}
    return {**kept, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def follow(page, folder, environment):
    """Do what a page says, in `folder`; return what its commands printed."""
    printed = ""
    for block in blocks(page):
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "bash" and not block.text.startswith(NOT_RUN):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.text],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 3:
                pytest.skip(done.stderr)
            assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
            printed += done.stdout
    return printed


def test_the_tutorial_leads_to_a_branch(tmp_path, environment):
    """Every command of the tutorial works, in its order, and ends with a proven patch."""
    printed = follow(ROOT / "docs" / "tutorial.md", tmp_path, environment)
    assert "sage: failed, division by zero" in printed
    assert "ratings:average" in printed
    assert "✓ proven" in printed
    assert "+++ b/ratings.py" in printed
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_the_readmes_commands_work(tmp_path, environment):
    """The quickstart of the README works in an empty folder, without git."""
    printed = follow(ROOT / "README.md", tmp_path, environment)
    assert "failed: division by zero" in printed
    assert "✓ proven" in printed
    assert Path(tmp_path, ".prunella").is_dir()
