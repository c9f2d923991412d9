"""Two hundred made-up secrets of the known shapes; none of them opens anything."""

import base64
import random
import string
from collections.abc import Callable

from prunella.codec.shapes import is_card

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def _letters(source: random.Random, size: int, alphabet: str = ALNUM) -> str:
    return "".join(source.choice(alphabet) for _ in range(size - 1)) + "7"


def _jwt(source: random.Random) -> str:
    parts = [b'{"alg":"HS256"}', b'{"sub":"%d"}' % source.getrandbits(64), source.randbytes(32)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _card(source: random.Random) -> str:
    while not is_card(digits := "4" + _letters(source, 15, string.digits)):
        pass
    return digits


def _pem(source: random.Random) -> str:
    body = "\n".join(_letters(source, 64) for _ in range(4))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


#: Secrets that are known by their look. Made up here; none of them opens anything.
SHAPES: dict[str, Callable[[random.Random], str]] = {
    "openai": lambda r: "sk-" + _letters(r, 48),
    "openai project": lambda r: "sk-proj-" + _letters(r, 60),
    "anthropic": lambda r: "sk-ant-api03-" + _letters(r, 80),
    "aws": lambda r: "AKIA" + _letters(r, 16, string.ascii_uppercase + string.digits),
    "github": lambda r: "ghp_" + _letters(r, 36),
    "github oauth": lambda r: "gho_" + _letters(r, 36),
    "github fine": lambda r: "github_pat_" + _letters(r, 60),
    "gitlab": lambda r: "glpat-" + _letters(r, 20),
    "slack": lambda r: f"xoxb-{_letters(r, 12, string.digits)}-{_letters(r, 24)}",
    "stripe": lambda r: "sk_live_" + _letters(r, 24),
    "google": lambda r: "AIza" + _letters(r, 35),
    "twilio": lambda r: "SK" + _letters(r, 32, HEX),
    "sendgrid": lambda r: f"SG.{_letters(r, 22)}.{_letters(r, 43)}",
    "npm": lambda r: "npm_" + _letters(r, 36),
    "pypi": lambda r: "pypi-" + _letters(r, 100),
    "huggingface": lambda r: "hf_" + _letters(r, 34),
    "jwt": _jwt,
    "card": _card,
    "private key": _pem,
}


def _corpus() -> list[tuple[str, str]]:
    source = random.Random(20261122)
    kinds = list(SHAPES)
    return [(kind, SHAPES[kind](source)) for kind in (kinds * 11)[:200]]


CORPUS = _corpus()
