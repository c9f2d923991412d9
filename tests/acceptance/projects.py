"""Small programs in folders of their own, and the real command line run on them."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RATINGS = '''\
from prunella import heal


@heal
def average(stars):
    """Return the mean of the stars, 0.0 where there are none."""
    return sum(stars) / len(stars)
'''
RUN = """\
from ratings import average

for stars in ([4, 5], [1, 2, 3], [5], []):
    try:
        average(stars)
    except ZeroDivisionError:
        pass
"""
#: What is ours: the data folder, and branches below this.
_DATA = ".prunella"
_BRANCHES = "refs/heads/prunella/"
_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its standard output, which must be one JSON document."""
        return json.loads(self.out)

    @property
    def message(self) -> str:
        """What stopped it, as JSON and stderr say alike."""
        message: str = self.document["error"]["message"]
        assert " ".join(self.err.split()).startswith("prunella: ")
        return message


@dataclass(slots=True, kw_only=True)
class Project:
    """A program in `folder`; `top` is the folder of its git repository."""

    folder: Path
    top: Path
    #: Environment variables of every command.
    environment: dict[str, str] = field(default_factory=dict)
    #: Put before each command.
    prefix: list[str] = field(default_factory=list)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files by their path relative to the project."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def git(self, *arguments: str) -> str:
        """Run git in the project and return what it printed."""
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.top,
            env={**_clean(), "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def commit(self) -> None:
        """Put everything under version control."""
        self.git("init", "--quiet", "--template=", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "As it is")

    def python(self, *arguments: str, stdin: str = "") -> Ended:
        """Run the program's interpreter in its folder."""
        return self._run([sys.executable, *arguments], stdin=stdin)

    def record(self, script: str = RUN) -> None:
        """Run the program, so that its failures are recorded."""
        ended = self.python("-c", script) if script != RUN else self.python("run.py")
        assert ended.code == 0, ended.err

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run a prunella command; it must end without a traceback and leave the user's alone."""
        before = self.belongings()
        command = [sys.executable, "-m", "prunella.cli", *arguments]
        ended = self._run(command, **environment)
        assert "Traceback" not in ended.out + ended.err, ended.out + ended.err
        assert self.belongings() == before
        if "--json" in arguments:
            assert isinstance(ended.document, dict), ended.out
        return ended

    def _run(self, command: list[str], stdin: str = "", **environment: str) -> Ended:
        done = subprocess.run(
            [*self.prefix, *command],
            cwd=self.folder,
            env={**_clean(), **self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    def belongings(self) -> Mapping[str, str]:
        """Return what is the user's: files, index, HEAD, branches other than ours, status."""
        found = {}
        for path in sorted(self.top.rglob("*")):
            inside = path.relative_to(self.top).parts
            if path.is_file() and not {".git", _DATA, "__pycache__"} & set(inside):
                found["/".join(inside)] = _digest(path)
        git = self.top / ".git"
        if git.is_dir():
            for name in ("HEAD", "index", "config"):
                if (git / name).exists():
                    found[f".git/{name}"] = _digest(git / name)
            refs = self.git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
            found["refs"] = "\n".join(ref for ref in refs if _BRANCHES not in ref)
            found["status"] = self.git("status", "--porcelain")
        return found

    def branches(self) -> list[str]:
        """Return the names of the branches that Prunella made."""
        return self.git("for-each-ref", "--format=%(refname:short)", _BRANCHES).splitlines()


def refused(project: Project, *arguments: str, code: int, **environment: str) -> str:
    """Run a command that must be refused with `code`; return its message."""
    ended = project.run(*arguments, "--json", **environment)
    assert ended.code == code, (ended.out, ended.err)
    return ended.message


def problems(ended: Ended) -> list[str]:
    """Return the areas in which doctor says that something doesn't work."""
    findings = ended.document["findings"]
    return [item["area"] for item in findings if item["level"] == "problem"]


def _clean() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PRUNELLA_", "GIT_", "OPENAI_", "ANTHROPIC_"))
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
