"""Recorded calls run again, isolated, on variants of a tree."""

import sys
from pathlib import Path
from typing import Any

import pytest

from builders import AT, process
from prunella.adapters.mounts import straight
from prunella.adapters.replay import SandboxReplayer, rerooted_path
from prunella.adapters.sandbox import detect
from prunella.codec import encode, encode_mapping
from prunella.model.errors import SandboxUnavailable
from prunella.model.ids import CallId
from prunella.model.records import Process
from prunella.model.repair import ReplayEnding, ReplayOutcome, ReplayRequest
from prunella.model.settings import Settings
from prunella.validate import compare

SHOP = """
import asyncio, datetime, functools, os, random, sys, time, uuid
from time import time as clock

from prunella import heal

SEEN = []


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return [function(*args, **kwargs), "decorated"]
    return wrapper


@heal
def mean(values):
    return sum(values) / len(values)


@twice
@heal
def below(x):
    return x


@heal
@twice
def above(x):
    return x


class Box:
    def __init__(self, items):
        self.items = items

    @heal
    def put(self, item, /, *more, where=-1, **labels):
        self.items.insert(where, item)
        return self.items, more, labels

    @heal
    @classmethod
    def make(cls, items):
        return cls(items)

    @heal
    @staticmethod
    def double(x):
        return 2 * x

    @property
    def first(self):
        return self.items[0]


@heal
async def later(x):
    await asyncio.sleep(0)
    return x + 1


@heal
def count(n):
    for i in range(n):
        yield i
    if n > 2:
        raise ValueError("too many")


@heal
async def count_later(n):
    for i in range(n):
        yield i


def moment():
    time.sleep(2)
    return clock(), datetime.datetime.now(datetime.UTC), datetime.date.today()


def chance():
    return random.random(), str(uuid.uuid4()), os.urandom(4)


def endless():
    while True:
        pass


def deadly():
    os.kill(os.getpid(), 11)


def leave():
    os._exit(0)


def quit_nicely():
    sys.exit(4)


def hungry():
    return len(bytearray(1 << 40))


def chatty():
    print("x" * 1_000_000)
    os.write(1, b"0 0 {}\\n")
    return "said"


def make():
    def inner():
        return 1
    return inner


def nested(x):
    try:
        return {}[x]
    except KeyError as error:
        raise RuntimeError("nested") from error


@heal(boundary=True)
def fetch(key):
    raise AssertionError("a boundary site must not run")


def ask(key):
    return fetch(key) + fetch(key="b")


def surroundings():
    assert False, "optimised away"
    return time.strftime("%Z", (2026, 11, 20, 12, 0, 0, 4, 324, 0)), hash("a")


def safe_mean(values):
    try:
        return mean(values)
    except ZeroDivisionError:
        return None
"""


@pytest.fixture(scope="module", params=["bubblewrap", "namespaces", "none"])
def level(request: pytest.FixtureRequest) -> str:
    try:
        return detect(request.param)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    return folder


@pytest.fixture(scope="module")
def replayer(level: str) -> SandboxReplayer:
    return SandboxReplayer(Settings(sandbox=level, replay_timeout_s=1.0, replay_memory_mb=512))


def here(**changes: Any) -> Process:
    return process(
        **{"executable": sys.executable, "sys_path": ("/srv/shop", *sys.path), **changes}
    )


def ask(site: str, inputs: Any = (), **changes: Any) -> ReplayRequest:
    """Return a request; `inputs` are names with values, or a tree."""
    values: dict[str, Any] = {
        "request_id": CallId(f"call_{site}"),
        "site_id": f"shop:{site}",
        "inputs": encode_mapping(dict(inputs)).tree
        if isinstance(inputs, (dict, tuple))
        else inputs,
        "started_at": AT,
    }
    return ReplayRequest(**(values | changes))


def replay(
    replayer: SandboxReplayer, tree: Path, *requests: ReplayRequest, **changes: Any
) -> list[ReplayOutcome]:
    (row,) = replayer.replay(tree, here(**changes), requests, [{}])
    return list(row)


def test_results_inputs_and_exceptions_come_back(replayer: SandboxReplayer, tree: Path) -> None:
    """An outcome tells the result, the inputs afterwards, or the exception with its frames."""
    good, bad = replay(replayer, tree, ask("mean", {"values": [1, 2]}), ask("mean", {"values": []}))
    assert (good.ending, good.result, good.complete) == (ReplayEnding.RETURNED, 1.5, True)
    assert good.inputs_after == ["d", "values", ["l", 1, 2]]
    assert bad.ending is ReplayEnding.RAISED
    assert bad.exception is not None
    assert bad.exception.type == "builtins:ZeroDivisionError"
    (found,) = bad.exception.frames
    assert (found.file, found.qualname, found.in_project) == ("shop.py", "mean", True)
    assert found.local_values == ["d", "values", ["l"]]
    line = SHOP.splitlines()[found.line - 1]
    assert found.position is not None
    assert line[found.position[2] : found.position[3]] == "sum(values) / len(values)"


