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

from prunella.codec.limits import SHORT
from prunella.codec.names import (
    STRONG,
    UNCLEAN,
    WEAK,
    Quoted,
    Said,
    Secrecies,
    normal_words,
    secrecy,
)
from prunella.codec.shapes import find_all
from prunella.model.errors import ConfigurationError


class Redactor:
    """Decides what is secret. Immutable but for what it remembers; safe to share."""

    __slots__ = (
        "_emails",
        "_extra_patterns",
        "_extra_words",
        "_words",
        "names",
        "quoted",
        "said",
        "shortest",
    )

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
        #: Shorter strings are not looked at: no built-in shape fits into them.
        self.shortest = 0 if extra_patterns else SHORT
        #: The secrecy of every name: 0, `WEAK`, `STRONG` or `UNCLEAN`.
        self.names = Secrecies(self._secrecy)
        #: Names that are no secret as JSON with a comma behind; `KeyError` for the others.
        self.quoted = Quoted(self.names)
        #: Texts without the secrets in them, as JSON.
        self.said = Said(self.text)
        self._words = Secrecies(lambda word: secrecy(word, self._extra_words))

    def is_secret_name(self, name: str) -> bool:
        """Tell whether what stands under `name` is a secret."""
        return self.names[name] in (WEAK, STRONG)

    def _secrecy(self, name: str) -> int:
        found = secrecy(name, self._extra_words)
        return found if found or self.text(name) is name else UNCLEAN

    def text(self, text: str) -> str:
        """Return `text` with ``[redacted:…]`` in place of each secret; itself if there is none."""
        if len(text) < self.shortest:
            return text
        found = find_all(text, self._is_secret_word, self._extra_patterns, self._emails)
        return _replace(text, found) if found else text

    def _is_secret_word(self, word: str) -> bool:
        return self._words[word] != 0

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
        parts += (text[done:start], f"[redacted:{kind}]")
        done = end
    parts.append(text[done:])
    return "".join(parts)
