"""Projects to run commands on."""

import shutil

import pytest

from acceptance.projects import RATINGS, RUN, Project

#: What these tests run in the sandbox is their own; isolation has tests of its own.
_ENVIRONMENT = {"PRUNELLA_SANDBOX": "none"}


@pytest.fixture
def project(tmp_path):
    """A committed program that has never run."""
    folder = tmp_path / "shop"
    folder.mkdir()
    made = Project(folder=folder, top=folder, environment=dict(_ENVIRONMENT))
    made.write({"ratings.py": RATINGS, "run.py": RUN, ".gitignore": "__pycache__/\n"})
    made.commit()
    return made


@pytest.fixture(scope="session")
def _template(tmp_path_factory):
    """The committed program after a run; its failure is in the spool."""
    folder = tmp_path_factory.mktemp("template") / "shop"
    folder.mkdir()
    made = Project(folder=folder, top=folder, environment=dict(_ENVIRONMENT))
    made.write({"ratings.py": RATINGS, "run.py": RUN, ".gitignore": "__pycache__/\n"})
    made.commit()
    made.record()
    return made


@pytest.fixture
def recorded(tmp_path, _template):
    """A committed program whose failure has been recorded; tests may do to it what they like."""
    folder = tmp_path / "shop"
    shutil.copytree(_template.folder, folder)
    return Project(folder=folder, top=folder, environment=dict(_ENVIRONMENT))
