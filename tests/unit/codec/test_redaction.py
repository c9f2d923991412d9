import base64
import json
import traceback
from collections import OrderedDict, deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec_samples import Line, Order, Point, Refused, Rows, Text, plain
from prunella.codec import Redactor, encode, encode_mapping, names, redact_tree, render
from prunella.model.errors import ConfigurationError
from secret_corpus import CORPUS

REDACTOR = Redactor()


def _raised(message: str) -> BaseException:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def _places(secret: str) -> dict[str, Any]:
    """Everywhere that a secret may turn up in a record."""
    order = Order(1, [{"deep": [("a", secret)]}])
    refused = Refused(reason=secret)
    return {
        "argument": secret,
        "text": f"request failed for {secret}, giving up",
        "quoted": f"cannot use '{secret}'!",
        "bytes": secret.encode(),
        "text_bytes": bytearray(f"<{secret}>".encode()),
        "rows": [1, (secret, {secret}), deque([secret]), frozenset([secret])],
        "keys": {secret: 1, "v": secret, 5: OrderedDict(a=secret)},
        "objects": [order, Line(secret, 1), Point(1, secret), plain(seen=secret), Text(secret)],
        "rows_class": Rows([secret]),
        "exception": _raised(secret),
        "refused": refused,
        "json": json.dumps({"data": {"x": secret}}),
        "representation": repr({"x": secret}),
        "url": f"https://example.org/?q={secret}&x=1",
        "traceback": "".join(traceback.format_exception(_raised(f"bad {secret}"))),
        "header": f"Authorization: Bearer {secret}",
        "long": "lorem ipsum " * 9_000 + secret,
        "beginning": secret + " dolor sit amet" * 9_000,
    }


def test_the_corpus_is_found_nowhere() -> None:
    """Two hundred secrets in all places: none is in the JSON text, nor in base64 within it."""
    kind, secret = CORPUS[0]
    assert secret in _readable(json.dumps(encode_mapping(_places(secret)).tree))
    for kind, secret in CORPUS:
        tree = encode_mapping(_places(secret), redactor=REDACTOR).tree
        recorded = _readable(json.dumps(tree))

        for line in secret.splitlines():
            assert line not in recorded, f"{kind} in {render(tree, max_chars=2_000)}"


def test_the_corpus_is_found_nowhere_after_a_second_pass() -> None:
    """A tree that was recorded without redaction is as clean once it was redacted."""
    for kind, secret in CORPUS[::7]:
        tree = redact_tree(encode_mapping(_places(secret)).tree, REDACTOR)
        recorded = _readable(json.dumps(tree))

        for line in secret.splitlines():
            assert line not in recorded, kind


def _readable(text: str) -> str:
    """Return JSON text with what its base64 says behind it."""
    found = [text]

    def look(node: Any) -> None:
        if isinstance(node, list):
            if len(node) == 2 and node[0] in ("b", "ba"):
                found.append(base64.b64decode(node[1]).decode("latin-1"))
            for item in node:
                look(item)

    look(json.loads(text))
    return "\n".join(found)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "passwd",
        "dbPassword",
        "DB_PASSWORD",
        "userPassword2",
        "secret",
        "clientSecret",
        "api_key",
        "apiKey",
        "APIKEY",
        "X-Api-Key",
        "authorization",
        "Authorization",
        "X-Auth-Token",
        "access_token",
        "accessToken",
        "refresh_tokens",
        "csrf_token",
        "cookie",
        "Set-Cookie",
        "session",
        "sessionId",
        "PHPSESSID",
        "private_key",
        "privateKey",
        "AWS_SECRET_ACCESS_KEY",
        "credentials",
        "creds",
        "ssn",
        "cvv",
        "card_number",
        "creditCard",
        "passphrase",
        "pwd",
        "jwt",
        "otp",
        "encryption_key",
        "db_pass",
        "passwordHash",
    ],
)
def test_what_stands_under_a_secret_name_is_hidden(name: str) -> None:
    """As argument, key, attribute, header pair and assignment in text."""
    value = "hunter2 for " + name[:1]
    tree = encode_mapping(
        {
            name: value,
            "mapping": {name: value, name.encode(): value, "in": {name: [value]}},
            "object": plain(**{name: value}),
            "headers": [(name, value), [name.encode(), value.encode()]],
            "json": json.dumps({name: value}),
            "repr": f"Config({name}={value!r}, debug=True)",
            "form": f"a=1&{name}=hunter2&b=2",
        },
        redactor=REDACTOR,
    ).tree

    assert REDACTOR.is_secret_name(name)
    assert "hunter2" not in _readable(json.dumps(tree))


@pytest.mark.parametrize(
    "name",
    [
        "tokens",
        "tokenizer_count",
        "max_tokens",
        "prompt_tokens",
        "token_count",
        "total_tokens",
        "token_type",
        "author",
        "authors",
        "key",
        "keys",
        "monkey",
        "compass",
        "passed",
        "bypass",
        "passenger",
        "passport",
        "secretary",
        "password_length",
        "has_password",
        "is_secret",
        "password_required",
        "session_count",
        "session_timeout",
        "cookie_name",
        "token_url",
        "card",
        "cards",
        "description",
        "status",
        "self",
        "name",
        "oauth_url",
        "keyboard",
        "tokenize",
        "n_sessions",
    ],
)
def test_names_that_only_resemble_secrets_hide_nothing(name: str) -> None:
    """Calls stay replayable where there is no secret."""
    assert not REDACTOR.is_secret_name(name)
    assert encode_mapping({name: "value"}, redactor=REDACTOR).complete


