"""Where a setting's value comes from, and what is refused."""

from pathlib import Path

import pytest

from prunella.model.errors import ConfigurationError
from prunella.model.settings import Settings, load, shown


def test_arguments_win_over_environment_over_pyproject_over_default(tmp_path: Path) -> None:
    """Each source wins over the ones behind it, and the origin says which it was."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.prunella]\nlookback_minutes = 10\nmax_candidates = 7\nmodel = 'a'\n"
    )
    loaded = load(
        tmp_path,
        arguments={"lookback_minutes": 30, "model": None},
        environ={"PRUNELLA_LOOKBACK_MINUTES": "20", "PRUNELLA_MAX_CANDIDATES": "2"},
    )
    settings = loaded.settings
    assert (settings.lookback_minutes, settings.max_candidates, settings.model) == (30, 2, "a")
    assert loaded.origins["lookback_minutes"] == "argument"
    assert loaded.origins["max_candidates"] == "PRUNELLA_MAX_CANDIDATES"
    assert loaded.origins["model"] == "pyproject.toml"
    assert loaded.origins["offline"] == "default"


def test_no_pyproject_means_defaults(tmp_path: Path) -> None:
    """A folder without pyproject.toml has the defaults."""
    assert load(tmp_path, environ={}).settings == Settings()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[tool.prunella]\nlookback = 3\n", "unknown setting 'lookback'"),
        ("[tool.prunella]\noffline = 'perhaps'\n", "pyproject.toml, offline: 'perhaps'"),
        ("[tool.prunella]\nlookback_minutes = '1h'\n", "lookback_minutes: '1h'"),
        ("[tool.prunella]\nlookback_minutes = -1\n", "at least 0"),
        ("[tool.prunella]\nreplay_timeout_s = nan\n", "finite"),
        ("[tool.prunella]\nmodel = 3\n", "model: 3"),
        ("[tool.prunella]\nsandbox = 'docker'\n", "none of auto, bubblewrap"),
        ("[tool]\nprunella = 3\n", "must be a table"),
        ("[tool", "not valid TOML"),
    ],
)
def test_bad_settings_are_refused_with_their_place(tmp_path: Path, toml: str, message: str) -> None:
    """A bad value raises an error that names where it stands and what it is."""
    (tmp_path / "pyproject.toml").write_text(toml)
    with pytest.raises(ConfigurationError, match=message.replace("[", "\\[")):
        load(tmp_path, environ={})


def test_bad_variable_is_refused_by_its_name(tmp_path: Path) -> None:
    """A bad environment variable is named in the error."""
    with pytest.raises(ConfigurationError, match="PRUNELLA_CAPTURE: 'everything'"):
        load(tmp_path, environ={"PRUNELLA_CAPTURE": "everything"})


def test_an_address_with_a_password_comes_from_the_environment_alone(tmp_path: Path) -> None:
    """What is committed may name the database, and not what opens it; neither repr nor `shown` has it."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.prunella]\ndatabase = "postgresql://ana@db/prod"\n'
    )
    assert load(tmp_path, environ={}).settings.database == "postgresql://ana@db/prod"
    (tmp_path / "pyproject.toml").write_text(
        '[tool.prunella]\ndatabase = "postgresql://ana:s3cret@db/prod"\n'
    )
    with pytest.raises(ConfigurationError, match="PRUNELLA_DATABASE") as caught:
        load(tmp_path, environ={})
    assert "s3cret" not in str(caught.value)
    (tmp_path / "pyproject.toml").unlink()
    settings = load(
        tmp_path, environ={"PRUNELLA_DATABASE": "postgresql://ana:s3cret@db/prod"}
    ).settings
    assert settings.database.endswith(":s3cret@db/prod")
    assert "s3cret" not in repr(settings)
    assert shown("database", settings.database) == "postgresql://ana@db/prod"


@pytest.mark.parametrize("name", ["", "Shop", "1shop", "shop;", 'a"b', "a" * 64, "-a", "ä"])
def test_a_projects_name_is_plain(tmp_path: Path, name: str) -> None:
    """A name that no schema could be named after is refused where it is set."""
    with pytest.raises(ConfigurationError, match="PRUNELLA_PROJECT"):
        load(tmp_path, environ={"PRUNELLA_PROJECT": name})
