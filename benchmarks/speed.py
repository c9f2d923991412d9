"""How long healing takes in a larger project, and where the time goes.

    python benchmarks/speed.py [--files N] [--runs N]

Generates a committed project of 500 Python files (about 60 lines each, which import each other) in
a temporary folder and runs its program, which calls one function until 50 calls are recorded and
lets it fail. Then `prunella heal FUNCTION` is timed as a command, from its start to its end, with
the built-in rules alone and without project tests; and once more step by step within one process.

Prints the minimum and the median of the command's runs, the number of candidates that got a
verdict, and the seconds of each step.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from prunella.wiring.healer import Healer

CALLS = 50
MODULE = '''\
"""Module {number} of a generated project."""

from dataclasses import dataclass

from pkg{folder}.part{other} import Row{other}, total{other}


@dataclass
class Row{number}:
    """One line of table {number}."""

    name: str
    price: float
    pieces: int = 1

    def worth(self) -> float:
        return self.price * self.pieces

    def label(self) -> str:
        if not self.name:
            return ""
        return f"{{self.name}} ({{self.pieces}})"


def total{number}(rows):
    """Return what the rows are worth."""
    result = 0.0
    for row in rows:
        result += row.worth()
    return round(result, 2)


def merged{number}(rows, others):
    """Return rows of both tables by name."""
    found = {{}}
    for row in rows:
        found[row.name] = row
    for row in others:
        if row.name in found:
            found[row.name].pieces += row.pieces
        else:
            found[row.name] = Row{number}(row.name, row.price, row.pieces)
    return found


def compared{number}(rows):
    """Return how two tables compare."""
    others = [Row{other}(row.name, row.price) for row in rows]
    return total{number}(rows) - total{other}(others)
'''
TARGET = '''

@heal
def names{number}(rows):
    """Return the names of the rows in capitals, those without a name left out."""
    found = []
    for row in rows:
        if row.pieces:
            found.append(row.name.strip().upper())
    return found


@heal
def line{number}(rows):
    """Return the names as text."""
    return ", ".join(names{number}(rows)) or "none"
'''
MAIN = """\
import time

from pkg{folder}.part{number} import Row{number}, line{number}, names{number}

for size in range(1, {calls} + 1):
    rows = [Row{number}(f"r{{n}}", 1.5 * n, n) for n in range(size % 9 + 1)]
    names{number}(rows)
    time.sleep(0.06)  # a function is recorded once in 50 ms
    if size % 5 == 0:
        line{number}(rows)
for function in (names{number}, names{number}, line{number}):
    try:
        function([Row{number}("a", 1.0), Row{number}(None, 2.0)])
    except AttributeError:
        pass
"""


def generate(root: Path, files: int) -> str:
    """Write and commit the project, run its program; return the name of what fails in it."""
    target = files // 2
    for number in range(files):
        folder = root / f"pkg{number % 10}"
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        other = number // 2 if number else 0
        text = MODULE.format(number=number, other=other, folder=other % 10)
        if number == 0:
            text = text.replace("from pkg0.part0 import Row0, total0\n", "")
        if number == target:
            text = text.replace("from dataclasses", "from prunella import heal\nfrom dataclasses")
            text += TARGET.format(number=number)
        (folder / f"part{number}.py").write_text(text)
    main = MAIN.format(folder=target % 10, number=target, calls=CALLS)
    (root / "main.py").write_text(main)
    (root / "pyproject.toml").write_text("[tool.prunella]\n")
    (root / ".gitignore").write_text(".prunella/\n__pycache__/\n")
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", *identity, *command], cwd=root, check=True)
    subprocess.run([sys.executable, "main.py"], cwd=root, check=True)
    return f"names{target}"


def command_s(root: Path, function: str) -> tuple[float, float]:
    """Return how long the command takes, and how much processor time it and its sandboxes take."""
    command = [sys.executable, "-m", "prunella.cli", "heal", function, "--dry-run"]
    before, started = processor_s(), time.perf_counter()
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started, processor_s() - before


def processor_s() -> float:
    """Return the processor time of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def steps(root: Path, function: str) -> None:
    """Heal within this process and print the steps."""
    marks = [("opening the store, taking in what was recorded", time.perf_counter())]

    def told(what: str) -> None:
        marks.append((what, time.perf_counter()))

    with Healer(root=root, progress=told) as healer:
        healer.refresh()
        (incident, *_) = healer.pending(function=function)
        calls = len(healer.store.calls(incident.site_id, limit=1000))
        healing = healer.heal(incident, keep=False)
    end = time.perf_counter()
    for (what, at), (_, until) in zip(marks, [*marks[1:], ("", end)], strict=True):
        print(f"  {until - at:7.2f} s  {what}")
    print(f"  {end - marks[0][1]:7.2f} s  in all; {calls} passing calls were recorded")
    print(f"{len(healing.proposals)} candidates with a verdict; the first: {healing.explanation}")


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prunella-speed-") as name:
        root = Path(name) / "project"
        root.mkdir()
        function = generate(root, options.files)
        taken = [command_s(root, function) for _ in range(options.runs)]
        lasted, computed = zip(*taken, strict=True)
        print(
            f"prunella heal {function} in a project of {options.files} files: "
            f"{min(lasted):.2f} s at least, {statistics.median(lasted):.2f} s in the middle "
            f"({min(computed):.2f} s of processor time)"
        )
        steps(root, function)


if __name__ == "__main__":
    main()
