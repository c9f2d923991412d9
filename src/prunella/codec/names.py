"""Which names say that what stands under them is a secret.

A name is split into words (``dbPassword``, ``X-Auth-Token``, ``API_KEY``), and it is secret where a
word or a pair of words is, unless its other words say that it is *about* the secret: how many
there are, how long, where from (``password_length``, ``max_tokens``, ``token_url``,
``has_password``). ``tokens`` in the plural means parts of a text as a rule; it is secret only
beside a word like ``access`` or ``refresh``.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from json.encoder import encode_basestring_ascii

#: What a name says of its value; 0 is nothing. A number under a weak name isn't a secret:
#: ``session=3``, ``auth=1``. Under an unclean one neither, but the name itself may hold a secret.
WEAK, STRONG, UNCLEAN = 1, 2, 3

_SPLIT = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STRONG_WORDS = _words("""
    password passwd passwords passphrase passcode pwd secret secrets credential credentials
    creds apikey apikeys authtoken accesstoken refreshtoken authkey privatekey secretkey
    accesskey clientsecret ssn cvv cvc cvv2 otp totp cardnumber creditcard connectionstring
""")
_WEAK_WORDS = _words("""
    token authorization auth cookie cookies session sessionid sessid phpsessid jsessionid
    sessionkey sid jwt bearer csrf xsrf csrftoken xsrftoken csrfmiddlewaretoken dsn
""")
_SECRET_KEYS = _words("""
    api private secret access encryption signing ssh master auth account shared
    service deploy license session hmac aes rsa gpg pgp
""")
_STRONG_PAIRS = frozenset(
    {
        *((word, "key") for word in _SECRET_KEYS),
        *((word, "keys") for word in _SECRET_KEYS - {"session", "account", "service"}),
        ("pass", "word"),
        ("pass", "wd"),
        ("pass", "phrase"),
        ("card", "number"),
        ("credit", "card"),
        ("social", "security"),
        ("pin", "code"),
        ("connection", "string"),
    }
)
_WEAK_PAIRS = frozenset(
    (word, "tokens")
    for word in _words("access refresh auth api bearer id session csrf secret device push user")
)
#: Last words that make a name one about the secret.
_ABOUT_LAST = _words("""
    count counts length len size type kind name names url urls uri endpoint field fields
    label policy required enabled disabled expiry expires expiration at ttl timeout index
    limit usage budget min max age path paths format version pattern regex class cls factory
    backend provider manager store middleware lifetime interval seconds ms s validator
    validators hasher hashers generator help text hint strength score arn cost prompt error
    errors
""")
_ABOUT_FIRST = _words("""
    is has had num n max min total count needs need requires require use uses with no next
    show hide invalid missing
""")


#: What no secret name is without, in small letters: most names are told by it at once.
_TELLING = re.compile(
    "pass|pwd|secret|cred|key|token|ssn|cvv|cvc|otp|card|connection|pin|auth|cookie|sess|sid|jwt"
    "|bearer|csrf|xsrf|dsn|social"
)
_MAX_REMEMBERED = 4_096
_LONGEST_NAME = 64


class Secrecies(dict[str, int]):
    """What is known about names: a lookup is all it costs to ask again."""

    __slots__ = ("_decide",)

    def __init__(self, decide: Callable[[str], int]) -> None:
        super().__init__()
        self._decide = decide

    def __missing__(self, name: str) -> int:
        if len(name) > _LONGEST_NAME:
            return UNCLEAN
        found = self._decide(name)
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        self[name] = found
        return found


class Quoted(dict[str, str]):
    """Names that are no secret as JSON text, with the comma that stands behind them in a tree."""

    __slots__ = ("_secrecies",)

    def __init__(self, secrecies: Secrecies) -> None:
        super().__init__()
        self._secrecies = secrecies

    def __missing__(self, name: str) -> str:
        if self._secrecies[name]:
            raise KeyError("a secret name")
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        found = self[name] = f"{encode_basestring_ascii(name)},"
        return found


class Said(dict[str, str]):
    """What programs say, without secrets, as JSON text: short texts are looked through once."""

    __slots__ = ("_clean",)

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def __missing__(self, text: str) -> str:
        found = encode_basestring_ascii(self._clean(text))
        if len(text) <= _LONGEST_NAME:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[text] = found
        return found


def secrecy(name: str, extra_words: frozenset[str] = frozenset()) -> int:
    """Return `STRONG`, `WEAK` or 0 for `name`."""
    if not extra_words and _TELLING.search(name.lower()) is None:
        return 0
    words = [word.lower() for word in re.findall(_SPLIT, name)]
    if not words:
        return 0
    if extra_words and any(_contains(words, extra.split()) for extra in extra_words):
        return STRONG
    found = _secrecy_of_words(words)
    if found and len(words) > 1 and (words[-1] in _ABOUT_LAST or words[0] in _ABOUT_FIRST):
        return 0
    return found


def _secrecy_of_words(words: list[str]) -> int:
    pairs = list(pairwise(words))
    if not _STRONG_WORDS.isdisjoint(words) or not _STRONG_PAIRS.isdisjoint(pairs):
        return STRONG
    if words[-1] == "pass" and (len(words) == 1 or words[-2] in ("user", "db", "smtp", "admin")):
        return STRONG
    if not _WEAK_WORDS.isdisjoint(words) or not _WEAK_PAIRS.isdisjoint(pairs):
        return WEAK
    return 0


def normal_words(names: Iterable[str]) -> frozenset[str]:
    """Return names as lower-case words with spaces between, the form of `secrecy`'s extra words."""
    return frozenset(
        " ".join(word.lower() for word in re.findall(_SPLIT, name)) for name in names
    ) - {""}


def _contains(words: list[str], part: list[str]) -> bool:
    size = len(part)
    return any(words[at : at + size] == part for at in range(len(words) - size + 1))
