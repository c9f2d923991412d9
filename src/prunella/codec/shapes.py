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

#: Kind → pattern. A key begins where no letter or digit precedes it.
_KEYS = {
    "anthropic-key": r"sk-ant-[\w-]{16,}",
    "openai-key": r"sk-(?=[\w-]{0,60}\d)[\w-]{20,}",
    "stripe-key": r"(?:[sr]k_(?:live|test)|whsec)_\w{10,}",
    "aws-key-id": r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    "github-token": r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})",
    "gitlab-token": r"gl(?:pat|dt|rt|cbt|ptt|oas|soat)-[\w-]{16,}",
    "slack-token": r"x(?:ox[abeoprs]|app)-[A-Za-z0-9-]{10,}",
    "google-key": r"AIza[\w-]{35,}",
    "google-token": r"ya29\.[\w-]{20,}",
    "google-secret": r"GOCSPX-[\w-]{20,}",
    "twilio-key": r"(?:SK|AC)[0-9a-f]{32}(?![A-Za-z0-9])",
    "sendgrid-key": r"SG\.[\w-]{16,128}\.[\w-]{16,}",
    "npm-token": r"npm_[A-Za-z0-9]{30,}",
    "pypi-token": r"pypi-[\w-]{32,}",
    "huggingface-token": r"(?:hf|api_org)_[A-Za-z0-9]{20,}",
    "groq-key": r"gsk_[A-Za-z0-9]{20,}",
    "xai-key": r"xai-[A-Za-z0-9]{20,}",
    "digitalocean-token": r"do[opr]_v1_[0-9a-f]{32,}",
    "shopify-token": r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32,}",
    "square-token": r"sq0[a-z]{3}-[\w-]{20,}",
    "docker-token": r"dckr_pat_[\w-]{20,}",
    "vault-token": r"hv[sbr]\.[\w-]{24,}",
    "atlassian-token": r"ATATT3[\w=-]{40,}",
    "databricks-token": r"dapi[0-9a-f]{32}(?![A-Za-z0-9])",
    "linear-key": r"lin_api_[A-Za-z0-9]{20,}",
    "telegram-token": r"[0-9]{8,10}:AA[\w-]{32,}",
    "age-key": r"AGE-SECRET-KEY-1[0-9A-Z]{20,}",
}
_JWT = r"(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)*"
_AUTH_SCHEME = (
    r"(?<![A-Za-z0-9])(?:[Bb]earer|BEARER|[Bb]asic|BASIC|[Dd]igest)\s{1,4}"
    r"(?:(?=[\w.~+/-]{0,40}[\d=])[\w.~+/-]{6,}={0,2}|[\w.~+/-]{20,}={0,2})"
)
_PEM = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
_URL_CREDENTIALS = r"(?<=://)[^\s/:@]{0,256}:[^\s/]{1,512}@"
_CARD = r"(?<![\w.-])(?<![\w.-][ -])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)"
_EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_AWS_SECRET = r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"

#: Words within names that may be secret, for a first look at ``name = value`` in text.
_NAME_STEMS = (
    r"pass|pwd|secret|token|key|auth|cookie|cred|session|sess?id|sid|jwt|bearer|[cx]srf|ssn|cv[vc]|"
    r"otp|card|pin|dsn|connection|social"
)
_ASSIGNMENT = rf"(?i:{_NAME_STEMS})[\w-]{{0,40}}+\\{{0,3}}[\"']?\s{{0,3}}(?::|=>?)\s{{0,3}}"
_QUOTED = r"""(?:b?(\\{0,3}["']))((?:(?!\1)[^\n]){1,4096})"""
_UNQUOTED = (
    r"(?![Nn]one\b|null\b|[Tt]rue\b|[Ff]alse\b)[^\s&;,'\"()\[\]{}<>\\]{4,4096}+(?=[&;\s]|\Z)"
)
_COOKIE_LINE = r"(?i:\bcookie)\"?\s{0,3}:\s{0,3}(?=[^\r\n]{0,200}=)[^\r\n\"']{4,}"


