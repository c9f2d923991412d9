"""The project's own rules for triage, read from its root."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prunella.model.errors import ConfigurationError
from prunella.triage.codes import CODE
from prunella.triage.ignore import IgnorePattern, parse

#: JSON object: class name, bare or with its module, to error code. The first file wins where both
#: have a class; the second is VectorWave's.
MAPPING_FILES = (".prunella_errors.json", ".vectorwave_errors.json")
#: Both are read; the second is VectorWave's.
IGNORE_FILES = (".prunellaignore", ".vtwignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a project says about its errors."""

    #: Class name to error code.
    codes: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[IgnorePattern, ...] = ()


def load_rules(root: Path) -> Rules:
    """Read the mapping and ignore files at `root`; missing ones are empty.

    Raises `ConfigurationError`, with file and line or key, where one can't be understood.
    """
    codes: dict[str, str] = {}
    for name in reversed(MAPPING_FILES):
        codes.update(_mapping(root / name))
    patterns = [pattern for name in IGNORE_FILES for pattern in parse(_text(root / name), name)]
    return Rules(codes=codes, ignore=tuple(patterns))


def _mapping(path: Path) -> dict[str, str]:
    text = _text(path)
    if not text.strip():
        return {}
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path.name} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise ConfigurationError(
            f"{path.name} must be one JSON object of class names and error codes, "
            f'such as {{"TimeoutError": "TOOL.EXECUTION.TIMEOUT"}}'
        )
    for key, code in data.items():
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise ConfigurationError(
                f"{path.name}, {key!r}: {code!r} is no error code; write letters, digits and "
                "_ . : / - only, 100 at most"
            )
    return data


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} can't be read: {error}") from error
