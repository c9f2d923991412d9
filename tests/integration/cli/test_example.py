import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from prunella.cli.example import Traffic, copy_example, drive, drive_evening
from prunella.model.errors import ConfigurationError, PrunellaError, RepositoryError


def test_the_copy_is_a_clean_repository(tmp_path):
    """Everything is committed, what the program leaves behind is ignored, nothing is left over."""
    folder = copy_example(tmp_path / "shop")
    (folder / ".prunella").mkdir()
    (folder / "shop" / "__pycache__").mkdir()
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert status.stdout == ""
    assert {"shop", "tests", "traffic.py", "pyproject.toml", ".prunellaignore"} <= {
        path.name for path in folder.iterdir()
    }


def test_settings_of_the_shells_git_do_not_reach_the_copy(tmp_path, monkeypatch):
    """A hook or a rebase that the demo runs in has GIT_ variables of another repository."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    folder = copy_example(tmp_path / "shop")
    assert (folder / ".git").is_dir()
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_in_use_is_refused(tmp_path):
    """Nothing is written into a folder that holds something, or where a file stands."""
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ConfigurationError, match="not empty"):
        copy_example(tmp_path)
    with pytest.raises(ConfigurationError, match="mine"):
        copy_example(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_without_git_nothing_is_made(tmp_path, monkeypatch):
    """The demo says what it needs before it writes anything."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="git is not installed"):
        copy_example(tmp_path / "shop")
    assert not (tmp_path / "shop").exists()


def test_traffic_is_the_same_each_time(tmp_path, monkeypatch):
    """The day is seeded: as many requests fail, and in the same way; the totals come last."""
    # Variables of the shell aren't the example's: with this one it would record nothing.
    monkeypatch.setenv("PRUNELLA_DISABLED", "1")
    folder = copy_example(tmp_path / "shop")
    first, second = list(drive(folder)), list(drive(folder))
    assert first[-1] == second[-1] == Traffic(requests=1500, failed=len(first) - 1)
    # What stands in front of the message: the interpreter words a RecursionError differently.
    assert _without_messages(first) == _without_messages(second)
    assert any((folder / ".prunella").rglob("*"))


def test_a_program_that_does_not_run_is_told(tmp_path):
    """Exit code and last words of the program are in the message."""
    Path(tmp_path, "traffic.py").write_text("raise SystemExit('no such shop')")
    with pytest.raises(PrunellaError, match="exit code 1: no such shop"):
        list(drive(tmp_path))


def _without_messages(log):
    return [str(line).partition("(")[0] for line in log]


def test_the_evening_tells_what_failed_each_second(tmp_path):
    """All four partners are asked, and the program ends when nobody listens any more."""
    folder = copy_example(tmp_path / "shop")
    heard = []
    with closing(drive_evening(folder, 60)) as driven:
        for second in driven:
            heard.append(second)
            if len(heard) == 3:
                break
    asked = {name for second in heard for name in second}
    assert asked == {"exchange_rate", "delivery_quote", "describe", "search"}
    assert all(each.failed <= each.requests for second in heard for each in second.values())


def test_an_evening_that_does_not_run_says_why(tmp_path):
    """The program's last words are in the message."""
    folder = copy_example(tmp_path / "shop")
    (folder / "evening.py").write_text("raise SystemExit('no evening')")
    with pytest.raises(PrunellaError, match="no evening"):
        list(drive_evening(folder, 3))
