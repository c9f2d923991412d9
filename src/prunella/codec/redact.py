"""Redaction: secrets are recognised by the names they stand under and by what they look like.

By name: the values of dict keys, attributes, arguments, locals and header pairs (see
`prunella.codec.names`). By look: keys of known providers, JSON web tokens, ``Bearer`` and
``Basic`` credentials, private-key blocks, card numbers, passwords in URLs, and values behind a
secret name in running text, such as ``{"password": "…"}`` (see `prunella.codec.shapes`).

Not recognised: a secret without a telling name or shape, numbers under names that say nothing,
secrets that are encoded again (base64, compressed) or spread over several strings.
"""

import re
from collections.abc import Sequence
from re import Pattern

from prunella.codec.names import normal_words, secrecy
from prunella.codec.shapes import compiled, spans
from prunella.model.errors import ConfigurationError

_SHORTEST = 8
#: Every shape has a run of these characters, a card number in groups, or one of ``:``, ``=``, ``@``.
_SUSPICIOUS = r"[A-Za-z0-9_\-]{13}|\d{4}[ -]\d{4,6}[ -]\d|[Bb]asic |[Bb]earer |B(?:ASIC|EARER) "
_MAX_NAMES = 4_096
_MAX_NAME = 64
#: A string key that has to be looked through itself, beside the secrecies of `names`.
UNCLEAN = 3


class Redactor:
    """Decides what is secret. Immutable but for what it remembers; safe to share."""

    __slots__ = ("_emails", "_extra_patterns", "_extra_words", "names")

    def __init__(
        self,
        *,
        extra_names: Sequence[str] = (),
        extra_patterns: Sequence[str] = (),
        emails: bool = False,
    ) -> None:
        """Add `extra_names` (matched word by word, like the built-in ones) and `extra_patterns`.

        Raises `ConfigurationError` for a pattern that is no regular expression. `emails` redacts
        e-mail addresses too.
        """
        self._extra_words = normal_words(extra_names)
        self._extra_patterns = tuple(_compile(pattern) for pattern in extra_patterns)
        self._emails = emails
        #: Names already looked at → secrecy: 0, `WEAK`, `STRONG` or `UNCLEAN`.
        self.names: dict[str, int] = {}

    def is_secret_name(self, name: str) -> bool:
        """Tell whether what stands under `name` is a secret."""
        return self.secrecy(name) in (1, 2)

    def secrecy(self, name: str) -> int:
        """Return 0, `WEAK`, `STRONG`, or `UNCLEAN` for a name that may hold a secret itself."""
        known = self.names.get(name)
        if known is not None:
            return known
        if len(name) > _MAX_NAME:
            return UNCLEAN
        found = secrecy(name, self._extra_words)
        if not found and self.text(name) is not name:
            found = UNCLEAN
        if len(self.names) >= _MAX_NAMES:
            self.names.clear()
        self.names[name] = found
        return found

    def text(self, text: str) -> str:
        """Return `text` with ``[redacted:…]`` in place of each secret; itself if there is none."""
        if len(text) < _SHORTEST and not self._extra_patterns:
            return text
        if not (
            self._extra_patterns
            or ":" in text
            or "=" in text
            or "@" in text
            or compiled(_SUSPICIOUS).search(text)
        ):
            return text
        found = spans(text, self.is_secret_name, self._extra_patterns, self._emails)
        return _replace(text, found) if found else text

    def is_all_secret(self, clean: str) -> bool:
        """Tell whether nothing but one mark of `text` is left of a string."""
        return clean.startswith("[redacted:") and clean.find("]") == len(clean) - 1


def _compile(pattern: str) -> Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(
            f"redaction pattern {pattern!r} is no regular expression: {error}"
        ) from error


def _replace(text: str, found: list[tuple[int, int, str]]) -> str:
    found.sort(key=lambda span: (span[0], -span[1]))
    parts: list[str] = []
    done = 0
    for start, end, kind in found:
        if end <= done:
            continue
        if start < done:  # overlaps what is redacted already
            done = end
            continue
        parts += (text[done:start], f"[redacted:{kind}]" + ("@" if kind == "credentials" else ""))
        done = end
    parts.append(text[done:])
    return "".join(parts)