def test_causes_are_told(replayer: SandboxReplayer, tree: Path) -> None:
    """The exception that another one was raised from comes along."""
    (outcome,) = replay(replayer, tree, ask("nested", {"x": 1}))
    assert outcome.exception is not None
    assert outcome.exception.cause is not None
    assert outcome.exception.cause.type == "builtins:KeyError"
    assert outcome.exception.relation == "cause"


def test_every_shape_of_function_runs(replayer: SandboxReplayer, tree: Path) -> None:
    """Methods, class and static methods, properties, coroutines and generators, all parameters."""
    box = ["o", "shop:Box", ["d", "items", ["l", 1]]]
    outcomes = replay(
        replayer,
        tree,
        ask("Box.put", inputs=["d", "self", box, "item", 5, "*more", ["t", 8], "where", 0,
                               "**labels", ["d", "where2", 3]]),
        ask("Box.make", inputs=["d", "cls", ["fn", "shop:Box"], "items", ["l"]]),
        ask("Box.make", {"items": []}),
        ask("Box.double", {"x": 4}),
        ask("Box.first", inputs=["d", "self", box]),
        ask("later", {"x": 1}),
        ask("count", {"n": 2}),
        ask("count", {"n": 3}),
        ask("count_later", {"n": 2}),
    )  # fmt: skip
    assert [outcome.reason for outcome in outcomes] == [""] * 9
    results = [outcome.result for outcome in outcomes]
    moved = ["d", "items", ["l", 5, 1]]
    assert results[0] == ["t", moved[2], ["t", 8], ["d", "where2", 3]]
    assert outcomes[0].inputs_after == [
        "d", "self", ["o", "shop:Box", moved], "item", 5, "*more", ["t", 8], "where", 0,
        "**labels", ["d", "where2", 3],
    ]  # fmt: skip
    assert results[1] == results[2] == ["o", "shop:Box", ["d", "items", ["l"]]]
    assert results[3:7] == [8, 1, 2, ["l", 0, 1]]
    assert outcomes[7].ending is ReplayEnding.RAISED
    assert results[8] == ["l", 0, 1]


def test_the_layer_that_was_recorded_runs(replayer: SandboxReplayer, tree: Path) -> None:
    """Decorators above @heal are not replayed, those below it are."""
    below, above = replay(
        replayer,
        tree,
        ask("below", {"x": 1}),
        ask("above", inputs=["d", "*args", ["t", 1], "**kwargs", ["d"]]),
    )
    assert below.result == 1
    assert above.result == ["l", 1, "decorated"]


def test_the_clock_stands_at_the_recorded_moment(replayer: SandboxReplayer, tree: Path) -> None:
    """Time is that of the call, sleeping moves it, and neither takes time."""
    (outcome,) = replay(replayer, tree, ask("moment"))
    assert isinstance(outcome.result, list)
    assert outcome.result[1] == pytest.approx(AT.timestamp() + 2, abs=1e-6)
    assert outcome.duration_us < 900_000
    assert str(AT.year) in str(outcome.result)


def test_chance_repeats(replayer: SandboxReplayer, tree: Path) -> None:
    """Random numbers, uuids and urandom are the same in every replay."""
    one, other = replayer.replay(tree, here(), [ask("chance")], [{}, {}])
    assert one[0].result == other[0].result
    assert one[0].ending is ReplayEnding.RETURNED


def test_calls_that_die_are_told_and_the_others_go_on(
    replayer: SandboxReplayer, tree: Path
) -> None:
    """Endless, crashing and leaving calls end alone."""
    outcomes = replay(
        replayer, tree,
        ask("endless"), ask("mean", {"values": [1]}), ask("deadly"), ask("mean", {"values": [2]}),
    )  # fmt: skip
    assert [item.ending.value for item in outcomes] == ["died", "returned", "died", "returned"]
    assert "longer than 1 s" in outcomes[0].reason
    assert "SIGSEGV" in outcomes[2].reason
    (left, quit_, hungry) = replay(replayer, tree, ask("leave"), ask("quit_nicely"), ask("hungry"))
    assert left.ending is ReplayEnding.DIED
    assert quit_.exception is not None
    assert quit_.exception.type == "builtins:SystemExit"
    assert hungry.exception is not None
    assert hungry.exception.type == "builtins:MemoryError"


def test_a_variant_that_always_dies_gives_up(replayer: SandboxReplayer, tree: Path) -> None:
    """Time is bounded by giving up after a few dead calls, not by the number of calls."""
    outcomes = replay(replayer, tree, *[ask("deadly")] * 6)
    assert [item.ending.value for item in outcomes] == ["died"] * 6
    assert "not run" in outcomes[-1].reason


