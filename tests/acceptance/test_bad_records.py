"""What was recorded is missing, damaged, or not what was asked for."""

import sqlite3

import pytest

from acceptance.projects import problems, refused

COMMANDS = (
    ("incidents",),
    ("incidents", "show", "inc_1"),
    ("incidents", "ignore", "inc_1"),
    ("heal", "average"),
    ("heal", "--all", "--pr"),
    ("replay", "average"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_recorded(project, command):
    """Every command says that nothing was recorded, where it looked, and what to do."""
    message = refused(project, *command, code=3)
    assert "Nothing has been recorded here yet" in message
    assert str(project.folder) in message
    assert "@heal" in message
    assert not (project.folder / ".prunella").exists()


def test_nothing_recorded_in_a_folder_without_any_sign_of_a_project(tmp_path, project):
    """The working directory is what is named, not a folder of Prunella's own."""
    folder = tmp_path / "empty"
    folder.mkdir()
    project.folder = project.top = folder
    assert str(folder) in refused(project, "incidents", code=3)


@pytest.mark.parametrize("damage", ["garbage", "truncated", "empty", "folder", "other"])
def test_a_damaged_store(recorded, damage):
    """Commands stop with what to do and leave the file as it is; doctor calls it a problem."""
    recorded.run("incidents", "--json")
    store = recorded.folder / ".prunella" / "prunella.db"
    if damage == "garbage":
        store.write_bytes(b"\x00garbage " * 4096)
    elif damage == "truncated":
        store.write_bytes(store.read_bytes()[:6000])
    elif damage == "empty":
        store.write_bytes(b"")
    elif damage == "folder":
        store.unlink()
        store.mkdir()
    else:
        store.unlink()
        with sqlite3.connect(store) as other:
            other.execute("CREATE TABLE notes(text)")
        other.close()
    content = store.read_bytes() if store.is_file() else b""
    if damage == "empty":
        assert recorded.run("incidents", "--json").document["incidents"] == []
        return
    assert str(store) in refused(recorded, "incidents", code=3)
    assert str(store) in refused(recorded, "heal", "--all", code=3)
    ended = recorded.run("doctor", "--json")
    assert ended.code == 1
    assert "store" in problems(ended)
    assert (store.read_bytes() if store.is_file() else b"") == content


def test_a_store_of_a_newer_release(recorded):
    """It is refused, left as it is, and upgrading is what to do."""
    recorded.run("incidents", "--json")
    store = recorded.folder / ".prunella" / "prunella.db"
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    message = refused(recorded, "heal", "average", code=3)
    assert "999" in message
    assert "Upgrade" in message
    assert recorded.run("doctor", "--json").code == 1


def test_a_spool_with_a_torn_tail_and_a_garbage_line(recorded):
    """The good records around are used; doctor says how many lines weren't."""
    (spool,) = (recorded.folder / ".prunella" / "spool").glob("*.jsonl")
    lines = spool.read_bytes().splitlines(keepends=True)
    middle = len(lines) // 2
    torn = [*lines[:middle], b"\xff\xfe garbage\n", *lines[middle:], lines[-1][:20]]
    spool.write_bytes(b"".join(torn))
    ended = recorded.run("doctor", "--json")
    said = [f["statement"] for f in ended.document["findings"] if f["area"] == "spool"]
    assert any("2 lines" in statement for statement in said), said
    (incident,) = recorded.run("incidents", "--json").document["incidents"]
    assert incident["count"] == 1


def test_lines_that_could_not_be_read_are_said_by_the_command_that_skips_them(recorded):
    """A command other than doctor says on stderr that it skipped something."""
    (spool,) = (recorded.folder / ".prunella" / "spool").glob("*.jsonl")
    spool.write_bytes(spool.read_bytes() + b"garbage\n")
    ended = recorded.run("incidents", "--json")
    assert "1 line" in ended.err
    assert len(ended.document["incidents"]) == 1


def test_an_unknown_function(recorded):
    """Names that are near are suggested."""
    message = refused(recorded, "heal", "averag", code=2)
    assert "'averag'" in message
    assert "ratings:average" in message
    assert "'nobody'" in refused(recorded, "replay", "nobody", code=2)
    assert "inc_nope" in refused(recorded, "incidents", "show", "inc_nope", code=2)
    assert "inc_nope" in refused(recorded, "heal", "inc_nope", code=2)


def test_an_ambiguous_function(project):
    """The choices are listed, each of which can be typed."""
    source = "from prunella import heal\n\n\nclass {0}:\n    @heal\n    def price(self):\n        return 1 / 0\n"
    project.write({"one.py": source.format("A"), "two.py": source.format("B")})
    project.record(
        "import contextlib, one, two\n"
        "for x in (one.A(), two.B()):\n"
        "    with contextlib.suppress(ZeroDivisionError):\n"
        "        x.price()\n"
    )
    message = refused(project, "heal", "price", code=2)
    assert "one:A.price" in message
    assert "two:B.price" in message
    assert "ambiguous" in refused(project, "replay", "price", code=2)


def test_no_failure_in_the_window(recorded):
    """It says when the function failed last, and how to look back further."""
    recorded.run("incidents", "--json")
    with sqlite3.connect(recorded.folder / ".prunella" / "prunella.db") as db:
        db.execute("UPDATE incident SET last_us = last_us - 7200000000")
    db.close()
    message = refused(recorded, "heal", "average", "--lookback", "60", code=1)
    assert "average has not failed since" in message
    assert "--lookback" in message
    ended = recorded.run("heal", "--all", "--json")
    assert (ended.code, ended.document["healings"]) == (0, [])


def test_a_function_that_never_failed(project):
    """That is said, and isn't an unknown name."""
    project.record("import ratings; ratings.average([1])")
    message = refused(project, "heal", "average", code=1)
    assert "ratings:average" in message


@pytest.mark.parametrize("name", [".prunellaignore", ".vtwignore"])
def test_an_ignored_error(recorded, name):
    """It stays recorded, is never healed, and who ignores it is said."""
    recorded.write({name: "ZeroDivisionError\n"})
    (incident,) = recorded.run("incidents", "--status", "ignored", "--json").document["incidents"]
    assert incident["ignored_by"] == "ZeroDivisionError"
    assert "ignored" in refused(recorded, "heal", "average", code=1)
    assert "ignored" in refused(recorded, "heal", incident["incident_id"], code=1)
    assert recorded.run("heal", "--all", "--json").document["healings"] == []


def test_the_same_from_code(recorded):
    """A program that calls `Healer` gets the error of the tree, with the message."""
    ended = recorded.python(
        "-c",
        "import prunella\n"
        "from prunella.model.errors import PrunellaError\n"
        "for root, name in (('.', 'averag'), ('/nowhere', 'average'), ('.', 'inc_nope')):\n"
        "    try:\n"
        "        prunella.Healer(root=root).diagnose_and_heal(name)\n"
        "    except PrunellaError as error:\n"
        "        print(type(error).__name__, error)\n",
    )
    assert ended.code == 0, ended.err
    unknown, missing, gone = ended.out.splitlines()
    assert unknown.startswith("UnknownName no function called 'averag'")
    assert missing.startswith("StoreError Nothing has been recorded here yet: /nowhere/")
    assert gone.startswith("UnknownName There is no incident 'inc_nope'")
