"""Secrets everywhere in a real program: none of them reaches the disk."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import prunella
from prunella.codec.wire import read_lines
from prunella.model.records import Call, Occurrence
from prunella.wiring.healer import Healer
from secret_corpus import CORPUS

PROGRAM = """
import json, logging, sys
import prunella
from prunella import heal
from prunella.sdk.runtime import set_drain

set_drain(None)
prunella.init(uncaught=True, logging=True)


class Holder:
    def __init__(self, secret):
        self.seen = secret
        self.inner = {"deep": [("a", secret)]}


class Refused(Exception):
    def __init__(self, message, secret):
        super().__init__(message)
        self.reason = secret


@heal
def argument(secret, *more, **named):
    held = Holder(secret)
    raise ValueError("no luck")


@heal
def local(number):
    credential = SECRETS[number]
    table = {"v": credential, credential: 1, "rows": [credential.encode()]}
    return table["missing"]


@heal
def message(number):
    raise RuntimeError(f"request failed for {SECRETS[number]}, giving up")


@heal
def attribute(number):
    raise Refused("refused", SECRETS[number])


@heal
def chain(number):
    try:
        int(SECRETS[number])
    except ValueError as error:
        raise LookupError("lookup") from error


@heal
def answer(number):
    return {"v": SECRETS[number], "held": Holder(SECRETS[number])}


@heal
def stream(number):
    yield SECRETS[number]
    yield [SECRETS[number]]
    raise OSError(5, "gone", SECRETS[number])


@heal
async def later(secret):
    raise ConnectionError(f"https://user:{secret}@example.org/")


def logged(number):
    try:
        raise KeyError(SECRETS[number])
    except KeyError:
        logging.exception("failed with %s", SECRETS[number])


SECRETS = json.loads(sys.stdin.read())
logging.getLogger().addHandler(logging.NullHandler())
import asyncio

for number, secret in enumerate(SECRETS):
    for run in (
        lambda: argument(secret, secret, {"k": secret}, other=secret),
        lambda: local(number),
        lambda: message(number),
        lambda: attribute(number),
        lambda: chain(number),
        lambda: answer(number),
        lambda: list(stream(number)),
        lambda: asyncio.run(later(secret)),
        lambda: logged(number),
    ):
        try:
            run()
        except Exception:
            pass
prunella.flush()
"""

HEAD = """
import json, os, sys
import prunella
from prunella import heal
from prunella.sdk.runtime import set_drain

set_drain(None)
GIVEN = json.loads(sys.stdin.read())
SECRETS, WORDS = GIVEN["secrets"], GIVEN["words"]


def attempt(function, number):
    try:
        function(number)
    except Exception:
        pass
"""
#: Around a failure rather than in its data. SECRET stands in the text itself, as programmers do it.
SURROUNDINGS = """
@heal
def noted_NUMBER(number):
    error = ValueError("noted")
    error.add_note(f"was using {SECRETS[number]}")
    raise error


@heal
def arguments_of_error_NUMBER(number):
    raise OSError(5, SECRETS[number], {"k": [SECRETS[number]]})


@heal
def group_NUMBER(number):
    raise ExceptionGroup("several", [ValueError(SECRETS[number]), KeyError(SECRETS[number])])


@heal
def context_NUMBER(number):
    try:
        raise ConnectionError(f"proxy said {SECRETS[number]}")
    except ConnectionError:
        return {}[number]


@heal
def environment_NUMBER(number):
    surroundings = dict(os.environ)
    live = os.environ
    command = list(sys.argv)
    return surroundings["missing"]


@heal
def in_source_NUMBER(number, key=SECRET):
    '''Calls with SECRETTEXT, for now.'''
    other = SECRET  # was: SECRETTEXT
    raise ValueError(len(other))


@heal
def in_source_that_returns_NUMBER(number, *, key=SECRET):
    return key.upper() and SECRET
"""

#: Names whose values are secret whatever they look like.
NAMED = """
class Account:
    def __init__(self, number):
        self.password = WORDS[number]
        self.api_key = [WORDS[number]]
        self.headers = [("Authorization", WORDS[number]), ("Accept", "text/html")]

    @heal
    def connect(self, password, *, user_token=None, **options):
        access_token = password
        raise ConnectionError("refused: password=%r, token: %s" % (password, json.dumps(user_token)))


