"""Words for people, made safe: untrusted text, moments, numbers, names. Terminal and pages share them."""

import re
from datetime import datetime, timedelta
from math import floor, log10

from prunella.model.incidents import Incident

#: Control characters, what reorders or hides text (bidirectional and zero-width marks), line and
#: paragraph separators, and lone surrogates: nothing a program recorded may move the cursor,
#: colour the terminal or make a line read as something else.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_LINE = re.compile(f"{_UNSAFE.pattern}|[\t\n]")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    short = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    return short or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def one_line(text: str, max_chars: int = 200) -> str:
    """Return untrusted `text` on one line: control characters escaped, the rest cut off."""
    return _cut(_LINE.sub(_escape, text[: max_chars + 1]), max_chars)


def block(text: str, max_chars: int | None = 20_000) -> str:
    """Return untrusted `text` with its line breaks; other control characters are escaped."""
    kept = text if max_chars is None else text[: max_chars + 1]
    shown = _UNSAFE.sub(_escape, kept.replace("\r\n", "\n").expandtabs(4))
    return shown if max_chars is None else _cut(shown, max_chars)


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Return ``1 call``, ``1,204 calls``."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


_STEPS: tuple[tuple[float, float, str], ...] = (
    (90, 1, "s"),
    (90 * 60, 60, "min"),
    (36 * 3600, 3600, "h"),
    (float("inf"), 86_400, "d"),
)


def ago(moment: datetime, now: datetime) -> str:
    """Return how long `moment` is before `now` in one unit: ``12 s ago``, ``3 d ago``."""
    return f"{span(now - moment)} ago"


def span(duration: timedelta) -> str:
    """Return a duration in one unit: ``12 s``, ``5 min``, ``7 h``, ``3 d``."""
    seconds = max(0.0, duration.total_seconds())
    _, size, unit = next(step for step in _STEPS if seconds < step[0])
    return f"{int(seconds // size)} {unit}"


def class_name(path: str) -> str:
    """Return ``KeyError`` for ``builtins:KeyError``, ``shop.errors.OutOfStock`` for others."""
    module, _, qualname = path.partition(":")
    if not qualname or module == "builtins":
        return qualname or module
    return f"{module}.{qualname}"


def failed_function(incident: Incident) -> str:
    """Return the name of the function that failed: of the innermost frame of the project."""
    place = incident.location
    return f"{place.module}:{place.qualname}" if place else incident.site_id


def dollars(amount: float) -> str:
    """Return an amount with as many digits as it takes: ``$12.50``, ``$0.0021``, ``$0.00``."""
    if amount >= 1 or amount < 1e-7:
        return f"${amount:,.2f}"
    digits = 1 - floor(log10(amount))
    return f"${amount:.{max(digits, 2)}f}"
