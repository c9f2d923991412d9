"""Cuts out of a host's published API description what our requests use.

    npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
    python tests/doubles/descriptions/slice.py github package/generated/api.github.com.json

Operations keep their parameters, bodies and answers; words and examples go.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = "/repos/{owner}/{repo}"
USED = {
    "github": {
        REPOSITORY: ["get"],
        f"{REPOSITORY}/git/ref/{{ref}}": ["get"],
        f"{REPOSITORY}/git/refs": ["post"],
        f"{REPOSITORY}/git/refs/{{ref}}": ["patch", "delete"],
        f"{REPOSITORY}/git/blobs": ["post"],
        f"{REPOSITORY}/git/blobs/{{file_sha}}": ["get"],
        f"{REPOSITORY}/git/trees": ["post"],
        f"{REPOSITORY}/git/trees/{{tree_sha}}": ["get"],
        f"{REPOSITORY}/git/commits": ["post"],
        f"{REPOSITORY}/git/commits/{{commit_sha}}": ["get"],
        f"{REPOSITORY}/pulls": ["get", "post"],
        f"{REPOSITORY}/pulls/{{pull_number}}": ["patch"],
        f"{REPOSITORY}/pulls/{{pull_number}}/requested_reviewers": ["post"],
        f"{REPOSITORY}/issues/{{issue_number}}/labels": ["post"],
        f"{REPOSITORY}/issues/{{issue_number}}/comments": ["post"],
    },
}
_NOISE = frozenset({"description", "summary", "examples", "example", "externalDocs", "tags"})
#: Below these stand names of the host's choice: `description` may be one of them.
_NAMES = frozenset({"properties", "schemas", "parameters", "responses", "paths"})


def main(host: str, source: Path) -> None:
    """Write the slice of one host's description."""
    whole = json.loads(source.read_text())
    paths = {
        path: {verb: whole["paths"][path][verb] for verb in verbs}
        for path, verbs in USED[host].items()
    }
    kept: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": {key: whole["info"][key] for key in ("title", "version", "license")},
        "paths": quiet(paths, names=True),
        "components": {},
    }
    todo, done = set(references(kept["paths"])), set()
    while todo:
        reference = todo.pop()
        done.add(reference)
        section, name = reference.removeprefix("#/components/").split("/")
        found = quiet(whole["components"][section][name])
        if section == "responses":
            found["description"] = ""
        kept["components"].setdefault(section, {})[name] = found
        todo |= set(references(found)) - done
    target = HERE / f"{host}.json"
    target.write_text(json.dumps(kept, separators=(",", ":"), sort_keys=True) + "\n")
    sys.stdout.write(f"{target.name}: {target.stat().st_size:,} bytes\n")


def quiet(node: Any, *, names: bool = False) -> Any:
    """Return a part of a description without words and examples."""
    if isinstance(node, list):
        return [quiet(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: quiet(value, names=key in _NAMES and not names)
        for key, value in node.items()
        if names or not (key in _NOISE or key.startswith("x-"))
    }
    if "responses" in kept and not names:  # each has to have a description
        kept["responses"] = {
            status: found if "$ref" in found else {"description": "", **found}
            for status, found in kept["responses"].items()
        }
    return kept


def references(node: Any) -> Iterator[str]:
    """Yield what a part of a description refers to."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
