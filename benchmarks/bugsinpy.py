"""What Prunella makes of real bugs of real projects, with the bug's own test as the oracle.

    python benchmarks/bugsinpy.py BUGSINPY PROJECTS [--only PROJECT[:BUG] …] [--all] [--limit S]
                                                   [--resume FILE] [--json]

BUGSINPY is a clone of BugsInPy (Widyasari et al., ESEC/FSE 2020), PROJECTS a folder with clones of
the projects' own repositories, named tqdm, thefuck, cookiecutter, httpie and youtube-dl. What the
projects import is installed into ``PROJECTS/.environments`` by pip. Each bug is checked out before
the developers' patch, with the test module from after it, and ``prunella heal --test`` works on
its test in this interpreter's version of Python.

A bug that takes longer than ``--limit`` seconds to be healed is given up, and counts as abstained.
Without ``--all`` only crashes are healed: bugs whose test ends with an exception other than a
failed assertion or a time-out. A bug whose test passes, can't be run, or fails with the developers'
patch too doesn't reproduce: it is left out, and the reason is printed. `--resume` keeps each result
in a file; a run that was cut goes on there.

plausible  with the patch offered first the bug's test passes, and the tests that passed before in
           its module still do, in a fresh run; the rest of the project's tests isn't run
correct    the patched file is the developers' file, compared as syntax trees. Others may be right as
           well: both patches are printed, for a person to judge
abstained  nothing was offered
"""

import argparse
import ast
import io
import json
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from kept import Kept

from prunella.adapters.local_host import LocalHost
from prunella.adapters.plain_folder import PlainFolder
from prunella.adapters.replay import SandboxReplayer
from prunella.adapters.test_probe import SandboxTestProbe
from prunella.model.errors import NothingToHeal, PrunellaError
from prunella.model.settings import load
from prunella.pipeline.heal_tests import heal_tests, this_process
from prunella.pipeline.parts import TestParts
from prunella.pipeline.results import Healing

#: Project → what its tests import, beside pytest.
NEEDS = {
    "tqdm": ("nose", "mock", "numpy", "pandas"),
    "thefuck": ("psutil", "colorama", "six", "decorator", "pyte", "mock", "pytest-mock"),
    "cookiecutter": (
        "jinja2", "click", "poyo", "binaryornot", "requests", "future", "whichcraft", "jinja2-time",
        "pytest-mock", "python-slugify", "freezegun",
    ),
    "httpie": ("requests", "pygments", "pytest-httpbin", "httpbin", "mock", "requests-toolbelt"),
    "youtube-dl": (),
}  # fmt: skip
#: Ways of a test to fail that are no crash.
NO_CRASH = ("AssertionError", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One bug of the data set."""

    project: str
    number: int
    buggy: str
    fixed: str
    #: Test modules, taken from after the developers' patch.
    modules: tuple[str, ...]
    #: Node ids for pytest.
    tests: tuple[str, ...]
    #: The developers' patch.
    patch: str


@dataclass(slots=True, kw_only=True)
class Result:
    """What became of one bug."""

    bug: str
    #: Why its test doesn't fail here as it should; empty where it does.
    not_reproduced: str = ""
    failure: str = ""
    plausible: bool = False
    correct: bool = False
    edit: str = ""
    diff: str = ""
    developers: str = ""
    abstention: str = ""
    time_s: float = 0.0

    @property
    def crash(self) -> bool:
        return bool(self.failure) and self.failure not in NO_CRASH


def bugs(folder: Path, project: str) -> Iterator[Bug]:
    """Read the bugs of a project in the order of their numbers."""
    places = [path for path in (folder / "projects" / project / "bugs").iterdir() if path.is_dir()]
    for place in sorted(places, key=lambda path: int(path.name)):
        text = (place / "bug.info").read_text("utf-8")
        info = dict(re.findall(r'^\s*(\w+)\s*=\s*"(.*?)"', text, re.MULTILINE))
        commands = (place / "run_test.sh").read_text("utf-8").splitlines()
        yield Bug(
            project=project,
            number=int(place.name),
            buggy=info["buggy_commit_id"],
            fixed=info["fixed_commit_id"],
            modules=tuple(filter(None, info["test_file"].split(";"))),
            tests=tuple(item for line in commands if (item := _node_id(line))),
            patch=(place / "bug_patch.txt").read_text("utf-8", "replace"),
        )


def _node_id(command: str) -> str:
    """Return what a test command runs as pytest names it; empty where it isn't known."""
    words = shlex.split(command, comments=True)
    if not words:
        return ""
    last = words[-1]
    if "unittest" not in words:
        return last if ".py" in last else ""
    parts = last.split(".")
    module = [part for part in parts if part.islower() or part.startswith("test_")]
    at = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(module))
    return "::".join(["/".join(parts[:at]) + ".py", *parts[at:]])