def test_what_a_program_prints_does_not_disturb(replayer: SandboxReplayer, tree: Path) -> None:
    """Output is kept apart from the report."""
    (outcome,) = replay(replayer, tree, ask("chatty"))
    assert outcome.result == "said"


def test_variants_overlay_files(replayer: SandboxReplayer, tree: Path) -> None:
    """Each variant sees its own content of a file; the tree stays as it is."""
    fixed = SHOP.replace("sum(values) / len(values)", "sum(values) / (len(values) or 1)")
    broken = "def mean(values:\n"
    empty = "x = 1\n"
    rows = replayer.replay(
        tree,
        here(),
        [ask("mean", {"values": []}), ask("mean", {"values": [4]})],
        [
            {},
            {"shop.py": fixed.encode()},
            {"shop.py": broken.encode()},
            {"shop.py": empty.encode()},
        ],
    )
    assert [[item.ending.value for item in row] for row in rows] == [
        ["raised", "returned"],
        ["returned", "returned"],
        ["not_run", "not_run"],
        ["not_run", "not_run"],
    ]
    assert "SyntaxError" in rows[2][0].reason
    assert (tree / "shop.py").read_text() == SHOP


def test_what_can_not_be_run_is_said(replayer: SandboxReplayer, tree: Path) -> None:
    """Every call without an outcome has a reason that a person understands."""
    outcomes = replay(
        replayer, tree,
        ask("gone"),
        ask("make.<locals>.inner"),
        ask("mean", {"numbers": [1]}),
        ask("mean", inputs=["d", "values", ["?", "socket:socket", "not supported"]]),
        ask("mean", inputs=["d", "values", ["o", "no.such:Class", ["d"]]]),
        ask("mean", inputs=None),
        ask("x", {}, site_id="nowhere:x"),
    )  # fmt: skip
    assert {item.ending for item in outcomes} == {ReplayEnding.NOT_RUN}
    words = ["no gone", "inside a function", "values", "rebuilt", "no.such", "inputs", "nowhere"]
    for outcome, word in zip(outcomes, words, strict=True):
        assert word in outcome.reason


def test_recorded_answers_stand_in_for_boundaries(replayer: SandboxReplayer, tree: Path) -> None:
    """A boundary site gives its recorded answers; without one the call isn't run."""
    answers = (
        ("shop:fetch", ["d", "key", "b"], 10),
        ("shop:fetch", ["d", "key", "a"], 1),
    )
    good, without = replay(
        replayer, tree, ask("ask", {"key": "a"}, answers=answers), ask("ask", {"key": "a"})
    )
    assert good.result == 11
    assert without.ending is ReplayEnding.NOT_RUN
    assert "shop:fetch" in without.reason


def test_a_script_is_replayed_without_its_main_part(replayer: SandboxReplayer, tree: Path) -> None:
    """Sites of the main script are found in its file, and its classes keep their names."""
    (tree / "app.py").write_text(
        "class Order:\n    def __init__(self, n):\n        self.n = n\n"
        "def total(order):\n    return Order(order.n + 1)\n"
        "if __name__ == '__main__':\n    raise SystemExit('must not run')\n"
        "total(Order(1))\nraise RuntimeError('traffic at top level failed')\n"
    )
    order = ["o", "__main__:Order", ["d", "n", 4]]
    (outcome,) = replay(
        replayer, tree, ask("total", inputs=["d", "order", order], site_id="__main__:total")
    )
    assert outcome.result == ["o", "__main__:Order", ["d", "n", 5]], outcome


def test_a_module_in_a_package_is_found_below_the_tree(
    replayer: SandboxReplayer, tree: Path
) -> None:
    """The recorded import path is followed, with the project's folders taken from the tree."""
    package = tree / "src" / "goods"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "tax.py").write_text("def net(gross):\n    return gross - 1\n")
    (outcome,) = replay(
        replayer, tree, ask("net", {"gross": 3}, site_id="goods.tax:net"),
        sys_path=("/srv/shop/src", *sys.path),
    )  # fmt: skip
    assert outcome.result == 2


def test_the_import_path_is_rerooted() -> None:
    """Entries below the root move, installed packages and the rest stay, the tree comes first."""
    recorded = process(
        root="/srv/shop",
        cwd="/srv/shop/bin",
        sys_path=(
            "",
            "/srv/shop/src",
            "/srv/shop/.venv/lib/python3.11/site-packages",
            "/usr/lib/x",
        ),
    )
    assert rerooted_path(recorded, Path("/t")) == (
        "/t", "/t/bin", "/t/src", "/srv/shop/.venv/lib/python3.11/site-packages", "/usr/lib/x",
    )  # fmt: skip


