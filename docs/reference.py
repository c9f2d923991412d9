"""Writes the reference pages that are made from the code: settings, commands, error codes, API.

Run ``python docs/reference.py`` after changing one of these; a test compares the pages.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import click
import msgspec

import prunella
from prunella.cli.app import app
from prunella.cli.exit_codes import MEANINGS
from prunella.fixes import Fix, json_schema
from prunella.fixes.configs import TYPES
from prunella.fixes.fields import Absent, Nested, is_required, keys_of
from prunella.fixes.schemas import KEYWORDS
from prunella.model import errors
from prunella.model.settings import Settings, variable_name
from prunella.pipeline.results import Healing, HealingOutcome
from prunella.server.access import Role
from prunella.server.api.openapi import MEANINGS as MEANINGS_OF_STATUS
from prunella.server.api.operation import Operation
from prunella.server.api.table import OPERATIONS
from prunella.taxonomy import CODES, MODULES, TAXONOMY_VERSION

FOLDER = Path(__file__).parent / "reference"
_MADE = "<!-- Made by docs/reference.py. Change the code, then run that. -->\n"


def pages() -> Mapping[str, str]:
    """Return file name → text of every page that is made from the code."""
    return {
        "settings.md": _settings_page(),
        "commands.md": "".join(_commands_page()),
        "exit-codes.md": _exit_codes_page(),
        "python-api.md": "".join(_api_page()),
        "error-codes.md": "".join(_error_codes_page()),
        "fixes.md": "".join(_fixes_page()),
        "rest-api.md": "".join(_rest_api_page()),
        "fix.schema.json": f"{json.dumps(json_schema(), indent=1)}\n",
    }


def _settings_page() -> str:
    rows = []
    for item in fields(Settings):
        kind = type(item.default).__name__
        choices = item.metadata["choices"]
        allowed = ", ".join(f"`{choice}`" for choice in choices) if choices else kind
        default = f"`{item.default}`" if item.default != "" else "empty"
        rows.append(
            f"| `{item.name}` | `{variable_name(item.name)}` | {allowed} | {default} "
            f"| {item.metadata['doc']} |"
        )
    return (
        f"{_MADE}\n# Settings\n\n"
        "Each setting is looked for in this order; the first place that has it wins:\n\n"
        '1. an argument: `Healer(model="openai:gpt-4.1", replay_calls=20)`, or an option of a '
        "command where there is one (`--model`, `--lookback`);\n"
        "2. its `PRUNELLA_*` environment variable;\n"
        "3. the table `[tool.prunella]` in the project's `pyproject.toml`;\n"
        "4. the default.\n\n"
        "`prunella doctor` shows every value in force with the place it came from. An unknown name "
        "in `pyproject.toml`, a value of the wrong type and one outside its choices are refused, "
        "with the place that has it.\n\n"
        "```toml\n[tool.prunella]\nlookback_minutes = 1440\n"
        'test_command = "python -m pytest -q tests/unit"\n```\n\n'
        "| setting | variable | value | default | meaning |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n\nBooleans in variables are `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`. "
        "`PRUNELLA_ROOT` is no setting, because it says where `pyproject.toml` is: the project's "
        "folder, where it isn't to be found from the working directory upwards.\n"
    )


def _commands_page() -> Iterator[str]:
    yield f"{_MADE}\n# Commands\n\n"
    yield (
        "Results go to standard output, progress and errors to standard error. With `--json` "
        "standard output is exactly one JSON document; where the command failed it is "
        '`{"error": {"type": …, "message": …}}`. [Exit codes](exit-codes.md) are the same for all '
        "commands.\n"
    )
    context = click.Context(app, info_name="prunella")
    for command in app.commands.values():
        yield from _command(command, context)


def _command(command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=command.name, parent=parent)
    yield f"\n## `{context.command_path}`\n\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```\n\n{_text(command.help)}\n"
    options = [item for item in command.params if isinstance(item, click.Option)]
    if options:
        yield "\n| option | meaning |\n|---|---|\n"
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            name, meaning = (part.replace("|", "\\|") for part in record)
            yield f"| `{name}` | {' '.join(meaning.split())} |\n"
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from _command(child, context)


def _text(help_text: str | None) -> str:
    paragraphs = (help_text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _exit_codes_page() -> str:
    rows = "\n".join(f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items())
    return (
        f"{_MADE}\n# Exit codes\n\n"
        "| code | says |\n|---|---|\n"
        f"{rows}\n\n"
        "What is 1 and what isn't:\n\n"
        "- `heal FUNCTION` ends with 1 where no patch could be proven for any of the function's "
        "incidents, and where nothing of it failed in the window.\n"
        "- `heal --all` ends with 0 where nothing is open: a scheduler may run it on a healthy "
        "program.\n"
        "- `heal --dry-run` ends with 0: it did what was asked for.\n"
        "- `replay` ends with 1 where a call that returned now fails or returns something else. "
        "A call that failed and returns now is what everyone wants, and no difference.\n"
        "- `doctor` ends with 1 where something doesn't work; warnings don't count.\n"
        "- `demo` ends with 1 where it healed nothing.\n"
    )


def _error_codes_page() -> Iterator[str]:
    yield (
        f"{_MADE}\n# Error codes\n\n"
        f"Every failure gets one of {len(CODES)} codes, `MODULE.CATEGORY.CODE`: from the exception's "
        "class (the nearest one that is known), from what it carries (HTTP status, SQLSTATE, errno, "
        "a service's own code), from its message, and from what caused it. A code of the "
        "exception's own, or of `.prunella_errors.json`, goes before all that; see "
        "[files](files.md). What no rule knows is `CODE.LOGIC.UNCLASSIFIED`, and its class's name "
        "tells more. This is version "
        f"{TAXONOMY_VERSION} of the taxonomy.\n\n"
        "A *transient* failure may go away when nothing but time has passed: it is what a retry "
        "without a list of its own retries. Severity runs from 1, expected now and then, to 5, where "
        "data or the whole service is at stake. At a site of kind `tool`, `llm` or `agent` a failure "
        "is called after the site where there is such a code: a timeout of a tool is "
        "`TOOL.EXECUTION.TIMEOUT`, whatever timed out in it.\n"
    )
    for module, about in MODULES.items():
        yield f"\n## {module}: {about}\n\n| code | says | severity | transient | may be healed by |\n"
        yield "|---|---|---|---|---|\n"
        for row in CODES.values():
            if row.module == module:
                transient = "yes" if row.transient else ""
                fixes = ", ".join(row.healable_by) or "no fix"
                yield f"| `{row.code}` | {_cell(row.sentence)} | {row.severity} | {transient} | {fixes} |\n"


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _api_page() -> Iterator[str]:
    yield (
        f"{_MADE}\n# Python API\n\n"
        "Everything that is meant to be used is in `prunella` itself. Importing it loads nothing but "
        "the standard library; `Healer`, which needs the extra `heal`, is loaded when it is asked "
        "for.\n"
    )
    for name in prunella.__all__:
        if not name.startswith("_"):
            yield from _api(name, getattr(prunella, name), "##")
    yield "\n## What `diagnose_and_heal` and `heal` answer\n\n"
    yield f"{_text(inspect.getdoc(Healing))}\n\n"
    yield "`outcome` is one of\n\n| outcome | says |\n|---|---|\n"
    notes = _member_notes(HealingOutcome)
    yield from (f"| `{item.value}` | {notes[item.name]} |\n" for item in HealingOutcome)
    tree = (inspect.getdoc(errors) or "").partition("::\n\n")[2].split("\n\n")[0]
    yield "\n## Errors\n\nAll of them are in `prunella.model.errors`.\n\n```text\n"
    yield f"{inspect.cleandoc(tree)}\n```\n"


def _fixes_page() -> Iterator[str]:
    yield (
        f"{_MADE}\n# Fix documents\n\n"
        "A fix is a JSON object. Its [JSON Schema](fix.schema.json) (draft 2020-12) is made from the "
        "table that documents are read by; unknown keys, wrong types and values out of range are "
        "refused with the path of the key. How to try one: [fixes](../how-to/fixes.md).\n\n"
        "| key | value | default | meaning |\n|---|---|---|---|\n"
    )
    yield from _keys(Fix)
    yield "| `config` | object | required | What the fix does: see its type below. |\n"
    target = next(item for item in fields(Fix) if item.name == "target").metadata["kind"].cls
    yield "\n`target`:\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
    yield from _keys(target)
    yield (
        "\nWhere several fixes of one type are for a call, at most one acts: the one that aims most "
        "narrowly, then the one of the highest confidence, then the latest. Around a call fixes act "
        "in this order: routing, parameter, prompt, tool, guard of the input; the call; retry, "
        "fallback, the tool's error map; the tool's limit, guard of the result.\n\n"
        "Parameters are named as in the signature, or by their role: `model`, `messages`, `prompt`, "
        "`system`, `temperature`, `max_tokens`, `timeout`.\n"
    )
    for name, cls in TYPES.items():
        yield f"\n## {name}\n\n{_text(inspect.getdoc(cls))}\n\n"
        yield "| key | value | default | meaning |\n|---|---|---|---|\n"
        yield from _keys(cls)
    yield (
        "\n## Checks\n\nA check is `range`, `length`, `pattern`, `schema`, `format`, or several of "
        "them. `range` and `length` have `min` and `max`, at least one of them.\n\n"
        "**Schemas** know these keywords: "
        + ", ".join(f"`{word}`" for word in sorted(KEYWORDS))
        + ". "
        "**Patterns** are regular expressions that are matched in linear time: literals, `.`, "
        "classes, `\\d` `\\w` `\\s` and their opposites, groups, `|`, `*` `+` `?` `{m,n}`, and "
        "`^` and `$` at the ends; no references, no looking around, no lazy repetitions. A value "
        "that is larger than a guard looks at isn't checked, and the call goes on.\n"
    )


def _keys(cls: type, prefix: str = "") -> Iterator[str]:
    for name, item in keys_of(cls).items():
        kind, default = item.metadata["kind"], "required"
        if not is_required(item):
            value = item.default if item.default is not MISSING else None
            plain = value is None or isinstance(value, (Absent, tuple)) or is_dataclass(value)
            default = "" if plain else f"`{json.dumps(value)}`"
        meaning = item.metadata["doc"].replace("|", "\\|")
        yield f"| `{prefix}{name}` | {_value(kind.schema())} | {default} | {meaning} |\n"
        inner = getattr(kind, "item", kind)
        if isinstance(inner, Nested) and inner.cls.__name__ not in ("Target", "Check", "Range"):
            dots = "[]." if "least" in getattr(kind, "__slots__", ()) else "."
            yield from _keys(inner.cls, f"{prefix}{name}{dots}")


def _value(schema: Mapping[str, object]) -> str:
    """Return in words what a key holds."""
    words = schema.get("enum")
    if isinstance(words, list):
        return ", ".join(f"`{word}`" for word in words)
    if "minimum" in schema:
        return f"{schema['type']} from {schema['minimum']} to {schema['maximum']}"
    names = {"string": "text", "array": "list", "boolean": "true or false"}
    kind = str(schema.get("type", "any JSON"))
    return names.get(kind, kind)


def _api(name: str, thing: object, heading: str) -> Iterator[str]:
    if inspect.isclass(thing):
        yield f"\n{heading} `{name}{_signature(thing)}`\n\n{_text(inspect.getdoc(thing))}\n"
        for attribute, value in vars(thing).items():
            if not attribute.startswith("_") and inspect.isfunction(value):
                yield from _api(attribute, value, f"{heading}#")
    elif callable(thing):
        yield f"\n{heading} `{name}{_signature(thing)}`\n\n{_text(inspect.getdoc(thing))}\n"


def _rest_api_page() -> Iterator[str]:
    yield f"{_MADE}\n# REST API\n\n"
    yield (
        "All paths are below `/api/v1`; `/api/v1/openapi.json` describes them in OpenAPI 3.1, with the "
        "types of everything that is sent and answered. Bodies are JSON objects in which unknown keys "
        'are refused. Lists are answered as `{"items": […]}`, with `total` where they are paged. A '
        "server that wants people to log in takes `Authorization: Bearer TOKEN` (`prunella tokens "
        "add`), or the dashboard's session with its token in the header `X-CSRF-Token`.\n\n"
        'What went wrong is `{"error": {"type": …, "message": …}}`, for a bad value with its '
        "`path`:\n\n| status | meaning |\n|---|---|\n"
    )
    for status, meaning in MEANINGS_OF_STATUS.items():
        yield f"| {status} | {meaning} |\n"
    about = ""
    for operation in sorted(OPERATIONS, key=lambda each: each.tag):
        if operation.tag != about:
            about = operation.tag
            yield f"\n## {about}\n\n| operation | role | what it does | sends |\n|---|---|---|---|\n"
        role = "anybody" if operation.role is None else operation.role.name.lower()
        role = "whoever is known" if operation.role is Role.REPORTER else role
        yield (
            f"| `{operation.method} {operation.path}` | {role} | {operation.summary} "
            f"| {_sends(operation)} |\n"
        )


def _sends(operation: Operation) -> str:
    """Return the names that a request may carry, the required ones marked."""
    query = [f"`?{field.name}`" for field in msgspec.structs.fields(operation.query)]
    body = msgspec.structs.fields(operation.body) if operation.body else ()
    return ", ".join([*query, *(f"`{field.name}`{' (needed)' * field.required}" for field in body)])


def _signature(thing: Callable[..., object]) -> str:
    """Return the parameters with their defaults; annotations stand in the docstrings' words."""
    signature = inspect.signature(thing)
    parameters = [
        item.replace(annotation=inspect.Parameter.empty)
        for item in signature.parameters.values()
        if item.name != "self"
    ]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def _member_notes(kind: type) -> Mapping[str, str]:
    """Return the ``#:`` sentence that stands above each member of an enum."""
    notes: dict[str, str] = {}
    note = ""
    for line in inspect.getsource(kind).splitlines():
        text = line.strip()
        if text.startswith("#:"):
            note = f"{note} {text[2:].strip()}".strip()
        elif note and "=" in text:
            notes[text.partition("=")[0].strip()] = note
            note = ""
    return notes


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
