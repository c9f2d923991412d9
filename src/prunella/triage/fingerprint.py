"""What makes two failures one incident: scheme 1.

A fingerprint is made from the site, the exception's class and own error code, the project's frames
by module and qualified name, the message with its values taken out, and the same of each cause.

- No line numbers: it stays the same when code moves. Two faults of one function with the same class
  and message are therefore one incident.
- A function counts once however often it stands in the traceback, so that the depth of a recursion
  doesn't matter; comprehensions count as the function around them (Python 3.12 runs them inline).
- Where a `RecursionError` strikes is chance: of its frames the way into the recursion and what
  recurs counts, in no order, and nothing of the message's "while calling a Python object".
- Prunella's own frames never count: what records a program is no part of what failed in it.
- Values in messages are numbers, quoted text, addresses, paths, dates and the like. A bare word in
  a message can't be told from a value ("no user bob") and separates.
- In the messages of the interpreter's own `AttributeError`, `NameError`, `ImportError` and
  `TypeError` quoted names are part of the code ("'NoneType' object has no attribute 'price'") and
  are kept.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile

from prunella.model.records import ExceptionInfo, Frame, Occurrence
from prunella.triage.codes import own_code

#: Version of the algorithm below. Whoever changes what it answers makes a new scheme.
SCHEME = "1"

_MAX_MESSAGE_CHARS = 2000
_MAX_NORMALISED_CHARS = 300
_MAX_CAUSES = 5
_RECURSION_ERROR = "builtins:RecursionError"
#: What the interpreter says first; behind it stands what it happened to be doing.
_TOO_DEEP = "maximum recursion depth exceeded"
_OWN_PACKAGE = __name__.partition(".")[0]

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

#: In this order: what comes first takes what a later one would break up. Each begins with what a text
#: has to have in it, so that most needn't be searched.
_VALUES = (
    ("://", re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s'\"<>]+"), "<url>"),
    ("@", re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "<email>"),
    (
        "-",
        re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
        "<uuid>",
    ),
    (
        "-",
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}"
            r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
        ),
        "<date>",
    ),
    ("\\", re.compile(r"(?<![\w/])(?:[A-Za-z]:\\|\\\\)[^\s'\"<>|]+"), "<path>"),
    ("/", re.compile(r"(?<![\w/<])(?:~|\.{1,2})?/[\w.+@-]+(?:/[\w.+@-]*)*"), "<path>"),
    ("0", re.compile(r"\b0[xX][0-9a-fA-F]+\b"), "<n>"),
    ("", re.compile(r"(?<![\w.])(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b"), "<n>"),
    ("", re.compile(r"(?<![\w.])[-+]?\d[\d_]*(?:[.,]\d+)*(?:[eE][-+]?\d+)?"), "<n>"),
    ("", re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
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

    text = message[:_MAX_MESSAGE_CHARS]
    if "'" in text or '"' in text or "`" in text:
        text = _QUOTED.sub(replace_quoted, text)
    for part, pattern, label in _VALUES:
        if part in text:
            text = pattern.sub(label, text)
    text = " ".join(text.split())
    if text.count("<") > 1:
        text = _ROW.sub(r"\1", text)
    return text[:_MAX_NORMALISED_CHARS]


def innermost_project_frame(exception: ExceptionInfo) -> Frame | None:
    """Return the frame of the project that was nearest to where it was raised."""
    return next((frame for frame in reversed(exception.frames) if _is_project(frame)), None)


def _is_project(frame: Frame) -> bool:
    return frame.in_project and not _is_own(frame)


def _is_own(frame: Frame) -> bool:
    return frame.module.partition(".")[0] == _OWN_PACKAGE


def _chain(exception: ExceptionInfo) -> Iterator[ExceptionInfo]:
    current: ExceptionInfo | None = exception
    for _ in range(_MAX_CAUSES + 1):
        if current is None:
            return
        yield current
        current = current.cause


def _part(exception: ExceptionInfo) -> list[str | list[str]]:
    is_recursion = exception.type == _RECURSION_ERROR
    functions = _functions(exception.frames)
    return [
        exception.relation or "",
        exception.type,
        own_code(exception) or "",
        _recurring(functions) if is_recursion else list(dict.fromkeys(functions)),
        _message(exception),
    ]


def _message(exception: ExceptionInfo) -> str:
    if exception.type == _RECURSION_ERROR and exception.message.startswith(_TOO_DEEP):
        return _TOO_DEEP
    return normalise(exception.message, keep_names=exception.type in _NAMING_TYPES)


def _functions(frames: tuple[Frame, ...]) -> list[str]:
    """Return the function of each of the project's frames; without any, of the last frame."""
    foreign = [frame for frame in frames if not _is_own(frame)]
    project: Iterable[Frame] = [frame for frame in foreign if frame.in_project] or foreign[-1:]
    return [f"{frame.module}:{_function(frame.qualname)}" for frame in project]


def _function(qualname: str) -> str:
    return _INLINED.sub("", qualname) if "<" in qualname else qualname


def _recurring(functions: list[str]) -> list[str]:
    """Return the functions before the first that recurs, then, sorted, those that recur.

    What was called only once from within was there by chance when the limit was reached.
    """
    number = Counter(functions)
    before = list(takewhile(lambda name: number[name] == 1, functions))
    if len(before) == len(functions):  # nothing recurs in what was recorded
        return before
    return before + sorted(name for name in number if number[name] > 1)
