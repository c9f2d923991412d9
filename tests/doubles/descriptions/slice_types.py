"""Cuts what our requests use out of the types of a client that knows a host's API.

GitLab's own description has few of these requests, and Gitea's is in no package; their well-kept
clients for JavaScript have each as a type. In a folder with both and the generator
(`npm i @gitbeaker/core gitea-js ts-json-schema-generator`), with ``gitlab.ts`` copied there:

    npx ts-json-schema-generator --path gitlab.ts --type Operations --no-type-check -o out.json
    python tests/doubles/descriptions/slice_types.py gitlab out.json

What comes out is a JSON schema for each query, body and answer; words go.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PREFIX = "#/definitions/"
SOURCES = {
    "gitlab": "@gitbeaker/core 43.8.0, MIT licence: LICENSE.gitlab",
    "gitea": "gitea-js 1.23.0, MIT licence: LICENSE.gitea",
}
#: What a definition may hold besides these is words.
KEPT = {"type", "properties", "required", "items", "enum", "const", "anyOf", "$ref"}
KEPT |= {"additionalProperties", "allOf"}


def main(host: str, source: Path) -> None:
    """Write the slice of one host's types."""
    whole = json.loads(source.read_text())["definitions"]
    operations = quiet(whole["Operations"]["properties"], names=True)
    kept: dict[str, Any] = {}
    todo = set(references(operations))
    while todo:
        name = todo.pop()
        kept[name] = quiet(whole[name])
        todo |= set(references(kept[name])) - set(kept)
    document = {
        "source": SOURCES[host],
        "operations": {name: found.get("properties", {}) for name, found in operations.items()},
        "definitions": kept,
    }
    target = HERE / f"{host}.json"
    target.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n")
    sys.stdout.write(f"{target.name}: {target.stat().st_size:,} bytes\n")


def quiet(node: Any, *, names: bool = False) -> Any:
    """Return a schema without words, with names as they are sent: the clients write them in camels."""
    if isinstance(node, list):
        return [quiet(item) for item in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {sent(name): quiet(value) for name, value in node.items()}
    kept = {
        key: quiet(value, names=key == "properties") for key, value in node.items() if key in KEPT
    }
    if "required" in kept:
        kept["required"] = [sent(name) for name in kept["required"]]
    return kept


def sent(name: str) -> str:
    """Return ``startSha`` as ``start_sha``; names of operations stay."""
    return name if " " in name else re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def references(node: Any) -> Iterator[str]:
    """Yield the definitions that a schema refers to."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.removeprefix(PREFIX)
            else:
                yield from references(value)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
