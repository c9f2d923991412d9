"""The shapes of secrets in running text: keys of known providers, tokens, cards, credentials.

Every pattern takes time linear in the text: what may repeat without bound either stands last in
its pattern or begins where the same characters don't precede it, so that no stretch of text is
walked through twice from different beginnings.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from re import Match, Pattern

#: ``(start, end, kind)`` of a secret in a text.
Span = tuple[int, int, str]

#: ``(kind, marker, pattern)``: the pattern is looked for where the marker occurs.
_KEYS = (
    ("anthropic-key", "sk-ant-", r"sk-ant-[\w-]{16,}"),
    ("openai-key", "sk-", r"sk-[\w-]{20,}"),
    ("stripe-key", "k_", r"[sr]k_(?:live|test)_\w{10,}"),
    ("stripe-secret", "whsec_", r"whsec_\w{10,}"),
    ("aws-key-id", "IA", r"A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("github-token", "gh", r"gh[pousr]_[A-Za-z0-9]{20,}"),
    ("github-token", "github_", r"github_pat_\w{20,}"),
    ("gitlab-token", "gl", r"gl(?:pat|dt|rt|cbt|ptt|oas|soat)-[\w-]{16,}"),
    ("slack-token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("slack-token", "xapp-", r"xapp-[A-Za-z0-9-]{10,}"),
    ("google-key", "AIza", r"AIza[\w-]{35,}"),
    ("google-token", "ya29.", r"ya29\.[\w-]{20,}"),
    ("google-secret", "GOCSPX-", r"GOCSPX-[\w-]{20,}"),
    ("twilio-key", "SK", r"SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("twilio-account", "AC", r"AC[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("sendgrid-key", "SG.", r"SG\.[\w-]{16,128}\.[\w-]{16,}"),
    ("npm-token", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    ("pypi-token", "pypi-", r"pypi-[\w-]{32,}"),
    ("huggingface-token", "hf_", r"hf_[A-Za-z0-9]{20,}"),
    ("groq-key", "gsk_", r"gsk_[A-Za-z0-9]{20,}"),
    ("xai-key", "xai-", r"xai-[A-Za-z0-9]{20,}"),
    ("digitalocean-token", "_v1_", r"do[opr]_v1_[0-9a-f]{32,}"),
    ("shopify-token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32,}"),
    ("square-token", "sq0", r"sq0[a-z]{3}-[\w-]{20,}"),
    ("docker-token", "dckr_", r"dckr_pat_[\w-]{20,}"),
    ("vault-token", "hvs.", r"hvs\.[\w-]{24,}"),
    ("atlassian-token", "ATATT3", r"ATATT3[\w=-]{40,}"),
    ("databricks-token", "dapi", r"dapi[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("telegram-token", ":AA", r"[0-9]{8,10}:AA[\w-]{32,}"),
    ("age-key", "AGE-", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
)
_BESIDE_AWS_ID = r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
_JWT = r"(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)*"
_AUTH_SCHEME = (
    r"(?<![A-Za-z0-9])(?:[Bb]earer|BEARER|[Bb]asic|BASIC)\s{1,4}"
    r"(?:(?=[\w.~+/-]{0,40}[\d=])[\w.~+/-]{6,}={0,2}|[\w.~+/-]{20,}={0,2})"
)
_PEM = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
_URL_CREDENTIALS = r"://(?P<secret>[^\s/:@]{0,256}:[^\s/]{1,512})@"
_CARD = r"[2-6](?<![\w.-][2-6])(?:[ -]?\d){12,18}(?![\w-])"
_EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"

_ASSIGNMENT = r"(?<![\w-])([\w-]{2,64}+)(\\{0,3}[\"']?\s{0,3}(?:=>?|:)\s{0,3})"
_QUOTED = r"""b?(\\{0,3}["'])((?:(?!\1)[^\n]){1,4096})"""
_SCHEME = r"(?:(?:[Bb]asic|[Bb]earer|[Tt]oken|[Dd]igest|ApiKey|Negotiate)\s{1,4})"
_UNQUOTED = (
    rf"({_SCHEME}?+)(?!(?:[Nn]one|null|True|true|False|false)\b)"
    r"([^\s&;,'\"()\[\]{}<>\\]{1,256}+)"
)
_REST = r"[^\s&;,'\"()\[\]{}<>\\]*+"
_COOKIE_LINE = r"(?i:\bcookie)\"?\s{0,3}:\s{0,3}([\w.!#$%&*+^|~-]{1,64}+=[^\r\n\"']+)"


@cache
def compiled(pattern: str) -> Pattern[str]:
    """Return `pattern` compiled; at first use, so that importing costs nothing."""
    return re.compile(pattern)


def find_keys(text: str) -> Iterator[Span]:
    """Yield the keys of known providers; one begins where no letter or digit precedes it."""
    for kind, marker, pattern in _KEYS:
        if marker not in text:
            continue
        for match in compiled(pattern).finditer(text):
            start = match.start()
            if (start and text[start - 1].isalnum()) or _is_words(kind, match[0]):
                continue
            yield start, match.end(), kind
            if kind == "aws-key-id":  # its other half is forty characters without any mark
                yield from _all(_BESIDE_AWS_ID, text, "aws-secret-key")


def _is_words(kind: str, key: str) -> bool:
    """Tell names such as ``sk-learn-contrib-…`` from keys."""
    return kind == "openai-key" and not any(character.isdigit() for character in key)


def _all(pattern: str, text: str, kind: str) -> Iterator[Span]:
    compiled_pattern = compiled(pattern)
    group = compiled_pattern.groups
    for match in compiled_pattern.finditer(text):
        yield match.start(group), match.end(group), kind


def find_cards(text: str) -> Iterator[Span]:
    """Yield payment card numbers: an issuer's prefix and length, and a right check digit.

    Other groups of digits may follow one: ``4111 1111 1111 1111 12``.
    """
    for match in compiled(_CARD).finditer(text):
        digits = ""
        for group in compiled(r"\d+").finditer(match[0]):
            digits += group[0]
            if len(digits) >= 13 and is_card(digits):
                yield match.start(), match.start() + group.end(), "card"
                break


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card(digits: str) -> bool:
    """Tell whether `digits` is a possible card number (ISO/IEC 7812: issuer, length, Luhn)."""
    if not digits.isascii() or not _has_issuer(digits):
        return False
    total = sum(int(digit) for digit in digits[-1::-2])
    total += sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def _has_issuer(digits: str) -> bool:
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37):
        return size == 15
    if two in (30, 36, 38, 39):
        return 14 <= size <= 19
    return 16 <= size <= 19 and (two in (35, 60, 62, 64, 65) or 5018 <= four <= 6763)


def find_assignments(text: str, is_secret: Callable[[str], bool]) -> Iterator[Span]:
    """Yield the values of ``name=value`` where the name is secret: forms, JSON, reprs, headers."""
    search = compiled(_ASSIGNMENT).search
    match = search(text)
    while match is not None:
        value = _value_at(text, match) if is_secret(match[1]) else None
        if value is not None:
            yield *value, "value"
        match = search(text, match.end() if value is None else value[1])


def _value_at(text: str, head: Match[str]) -> tuple[int, int] | None:
    """Return where the value lies that is assigned behind `head`."""
    value = compiled(_QUOTED).match(text, head.end())
    if value is not None:
        return value.span(2)
    value = compiled(_UNQUOTED).match(text, head.end())
    if value is None:
        return None
    start, end = value.span(2)
    if end - start == 256:  # only what was taken for a value is walked to its end: linear
        return start, compiled(_REST).match(text, end).end()  # type: ignore[union-attr]
    follows = text[end : end + 1]
    if follows not in "&;" and not follows.isspace():
        return None
    if value[1] or head[2] == "=" or _is_no_source(value[2]):
        return start, end
    return None


def _is_no_source(value: str) -> bool:
    """Tell ``password: hunter2`` from an annotation or ``token = get_token`` in source code."""
    return len(value) >= 6 and any(character.isdigit() for character in value)


#: Keys, tokens and card numbers have at least this much in one piece; cards may have spaces.
_RUN = r"[A-Za-z0-9_\-]{13}"
_GROUPS = r" \d{4,6} \d"


def find_all(
    text: str, is_secret: Callable[[str], bool], extra: tuple[Pattern[str], ...], emails: bool
) -> list[Span]:
    """Return where secrets stand in `text`, in no order, maybe overlapping."""
    found: list[Span] = []
    dense = len(text) >= 13 and (compiled(_RUN).search(text) or compiled(_GROUPS).search(text))
    assigned = "=" in text or ":" in text
    if dense:
        found += find_keys(text)
        found += find_cards(text)
        if "eyJ" in text:
            found += _all(_JWT, text, "jwt")
    if dense or assigned:
        found += _all(_AUTH_SCHEME, text, "authorization") if _has_scheme(text) else ()
    if assigned:
        found += find_assignments(text, is_secret)
        if "ookie" in text or "OOKIE" in text:
            found += _all(_COOKIE_LINE, text, "cookie")
    if "-----BEGIN" in text:
        found += _all(_PEM, text, "private-key")
    if "@" in text:
        found += _all(_URL_CREDENTIALS, text, "credentials") if "://" in text else ()
        found += _all(_EMAIL, text, "email") if emails else ()
    for pattern in extra:
        found += [(m.start(), m.end(), "custom") for m in pattern.finditer(text) if m[0]]
    return found


def _has_scheme(text: str) -> bool:
    return "asic " in text or "earer " in text or "ASIC " in text or "EARER " in text