for number, word in enumerate(WORDS):
    try:
        Account(number).connect(word, user_token=word, client_secret=word, cookie={"sid": word})
    except ConnectionError:
        pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the program on the whole corpus; return its project."""
    root = tmp_path_factory.mktemp("project")
    (root / "program.py").write_text(PROGRAM)
    # A marker that is no secret shows that the places are recorded at all.
    secrets = ["plain-marker", *(secret for _, secret in CORPUS)]
    run_program(root, secrets)
    return root


def run_program(root: Path, given: object, *options: str) -> None:
    """Run `program.py` of the project at `root`; it reads what it is `given` as JSON."""
    path = str(Path(prunella.__file__).parents[1])
    subprocess.run(
        [sys.executable, "program.py", *options],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path, "PRUNELLA_ROOT": str(root)},
        input=json.dumps(given),
        text=True,
        check=True,
        timeout=300,
    )


def forms(secret: str) -> list[bytes]:
    """Return a secret as it may stand in a file: as text, as JSON's text, as base64."""
    lines = [line for line in secret.splitlines() if not line.startswith("-----")]
    found = [line.encode() for line in lines]
    for line in lines:
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + line.encode())
            found.append(whole[4 if shift else 0 : -4])
    return found


def leaks(data: bytes) -> list[str]:
    return [kind for kind, secret in CORPUS for form in forms(secret) if form in data]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in (folder / ".prunella").rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def test_no_secret_reaches_spool_or_store(folder: Path) -> None:
    """Arguments, locals, attributes, keys, messages, causes, results, yields, logs: nowhere."""
    spool = contents(folder)
    assert any(b"plain-marker" in data for data in spool.values())
    lines = [line for data in spool.values() for line in read_lines(data)]
    records = [line.record for line in lines if line.record is not None]
    failed = {record.site_id for record in records if isinstance(record, Occurrence)}
    names = {str(site).rpartition(":")[2] for site in failed}
    assert names >= {"argument", "local", "message", "attribute", "chain", "stream", "later"}
    assert "logged" in names
    assert any(isinstance(record, Call) for record in records)
    assert {name: found for name, data in spool.items() if (found := leaks(data))} == {}

    with Healer(root=folder) as healer:
        healer.refresh()
        healer.store.incidents()
        stored = contents(folder)  # with the log, which is part of the store while it is open
    assert any(name.endswith("-wal") for name in stored)
    assert {name: found for name, data in stored.items() if (found := leaks(data))} == {}
    assert any(b"plain-marker" in data for data in stored.values())
    assert {name: found for name, data in contents(folder).items() if (found := leaks(data))} == {}


def test_no_secret_around_a_failure_reaches_spool_or_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes, exception arguments, groups, contexts, argv, environment, source text: nowhere."""
    secrets = [secret for _, secret in CORPUS]
    words = [f"correct-horse-{number:03}x" for number in range(200)]
    functions = re.findall(r"def (\w+)_NUMBER", SURROUNDINGS)
    text = HEAD
    for number, secret in enumerate(secrets):
        own = SURROUNDINGS.replace("SECRETTEXT", secret.replace("\n", "\n    # "))
        text += (
            own.replace("NUMBER", str(number))
            .replace("=SECRET)", f"={secret!r})")
            .replace("= SECRET ", f"= {secret!r} ")
            .replace("and SECRET", f"and {secret!r}")
        )
        for function in functions:
            text += f"\nattempt({function}_{number}, {number})\n"
    (tmp_path / "program.py").write_text(f"{text}\n{NAMED}\nprunella.flush()\n")
    for number, secret in enumerate(secrets):
        monkeypatch.setenv(f"SERVICE_{number}", secret)
        monkeypatch.setenv(f"SERVICE_{number}_PASSWORD", words[number])
    options = [f"--service={secret}" for secret in secrets[:15]]
    options += ["--password", words[0], f"--api-key={words[1]}", *secrets[15:30]]
    run_program(tmp_path, {"secrets": secrets, "words": words}, *options)
    with Healer(root=tmp_path) as healer:
        spool = contents(tmp_path)
        healer.refresh()
        stored = contents(tmp_path)
        failed = {item.site_id.rpartition(":")[2] for item in healer.store.sites()}
    assert {f"{function}_{number}" for function in functions for number in range(200)} <= failed
    every = [*(form for _, secret in CORPUS for form in forms(secret)), *map(str.encode, words)]
    for files in (spool, stored):
        data = b"".join(files.values())
        found = [form for form in every if form in data]
        assert not found, data[data.find(found[0]) - 300 :][:600]
        assert b"refused: password=" in data
        assert b"several" in data
