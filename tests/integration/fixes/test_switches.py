"""Kill switches, fixes that are fed, forks and threads."""

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interpreted import fix
from prunella import heal, install_fix, remove_fix, tool
from prunella.codec.wire import read_lines
from prunella.fixes import Allocation, Installation, parse
from prunella.model.project import fixes_off_name
from prunella.model.records import Counts
from prunella.sdk import fixing as module
from prunella.sdk import runtime
from prunella.sdk.fixing import Fixing, fixing

FALLBACK = fix("fallback", chain=[{"constant": "healed"}], cooldown_s=0)


@pytest.fixture
def down() -> Any:
    """Return a site that always fails."""

    @heal
    def down() -> str:
        raise TimeoutError

    return down


def fed(document: Any = FALLBACK, ratio: float | None = None) -> Installation:
    allocation = None if ratio is None else Allocation(salt="rol_1", ratio=ratio)
    return Installation(fix=parse(document), allocation=allocation)


def test_the_environment_switches_all_fixes_off(down: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``PRUNELLA_FIXES=off`` lets every call fail as it does by itself."""
    monkeypatch.setenv("PRUNELLA_FIXES", "off")
    install_fix(FALLBACK)
    with pytest.raises(TimeoutError):
        down()


def test_a_file_switches_all_fixes_off(
    down: Any, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a second of its being there, and on again when it is gone; also those on arguments."""
    monkeypatch.setattr(module, "SWITCH_S", 0.0)
    seen = []

    @heal
    def shout(text: str) -> None:
        seen.append(text)

    install_fix(FALLBACK)
    install_fix(fix("parameter", "set", set={"text": "b"}, when={"text": {"length": {"max": 9}}},
                    ) | {"target": {"sites": ["*"]}})  # fmt: skip
    switch = program / ".prunella" / "fixes-off"
    switch.parent.mkdir(exist_ok=True)
    shout("a")
    switch.touch()
    shout("a")
    with pytest.raises(TimeoutError):
        down()
    switch.unlink()
    assert down() == "healed"
    assert seen == ["b", "a"]


def test_a_process_is_brought_to_a_set(down: Any) -> None:
    """Again and again the same; what isn't in it goes; what was installed by hand stays and wins."""
    every: Fixing = fixing()
    every.replace([fed()])
    assert down() == "healed"
    (before,) = every.installed()
    every.replace([fed()])
    assert every.installed() == [before]
    every.replace([fed(ratio=0.0)])
    assert every.installed() == [before], "what it has learnt stays"
    with pytest.raises(TimeoutError):
        down()
    install_fix(fix("fallback", chain=[{"constant": "by hand"}]))
    assert down() == "by hand"
    every.replace([])
    assert down() == "by hand"
    assert remove_fix("fix")
    with pytest.raises(TimeoutError):
        down()


def test_an_allocation_divides_the_calls(down: Any) -> None:
    """About its share of the units gets the fix; the counts know of both arms."""
    every = fixing()
    every.replace([fed(ratio=0.3)])
    healed = 0
    for _ in range(400):
        try:
            healed += down() == "healed"
        except TimeoutError:
            continue
    counts = every.meter.counts("fix")  # type: ignore[attr-defined]  # the default meter
    assert (counts.triggers, counts.treated, counts.failures) == (400, healed, 400 - healed)
    assert 80 <= healed <= 160


def test_a_faulty_installation_harms_no_call(down: Any) -> None:
    """A share that is none is the fix's fault, and the call as without it."""
    installation = fed(ratio=0.5)
    assert installation.allocation is not None
    bad = replace(installation, allocation=replace(installation.allocation, salt=3))  # type: ignore[arg-type]  # that is the point
    fixing().replace([bad])
    with pytest.raises(TimeoutError):
        down()
    counts = fixing().meter.counts("fix")  # type: ignore[attr-defined]  # the default meter
    assert counts.fault == 1


def test_a_forked_child_has_the_fixes_and_counts_anew(down: Any) -> None:
    """It is a process of its own."""
    install_fix(FALLBACK)
    down()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = fixing().meter.counts("fix").triggers  # type: ignore[attr-defined]  # the default meter
        os.write(writing, f"{down()} {before}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"healed 0"


def test_fixes_come_and_go_under_threads(down: Any) -> None:
    """A call is healed or fails as by itself, whatever happens meanwhile; nothing else."""
    wrong: list[BaseException] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            try:
                assert down() == "healed"
            except TimeoutError:
                continue
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is wrong
                wrong.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        install_fix(FALLBACK)
        remove_fix("fix")
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closures_are_not_kept_alive() -> None:
    """A function that the program has dropped goes, with its fixes."""
    import gc
    import weakref

    install_fix(FALLBACK)

    def make() -> Any:
        @heal
        def inner() -> str:
            raise TimeoutError

        return inner

    inner = make()
    assert inner() == "healed"
    gone = weakref.ref(inner)
    del inner
    gc.collect()
    assert gone() is None


def test_without_fixes_their_package_is_not_loaded(program: Path) -> None:
    """`import prunella` and calls of sites load neither `prunella.fixes` nor `asyncio`."""
    import subprocess

    text = (
        "import sys, prunella\n"
        "@prunella.tool\n"
        "def f(): pass\n"
        "f()\n"
        "assert 'prunella.fixes' not in sys.modules\n"
        "assert 'asyncio' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", text], check=True, env={**os.environ, "PRUNELLA_ROOT": str(program)}
    )


@pytest.mark.parametrize("switch", ["setting", "file", "pause"])
def test_one_fix_is_switched_off_alone(
    program: Path, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    """By ``PRUNELLA_FIXES_LEFT_OUT``, by a file, or by leaving the feed: the other still acts."""
    monkeypatch.setattr(module, "SWITCH_S", 0.0)
    if switch == "setting":
        monkeypatch.setenv("PRUNELLA_FIXES_LEFT_OUT", "none-such, a/1")

    @tool(name="here")
    def here() -> str:
        raise TimeoutError

    @tool(name="there")
    def there() -> str:
        raise TimeoutError

    one = FALLBACK | {"fix_id": "a/1", "target": {"sites": ["here"]}}
    other = FALLBACK | {"fix_id": "b", "target": {"sites": ["there"]}}
    fixing().replace([fed(one), fed(other)])
    if switch != "setting":
        assert here() == "healed"
    if switch == "file":
        (program / ".prunella" / fixes_off_name("a/1")).touch()
    if switch == "pause":
        fixing().replace([fed(other)])
    with pytest.raises(TimeoutError):
        here()
    assert there() == "healed"


def test_what_switches_recording_off_switches_fixes_off(
    down: Any, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file `disabled` stops everything, and its removal brings everything back."""
    monkeypatch.setattr(module, "SWITCH_S", 0.0)
    install_fix(FALLBACK)
    assert down() == "healed"
    (program / ".prunella" / "disabled").touch()
    with pytest.raises(TimeoutError):
        down()
    (program / ".prunella" / "disabled").unlink()
    assert down() == "healed"


def test_what_fixes_did_is_recorded(down: Any, program: Path) -> None:
    """The counters of the process say what each fix did, with its latest words, without secrets."""

    @heal
    def shout(text: str) -> str:
        return text

    install_fix(FALLBACK)
    clamp = fix("guard", "shy", stage="output", check={"length": {"max": 3}}, on_fail="reject")
    install_fix(clamp | {"target": {"sites": ["*"]}}, mode="shadow")
    down()
    for _ in range(3):
        shout("loud")
    fixing().meter.noted("shy", "fault", "token=ghp_0123456789abcdefghijklmnopqrstuvwxyz")
    journal = runtime.active().journal
    journal.tell_of_fixes()
    journal.tell_of_fixes()
    journal.spool.close()
    lines = [
        line.record
        for file in (program / ".prunella" / "spool").iterdir()
        for line in read_lines(file.read_bytes())
    ]
    (counts,) = [each for each in lines if isinstance(each, Counts)]
    healed, shy = counts.fixes["fix"], counts.fixes["shy"]
    assert (healed.triggers, healed.acted, healed.healed) == (1, 1, 1)
    assert (shy.shadow, sum(shy.would.values()), shy.acted) == (4, 4, 0)
    assert shy.latest["shadow"] in shy.would
    assert "ghp_" not in str(counts)


def test_shadow_tells_the_log_of_each_call(down: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A program that listens to the logger ``prunella.fixes`` at INFO hears of every call."""
    caplog.set_level("INFO", logger="prunella.fixes")
    install_fix(FALLBACK, mode="shadow")
    for _ in range(3):
        with pytest.raises(TimeoutError):
            down()
    assert len(caplog.messages) == 3
    assert all("fix: shadow: " in message for message in caplog.messages)