@cache
def compiled(pattern: str) -> Pattern[str]:
    """Return `pattern` compiled; at first use, so that importing costs nothing."""
    return re.compile(pattern)


@cache
def _keys() -> Pattern[str]:
    groups = "|".join(f"(?P<k{at}>{pattern})" for at, pattern in enumerate(_KEYS.values()))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{groups})")


_KINDS = tuple(_KEYS)


def find_keys(text: str) -> Iterator[Span]:
    """Yield the keys of known providers."""
    aws = False
    for match in _keys().finditer(text):
        kind = _KINDS[int((match.lastgroup or "k0")[1:])]
        aws = aws or kind == "aws-key-id"
        yield match.start(), match.end(), kind
    if aws:
        yield from _all(_AWS_SECRET, text, "aws-secret-key")


def _all(pattern: str, text: str, kind: str) -> Iterator[Span]:
    for match in compiled(pattern).finditer(text):
        yield match.start(), match.end(), kind


def find_cards(text: str) -> Iterator[Span]:
    """Yield payment card numbers: an issuer's prefix and length, and a right check digit."""
    for match in compiled(_CARD).finditer(text):
        digits = match[0].replace(" ", "").replace("-", "")
        if is_card(digits):
            yield match.start(), match.end(), "card"
            continue
        for size in (19, 16, 15, 14, 13):  # followed by other digits: "4111 1111 1111 1111 12"
            end = _end_of_digits(match, size)
            if end is not None and is_card(digits[:size]):
                yield match.start(), end, "card"
                break


def _end_of_digits(match: Match[str], size: int) -> int | None:
    seen = 0
    for at in range(match.start(), match.end()):
        seen += match.string[at].isdigit()
        if seen == size:
            follows = match.string[at + 1 : at + 2]
            return None if follows.isdigit() else at + 1
    return None


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
    name_end = compiled(r"[\w-]{0,40}\Z")
    for match in compiled(_ASSIGNMENT).finditer(text):
        before = text[max(0, match.start() - 40) : match.start()]
        name = name_end.search(before)[0] + match[0].rstrip(" \t:=>\"'\\\r\n")  # type: ignore[index]
        if not is_secret(name):
            continue
        value = compiled(_QUOTED).match(text, match.end())
        if value is not None:
            yield value.start(2), value.end(2), "value"
            continue
        value = compiled(_UNQUOTED).match(text, match.end())
        if value is not None and _is_plain_assignment(match[0], before, value[0]):
            yield value.start(), value.end(), "value"


def _is_plain_assignment(head: str, before: str, value: str) -> bool:
    """Tell ``password=hunter2`` (a form, a log line) from ``token = get`` (source code).

    With spaces or a colon the value has to have a digit.
    """
    if head.endswith("="):
        return True
    return len(value) >= 6 and any(character.isdigit() for character in value)


def spans(
    text: str, is_secret: Callable[[str], bool], extra: tuple[Pattern[str], ...], emails: bool
) -> list[Span]:
    """Return where secrets stand in `text`, in no order, maybe overlapping."""
    found = list(find_keys(text))
    if "eyJ" in text:
        found += _all(_JWT, text, "jwt")
    if "-----BEGIN" in text:
        found += _all(_PEM, text, "private-key")
    if " " in text and compiled("[Ee]arer|EARER|[Aa]sic|ASIC|igest").search(text):
        found += _all(_AUTH_SCHEME, text, "authorization")
    if "@" in text:
        if "://" in text:
            found += _all(_URL_CREDENTIALS, text, "credentials")
        if emails:
            found += _all(_EMAIL, text, "email")
    found += find_cards(text)
    if "=" in text or ":" in text:
        found += find_assignments(text, is_secret)
        if "ookie" in text or "OOKIE" in text:
            found += _all(_COOKIE_LINE, text, "cookie")
    for pattern in extra:
        found += [(m.start(), m.end(), "custom") for m in pattern.finditer(text) if m[0]]
    return found
