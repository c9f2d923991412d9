"""Budgets, guards, counters, switches, site versions and the root package."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import prunella
from prunella.codec import wire
from prunella.sdk import counters
from prunella.sdk.budget import MOST_NS, Budget
from prunella.sdk.endings import ending_of, is_immutable
from prunella.sdk.site import hash_code, module_name, site_of
from prunella.sdk.spool import framed


def test_a_budget_is_a_burst_and_a_share() -> None:
    """After the burst, no more than the share of the passing time is granted; debts are paid."""
    budget = Budget(burst_ms=1, share=0.01)
    now = budget._filled_at
    assert budget.allows(now)
    budget.take(1_500_000)
    assert not budget.allows(now)
    assert not budget.allows(now + 40_000_000)
    assert budget.allows(now + 60_000_000)
    budget.take(10**12)
    assert budget.allows(now + 10**9)
    assert budget._left_ns > -MOST_NS


@pytest.fixture
def fresh_counters() -> Any:
    counters.reset()
    yield
    counters.reset()


@pytest.mark.usefixtures("fresh_counters")
def test_a_feature_that_keeps_failing_is_switched_off() -> None:
    """Errors of our own are counted, never raised, and don't go on for ever."""
    calls = []

    def broken() -> None:
        calls.append(1)
        raise ValueError

    for _ in range(100):
        assert counters.guarded("thing", broken) is None
    assert len(calls) == counters.TOLERATED
    assert counters.counters == {"internal_thing_ValueError": counters.TOLERATED}


@pytest.mark.usefixtures("fresh_counters")
def test_exhaustion_of_the_host_switches_nothing_off() -> None:
    """No memory, no stack: counted, and tried again next time."""

    def exhausted() -> None:
        raise RecursionError

    for _ in range(100):
        counters.guarded("thing", exhausted)
    assert counters.counters == {"dropped_no_memory": 100}
    assert counters.guarded("thing", lambda: 3) == 3


def test_lines_are_framed_as_everywhere() -> None:
    """The SDK's framing is that of the wire format."""
    assert framed(b'{"a":1}') == wire.frame(b'{"a":1}')


def test_a_site_version_survives_a_move_but_no_change() -> None:
    """Lines and file names make no difference to it; code and constants do."""

    def code(text: str) -> Any:
        return compile(text, "f.py", "exec").co_consts[0]

    base = hash_code(code("def f(a):\n    return a in {1, 2} and (lambda: 3)"))
    assert hash_code(code("\n\n# moved\ndef f(a):\n    return a in {1, 2} and (lambda: 3)")) == base
    assert hash_code(code("def f(a):\n    return a in {1, 2} and (lambda: 4)")) != base
    assert len(base) == 16


def test_closures_of_one_function_are_one_site() -> None:
    """Functions made again and again share their state, and leak nothing."""

    def make() -> Any:
        def closure() -> None: ...

        return closure

    options: dict[str, Any] = {"kind": "function", "boundary": False, "capture": None, "redact": ()}
    assert site_of(make(), **options) is site_of(make(), **options)


def test_modules_are_named_as_they_can_be_imported() -> None:
    """``python -m app.main`` is ``app.main``, a script is ``__main__`` also where it was spawned."""

    class Spec:
        name = "app.main"

    assert module_name("__main__", {"__name__": "__main__", "__spec__": Spec}) == "app.main"
    assert module_name("__main__", {"__name__": "__main__", "__spec__": None}) == "__main__"
    assert module_name("__mp_main__", {}) == "__main__"


@pytest.mark.parametrize("value", [1, "a", None, (1, ("b", 2.5)), frozenset({1}), b"x", 1j])
def test_what_cannot_change_is_known(value: object) -> None:
    """Scalars and tuples of them are after a call what they were before."""
    assert is_immutable(value)


@pytest.mark.parametrize("value", [[], {}, set(), ([],), object(), bytearray()])
def test_what_can_change_is_known(value: object) -> None:
    """Anything else may have changed."""
    assert not is_immutable(value)


def test_the_end_of_an_iteration_is_no_failure() -> None:
    """``StopIteration`` out of ``__next__`` is how iterators end; elsewhere it is an error."""

    class Steps:
        def __next__(self) -> None: ...
        def other(self) -> None: ...

    options: dict[str, Any] = {"kind": "function", "boundary": False, "capture": None, "redact": ()}
    step, other = (site_of(f, **options) for f in (Steps.__next__, Steps.other))
    assert step is not None
    assert other is not None
    assert ending_of(step, StopIteration()) == ""
    assert ending_of(other, StopIteration()) == "error"


def test_the_public_names_are_these() -> None:
    """A name is added here deliberately, never by accident."""
    assert prunella.__all__ == sorted(prunella.__all__)
    assert prunella.__all__ == [
        "Healer",
        "__version__",
        "agent",
        "carry",
        "disable",
        "enable",
        "flush",
        "heal",
        "init",
        "install_fix",
        "llm",
        "remove_fix",
        "start_scheduler",
        "tool",
    ]
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        prunella.nonsense  # noqa: B018 - reading it is the test


def test_importing_loads_little_and_starts_nothing(tmp_path: Path) -> None:
    """`import prunella` and decorating load no third-party module, no thread, write no file."""
    program = (
        "import sys, threading; before = set(sys.modules)\n"
        "import prunella\n"
        "@prunella.heal\n"
        "def f(): pass\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(loaded - set(sys.stdlib_module_names) - {'prunella'}))\n"
        "print(sorted(loaded & {'typing', 're', 'json', 'pathlib', 'inspect', 'asyncio'}))\n"
        "print(threading.active_count(), len(sys.modules) - len(before) < 40)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(prunella.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n[]\n1 True\n"
    assert list(tmp_path.iterdir()) == []
