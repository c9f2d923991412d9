"""How long finding callers, callees and tests takes: `python benchmarks/neighbours.py [FOLDER]`.

Without a folder, a project of 500 files with 100,000 lines is made up: every fifth file calls the
function, every module imports others. With a folder, the first functions of its files are taken.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from prunella.adapters.retrieval import HybridRetriever
from prunella.diagnose import find_neighbours
from prunella.diagnose.scopes import parse_module
from prunella.model.repair import SourceFunction

FILES, FUNCTIONS, TARGETS = 500, 20, 10


def made_up() -> dict[str, bytes]:
    """Return a project whose files look like a service's."""
    files = {}
    for number in range(FILES):
        lines = [f"from app.part{(number + 7) % FILES} import work{(number * 3) % FUNCTIONS}", ""]
        if number % 5 == 0:
            lines.append("from app.part1 import work1")
        for index in range(FUNCTIONS):
            lines += [f"def work{index}(rows, factor={index}):", f'    """Work {index}."""']
            lines += [f"    total{n} = sum(row[{n!r}] * factor for row in rows)" for n in range(6)]
            lines += [
                "    if total1 > 3:",
                f"        return work{(index + 1) % FUNCTIONS}(rows)",
                "",
            ]
            lines.append("    return total2")
        name = f"tests/test_part{number}.py" if number % 10 == 9 else f"app/part{number}.py"
        text = "\n".join(lines) + "\n"
        files[name] = (
            text.replace("def work1(", "def test_work(").encode()
            if "test" in name
            else text.encode()
        )
    return files


def targets(files: Mapping[str, bytes]) -> list[SourceFunction]:
    """Return one function of each of the first files that have any."""
    found = []
    for path, source in files.items():
        module = parse_module(path, source)
        if module is None or len(module.functions) < 2:
            continue
        function = module.functions[1]
        found.append(
            SourceFunction(
                path=path,
                module="",
                qualname=function.qualname,
                first_line=function.first_line,
                last_line=function.last_line,
                text=module.text(function.first_line, function.last_line),
                file_source=source,
            )
        )
        if len(found) == TARGETS:
            break
    return found


def measure(
    files: Mapping[str, bytes],
    read: Callable[[str], bytes | None],
    chosen: Sequence[SourceFunction],
) -> list[float]:
    """Return the seconds that each of the functions took."""
    retriever = HybridRetriever()
    taken = []
    for function in chosen:
        started = time.perf_counter()
        found = find_neighbours(function, list(files), read, retriever)
        taken.append(time.perf_counter() - started)
        roles = [item.role for item in found]
        counts = ", ".join(f"{roles.count(role)} {role}s" for role in sorted(set(roles)))
        print(f"{taken[-1]:6.3f} s  {function.path}:{function.qualname}  {counts or 'none'}")
    return taken


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    if arguments:
        root = Path(arguments[0])
        paths = sorted(root.rglob("*.py"))
        files = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    else:
        files = made_up()
    lines = sum(source.count(b"\n") for source in files.values())
    print(f"{len(files)} files, {lines:,} lines")
    taken = measure(files, files.get, targets(files))
    print(f"median {statistics.median(taken):.3f} s, worst {max(taken):.3f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