def test_what_is_known_of_a_secret_is_its_type_and_about_its_length() -> None:
    """Replay can say what it lacks; whether there was one at all stays visible."""
    tree = encode_mapping(
        {"password": "x" * 20, "token": None, "secret": ["a"], "has_token": True, "session": 7},
        redactor=REDACTOR,
    ).tree

    assert tree == [
        *("d", "password", ["redacted", "str", "17-32"], "token", None),
        *("secret", ["redacted", "list", "1-4"], "has_token", True, "session", 7),
    ]
    assert encode("ghp_" + "a1" * 20, redactor=REDACTOR).tree == ["redacted", "str", "33-64"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgres://bob:p@ss:w@db.example.org:5432/x", "@db.example.org:5432/x"),
        ("card 4111 1111 1111 1111.", "card [redacted:card]."),
        ("Cookie: a=b; c=d\r\nHost: x", "Cookie: [redacted:cookie]\r\nHost: x"),
        ("Authorization: Basic dXNlcjpwdw", "Authorization: Basic [redacted:value]"),
        ("user=bob&password=correct&x=1", "user=bob&password=[redacted:value]&x=1"),
        ("{'password': 'a b', 'x': 1}", "{'password': '[redacted:value]', 'x': 1}"),
        ('"{\\"api_key\\": \\"abc\\"}"', '"{\\"api_key\\": \\"[redacted:value]\\"}"'),
        (
            "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "[redacted:aws-key-id] [redacted:aws-secret-key]",
        ),
    ],
)
def test_only_the_secret_part_of_a_text_is_replaced(text: str, clean: str) -> None:
    """The rest stays readable, the host of a URL among it."""
    assert REDACTOR.text(text).endswith(clean)


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 failed",
        "id 1700000000000000, 20261122031500000",
        "https://example.org:8080/path@v2?page=2",
        "login(user, password=pw, token=token)",
        "token = get_token()",
        "def f(password: str, token: bytes = None) -> None:",
        "max_tokens=4096 token_count: 123456789",
        "a basic understanding of bearer bonds",
        "123e4567-e89b-12d3-a456-426614174000",
        "/usr/lib/python3.11/site-packages/some_package/module_name.py:12",
        "2026-11-22T03:15:00+00:00 INFO worker-17 started",
        "sk-learn-contrib-imbalanced-learn-package",
        "d41d8cd98f00b204e9800998ecf8427e",
        "secret = None; password: null",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    """And is the very same object, so that nothing is copied."""
    assert REDACTOR.text(text) is text


def test_own_names_patterns_and_emails_add_to_the_rules() -> None:
    """What a project calls secret is, word by word and in any spelling."""
    own = Redactor(extra_names=["patientId"], extra_patterns=[r"EMP\d{3}"], emails=True)

    tree = encode_mapping({"patient_id": 5, "note": "EMP123", "to": "a@b.org"}, redactor=own).tree

    assert own.is_secret_name("PATIENT-ID")
    assert json.dumps(tree).count("redacted") == 3
    assert REDACTOR.text("mail bob@example.org") == "mail bob@example.org"
    with pytest.raises(ConfigurationError, match="regular expression"):
        Redactor(extra_patterns=["("])


UNITS = [
    "a",
    "-",
    "_",
    "1",
    "4",
    "eyJ",
    "-eyJ",
    "eyJa.eyJ",
    "sk-",
    "-sk-",
    "Bearer~",
    "basic~",
    "://",
    "://a:",
    "@",
    "a@",
    "password=",
    'password="',
    "token:",
    "-----BEGIN~",
    "~4111",
    "4-1",
    "AKIA",
    "SG.",
    "SG.a.",
    "\\",
    "'",
    '"',
    "=",
    ":",
    "key",
    "token:a,",
    "~password=x(",
    "cookie:",
    "Cookie:=",
]


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    """A megabyte of the beginning of anything secret ends: squared, it would take hours."""
    text = unit.replace("~", " ") * (1_000_000 // len(unit))

    assert REDACTOR.text(text)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="aeyJsk-_.:=@/\"'{ 4B1\\\n", max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    """Marks are no secrets, and what is left has none."""
    once = REDACTOR.text(text)

    assert REDACTOR.text(once) == once


@pytest.mark.parametrize("kind", [list, tuple])
def test_secrets_behind_options_of_a_command_line_are_found(kind: type) -> None:
    """``--password value`` is a secret in the arguments of a command; flags and words are not."""
    command = kind(
        ["mysql", "--user", "ada", "--password", "hunter2", "--api-key", "--verbose", "x"]
    )
    redactor = Redactor()
    for tree in (
        encode(command, redactor=redactor).tree,
        redact_tree(encode(command).tree, redactor),
    ):
        hidden = ["redacted", "str", "5-8"]
        assert tree[1:] == [*command[:4], hidden, *command[5:]]
    plain = kind(["ls", "-l", "token", "password", "words"])
    assert encode(plain, redactor=redactor).complete


def test_every_secret_name_has_what_tells_it() -> None:
    """The look that spares most names being taken apart passes over no word and no pair."""
    words = [*names._STRONG_WORDS, *names._WEAK_WORDS, "pass"]
    pairs = ["_".join(pair) for pair in names._STRONG_PAIRS | names._WEAK_PAIRS]
    for name in [*words, *pairs, *(name.upper() for name in pairs)]:
        assert names.secrecy(name), name