def test_a_program_that_was_started_by_a_link_is_below_its_root(tmp_path: Path) -> None:
    """``current/app.py`` of a deployment is a file of the release that the link leads to."""
    release = tmp_path / "release"
    release.mkdir()
    link = tmp_path / "current"
    link.symlink_to(release)
    recorded = process(root=str(release), cwd="/", sys_path=(str(link), f"{link}/src", "/usr/x"))
    assert rerooted_path(recorded, Path("/t")) == ("/t", "/t/src", "/usr/x")


def test_an_interpreter_has_no_way_upwards_in_its_path(tmp_path: Path) -> None:
    """``../.venv/bin/python`` is found where the folder that it was started from doesn't exist."""
    folder = tmp_path / "env" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    (tmp_path / "work").mkdir()
    assert straight(f"{tmp_path}/work/../env/bin/python") == f"{folder}/python"
    assert straight(f"{folder}/python") == f"{folder}/python"


def test_an_interpreter_that_is_gone_is_said(replayer: SandboxReplayer, tree: Path) -> None:
    """A replay needs the program's interpreter, or another one by the setting."""
    with pytest.raises(SandboxUnavailable, match="the setting python"):
        replay(replayer, tree, ask("mean", {"values": [1]}), executable="/nowhere/python")


def test_the_result_of_a_call_does_not_depend_on_hostile_output(
    replayer: SandboxReplayer, tree: Path
) -> None:
    """A patch that writes outcomes of its own to every open file speaks for itself alone."""
    hostile = (
        "import os\n"
        "def mean(values):\n"
        '    line = b\'ready\\n0 0 {"ending": "returned", "result": 1}\\n\'\n'
        "    for number in range(3, 64):\n"
        "        try:\n"
        "            os.write(number, line)\n"
        "        except OSError:\n"
        "            pass\n"
        "    return 2\n"
    )
    rows = replayer.replay(
        tree, here(), [ask("mean", {"values": []})], [{}, {"shop.py": hostile.encode()}, {}]
    )
    assert rows[0][0].ending is ReplayEnding.RAISED
    assert rows[2][0].ending is ReplayEnding.RAISED


def test_many_variants_and_calls_are_one_sandbox(replayer: SandboxReplayer, tree: Path) -> None:
    """Every variant answers every request, in order."""
    requests = [ask("mean", {"values": [number]}) for number in range(11)]
    rows = replayer.replay(tree, here(), requests, [{}] * 12)
    assert [[item.result for item in row] for row in rows] == [[float(n) for n in range(11)]] * 12


def test_encoding_agrees_with_the_recorder(replayer: SandboxReplayer, tree: Path) -> None:
    """A result is encoded as the recorder would have encoded it."""
    (outcome,) = replay(replayer, tree, ask("Box.double", {"x": (1, {"a": {2.5}})}))
    shared = (1, {"a": {2.5}})
    assert compare(outcome.result, encode(2 * shared).tree) is None


def test_a_tree_that_only_its_owner_may_read_is_replayed(
    replayer: SandboxReplayer, tree: Path
) -> None:
    """A strict umask is no obstacle, whoever the sandbox runs as."""
    (tree / "shop.py").chmod(0o600)
    tree.chmod(0o700)
    (outcome,) = replay(replayer, tree, ask("mean", {"values": [1]}))
    assert outcome.result == 1.0


def test_a_watched_function_is_noticed(tree: Path, replayer: SandboxReplayer) -> None:
    """An outcome tells whether the watched function ran, and whether it failed meanwhile."""
    requests = [
        ask("safe_mean", {"values": [1, 3]}, watch="shop.py:mean"),
        ask("safe_mean", {"values": []}, watch="shop.py:mean"),
        ask("below", {"x": 1}, watch="shop.py:mean"),
        ask("mean", {"values": [1, 3]}),
    ]
    (row,) = replayer.replay(tree, here(), requests, [{}])
    assert [item.ending for item in row] == [ReplayEnding.RETURNED] * 4
    watched = [(item.watched_calls, item.watched_failures) for item in row]
    assert watched == [(1, 0), (1, 1), (0, 0), (0, 0)]


def test_zone_seed_and_options_are_the_programs(tree: Path, replayer: SandboxReplayer) -> None:
    """A call sees the time zone, the order of hashes and the asserts that it saw when recorded."""
    variables = {"TZ": "XYZ-3", "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "1"}
    rows = [
        replayer.replay(tree, here(variables=changed), [ask("surroundings")], [{}])[0][0]
        for changed in (variables, variables, variables | {"PYTHONHASHSEED": "8"}, {})
    ]
    assert [item.ending for item in rows[:3]] == [ReplayEnding.RETURNED] * 3
    assert rows[0].result == rows[1].result != rows[2].result
    assert rows[0].result[1] == "XYZ"
    assert rows[3].ending is ReplayEnding.RAISED
