"""Results of a long benchmark kept in a file, so that a run which is cut goes on where it was.

The first line says how the results were made; each other one is a result, appended as soon as it is
there. Results that another state of the code or other options made are refused, not mixed.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src/prunella"


class Kept:
    """The results in one file by name; without a file they are kept nowhere."""

    def __init__(self, path: Path | None, options: Mapping[str, Any] | None = None) -> None:
        self._path = path
        self._how = {"code": code(), **(options or {})}
        self._rows: dict[str, dict[str, Any]] = {}
        if path is None:
            return
        lines = list(_lines(path)) if path.exists() else []
        if lines and lines[0] != self._how:
            raise SystemExit(
                f"{path} was made with {lines[0]}, this run is {self._how}: "
                "name another file, or delete it"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rows = {line["name"]: line["row"] for line in lines[1:]}
        # Written anew: a run that was cut may have left half a line at the end.
        beside = path.with_name(f"{path.name}.new")
        beside.write_text("".join(f"{json.dumps(line)}\n" for line in lines or [self._how]))
        beside.replace(path)

    def get(self, name: str) -> dict[str, Any] | None:
        """Return what is kept of `name`."""
        return self._rows.get(name)

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Keep the result of `name`."""
        self._rows[name] = row
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps({'name': name, 'row': row})}\n")
            file.flush()
            os.fsync(file.fileno())


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """Return the results of a file by name, however they were made."""
    return {line["name"]: line["row"] for line in list(_lines(path))[1:]}


def code() -> str:
    """Return a digest of Prunella's source, the rules' priors included."""
    found = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".py", ".json"):
            found.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)
