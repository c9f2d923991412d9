"""What makes two failures one incident: scheme 1.

A fingerprint is made from the site, the exception's class and own error code, the project's frames
by module and qualified name, the message with its values taken out, and the same of each cause.

- No line numbers: it stays the same when code moves. Two faults of one function with the same class
  and message are therefore one incident.
- A function counts once however often it stands in the traceback, so that the depth of a recursion
  doesn't matter; comprehensions count as the function around them (Python 3.12 runs them inline).
- Values in messages are numbers, quoted text, addresses, paths, dates and the like. A bare word in
  a message can't be told from a value ("no user bob") and separates.
- In the messages of the interpreter's own `AttributeError`, `NameError`, `ImportError` and
  `TypeError` quoted names are part of the code ("'NoneType' object has no attribute 'price'") and
  are kept.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator

from prunella.model.records import ExceptionInfo, Frame, Occurrence
from prunella.triage.codes import own_code

#: Version of the algorithm below. Whoever changes what it answers makes a new scheme.
SCHEME = "1"

_MAX_MESSAGE_CHARS = 2000
_MAX_NORMALISED_CHARS = 300
_MAX_CAUSES = 5

_INLINED = re.compile(r"(\.<locals>)?\.?<(?:list|dict|set)comp>$")

_NAMING_TYPES = frozenset(
    f"builtins:{name}"
    for name in (
        "AttributeError",
        "ImportError",
        "ModuleNotFoundError",
        "NameError",
        "TypeError",
        "UnboundLocalError",
    )
)
_IDENTIFIER = re.compile(r"[^\W\d][\w.]*")

#: A quoted text; closed by its quote, or cut off by the end of a bounded message.
_QUOTED = re.compile(
    r"""(?<!\w)(?:[bBrRfF]{0,2})(?:
        '(?:[^'\\]|\\.)*(?:'(?!\w)|\\?$)
      | "(?:[^"\\]|\\.)*(?:"(?!\w)|\\?$)
      | `(?:[^`\\]|\\.)*(?:`(?!\w)|\\?$)
    )""",
    re.VERBOSE | re.DOTALL,
)

#: In this order: what comes first takes what a later one would break up.
_VALUES = (
    (re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s'\"<>]+"), "<url>"),
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "<email>"),
    (
        re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
        "<uuid>",
    ),
    (
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}"
            r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
        ),
        "<date>",
    ),
    (re.compile(r"(?<![\w/])(?:[A-Za-z]:\\|\\\\)[^\s'\"<>|]+"), "<path>"),
    (re.compile(r"(?<![\w/<])(?:~|\.{1,2})?/[\w.+@-]+(?:/[\w.+@-]*)*"), "<path>"),
    (re.compile(r"\b0[xX][0-9a-fA-F]+\b"), "<n>"),
    (re.compile(r"(?<![\w.])(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b"), "<n>"),
    (re.compile(r"(?<![\w.])[-+]?\d[\d_]*(?:[.,]\d+)*(?:[eE][-+]?\d+)?"), "<n>"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
)
_ROW = re.compile(r"(<[a-z]+>)(?:(?:\s*[,;]\s*|\s+)\1)+")


def fingerprint(occurrence: Occurrence) -> str:
    """Return the grouping key of an occurrence: 32 hex digits, stable across processes."""
    parts = [SCHEME, occurrence.site_id, *(_part(one) for one in _chain(occurrence.exception))]
    canonical = json.dumps(parts, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode("ascii"), digest_size=16).hexdigest()


def normalise(message: str, *, keep_names: bool = False) -> str:
    """Return a message with its values replaced by what they are: ``<n>``, ``<value>``, ``<path>``…

    `keep_names` leaves quoted identifiers as they are. Answers 300 characters at most.
    """

    def replace_quoted(match: re.Match[str]) -> str:
        text = match.group().strip("'\"`")
        return text if keep_names and _IDENTIFIER.fullmatch(text) else "<value>"

    text = _QUOTED.sub(replace_quoted, message[:_MAX_MESSAGE_CHARS])
    for pattern, label in _VALUES:
        text = pattern.sub(label, text)
    text = _ROW.sub(r"\1", " ".join(text.split()))
    return text[:_MAX_NORMALISED_CHARS]


def innermost_project_frame(exception: ExceptionInfo) -> Frame | None:
    """Return the frame of the project that was nearest to where it was raised."""
    return next((frame for frame in reversed(exception.frames) if frame.in_project), None)


def _chain(exception: ExceptionInfo) -> Iterator[ExceptionInfo]:
    current: ExceptionInfo | None = exception
    for _ in range(_MAX_CAUSES + 1):
        if current is None:
            return
        yield current
        current = current.cause


def _part(exception: ExceptionInfo) -> list[str | list[str]]:
    return [
        exception.relation or "",
        exception.type,
        own_code(exception) or "",
        _functions(exception.frames),
        normalise(exception.message, keep_names=exception.type in _NAMING_TYPES),
    ]


def _functions(frames: tuple[Frame, ...]) -> list[str]:
    """Return the project's functions in the order of their first frame; without any, the last."""
    project: Iterable[Frame] = [frame for frame in frames if frame.in_project] or frames[-1:]
    names = (f"{frame.module}:{_INLINED.sub('', frame.qualname)}" for frame in project)
    return list(dict.fromkeys(names))