def environment(projects: Path, project: str) -> Path:
    """Return the interpreter that the project's tests run in; makes it where it isn't there."""
    place = projects.resolve() / ".environments" / project
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        venv.create(place, with_pip=True)
        needs = ("pytest", "setuptools<80", *NEEDS[project])
        pip = [str(python), "-m", "pip", "install", "--quiet", *needs]
        subprocess.run(pip, check=True)
        (place / "ready").touch()
    return python


def _check_out(clone: Path, bug: Bug, into: Path) -> None:
    _extract(clone, bug.buggy, [], into)
    _extract(clone, bug.fixed, list(bug.modules), into)


def _extract(clone: Path, commit: str, paths: Sequence[str], into: Path) -> None:
    command = ["git", "-C", str(clone), "archive", commit, *paths]
    done = subprocess.run(command, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(into, filter="data")


class OutOfTime(BaseException):
    """The time for a bug is over; nothing that handles a project's exceptions may catch it."""


def measure(bug: Bug, projects: Path, *, every: bool, limit_s: float) -> Result:
    """Heal one bug and score the patch that is offered first."""
    result = Result(bug=f"{bug.project}:{bug.number}", developers=bug.patch)
    clone = projects / bug.project
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        root.chmod(0o755)  # a sandbox that root starts reads as an ordinary user
        try:
            _check_out(clone, bug, root)
        except subprocess.CalledProcessError as error:
            result.not_reproduced = f"git: {error.stderr.decode(errors='replace').strip()}"[:200]
            return result
        parts = _parts(root, environment(projects, bug.project))
        try:
            result.failure = _failure(parts, bug, root)
            if not (every or result.crash):
                return result
            if not _passes_when_fixed(clone, bug, projects):
                raise NothingToHeal("the test fails with the developers' patch too")
        except PrunellaError as error:
            result.not_reproduced = str(error)[-200:]
            return result
        _heal(parts, clone, bug, result, limit_s)
    return result


def _heal(parts: TestParts, clone: Path, bug: Bug, result: Result, limit_s: float) -> None:
    started = time.perf_counter()
    try:
        with _limited(limit_s):
            healing = heal_tests(parts, bug.tests, publish=False)
        _score(healing, clone, bug, result)
    except OutOfTime:
        result.abstention = f"given up after {limit_s:g} s"
    except PrunellaError as error:
        result.abstention = str(error)[:300]
    result.time_s = time.perf_counter() - started


@contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    def expire(_number: int, _frame: object) -> None:
        raise OutOfTime

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _parts(root: Path, python: Path) -> TestParts:
    settings = load(root, arguments={"python": str(python)}, environ={}).settings
    repository = PlainFolder(root)
    return TestParts(
        settings=settings,
        repository=repository,
        probe=SandboxTestProbe(settings),
        replayer=SandboxReplayer(settings),
        all_tests=False,
        host=LocalHost(repository),
        progress=lambda _what: None,
    )


def _failure(parts: TestParts, bug: Bug, root: Path) -> str:
    """Return the exception that the bug's test ends with; raises `NothingToHeal` without one."""
    process = this_process(parts, root, bug.tests)
    seen = parts.probe.observe(root, process, bug.tests, watched=False)
    failed = [test for test in seen.tests if test.failed]
    if not failed:
        raise NothingToHeal(seen.problem or f"{len(seen.tests)} tests ran, none failed")
    error = failed[0].exception
    return error.type_name if error else "died"


def _passes_when_fixed(clone: Path, bug: Bug, projects: Path) -> bool:
    """Say whether the bug's test passes behind the developers' patch, in this environment."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        root.chmod(0o755)
        _extract(clone, bug.fixed, [], root)
        parts = _parts(root, environment(projects, bug.project))
        process = this_process(parts, root, bug.tests)
        seen = parts.probe.observe(root, process, bug.tests, watched=False)
    return bool(seen.tests) and all(test.passed for test in seen.tests)


def _score(healing: Healing, clone: Path, bug: Bug, result: Result) -> None:
    best = healing.best
    if best is None or not best.accepted:
        result.abstention = healing.explanation
        return
    patch = best.candidate.patch
    result.plausible, result.edit, result.diff = True, best.candidate.description, patch.diff
    theirs = subprocess.run(
        ["git", "-C", str(clone), "show", f"{bug.fixed}:{patch.path}"],
        capture_output=True,
        check=False,
    ).stdout
    result.correct = _tree(theirs) == _tree(patch.after)


def _tree(source: bytes) -> str:
    return ast.dump(ast.parse(source))


def run(
    bugsinpy: Path, projects: Path, only: Sequence[str], kept: Kept, *, every: bool, limit_s: float
) -> list[Result]:
    """Heal the bugs that aren't kept, one after the other; tells a waiting person of each."""
    results = []
    for project in NEEDS:
        if not (projects / project).exists():
            print(f"{project}: no clone in {projects}, left out", file=sys.stderr)
            continue
        for bug in bugs(bugsinpy, project):
            name = f"{project}:{bug.number}"
            if only and project not in only and name not in only:
                continue
            found = kept.get(name)
            if found is None:
                found = asdict(measure(bug, projects, every=every, limit_s=limit_s))
                kept.add(name, found)
            results.append(Result(**found))
            print(f"{name}: {_said(results[-1])}", file=sys.stderr, flush=True)
    return results


def report(results: Sequence[Result]) -> str:
    """Return the totals of each project, what wasn't reproduced, and the plausible patches."""
    lines = ["| project | healed | correct | plausible | abstained | median s |"]
    lines.append("|---|---|---|---|---|---|")
    healed = [item for item in results if item.time_s]
    names = dict.fromkeys(item.bug.partition(":")[0] for item in results)
    for name in [*names, "all"]:
        own = [item for item in healed if name in ("all", item.bug.partition(":")[0])]
        median = f"{statistics.median(item.time_s for item in own):.1f}" if own else "-"
        good = sum(item.plausible for item in own)
        same = sum(item.correct for item in own)
        lines.append(f"| {name} | {len(own)} | {same} | {good} | {len(own) - good} | {median} |")
    others = Counter(
        "doesn't reproduce" if item.not_reproduced else "no crash"
        for item in results
        if not item.time_s
    )
    lines += ["", f"left out: {dict(others)}"]
    lines += [f"- {item.bug}: {item.not_reproduced}" for item in results if item.not_reproduced]
    for item in healed:
        lines += ["", f"{item.bug} ({item.failure}): {item.edit or item.abstention}"]
        if item.plausible:
            lines += ["correct" if item.correct else "to be judged", item.diff]
            lines += [] if item.correct else ["the developers' patch:", item.developers]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bugsinpy", type=Path, help="a clone of BugsInPy")
    parser.add_argument("projects", type=Path, help="a folder with clones of the projects")
    parser.add_argument("--only", nargs="+", default=[], help="projects, or project:number")
    parser.add_argument("--all", action="store_true", help="bugs that don't crash too")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for a bug")
    parser.add_argument("--resume", type=Path, help="file of results: done bugs are left out")
    parser.add_argument("--json", action="store_true", help="one JSON object a bug")
    given = parser.parse_args(arguments)
    options = {"every": given.all, "limit_s": given.limit}
    kept = Kept(given.resume, options)
    results = run(given.bugsinpy, given.projects, given.only, kept, **options)
    if given.json:
        for item in results:
            print(json.dumps(asdict(item)))
    else:
        print(report(results))


def _said(result: Result) -> str:
    if result.not_reproduced:
        return "doesn't reproduce"
    if not result.time_s:
        return f"no crash: {result.failure}"
    return f"{'plausible' if result.plausible else 'abstained'} ({result.time_s:.0f} s)"


if __name__ == "__main__":
    main()
