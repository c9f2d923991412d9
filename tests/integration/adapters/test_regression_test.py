"""Regression tests for people, proven by running them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import candidate, exception, frame, occurrence, process, site
from prunella.adapters.replay import SandboxReplayer
from prunella.adapters.sandbox import detect
from prunella.adapters.test_runner import SandboxTestRunner
from prunella.model.errors import SandboxUnavailable
from prunella.model.records import FunctionShape
from prunella.model.repair import Patch
from prunella.model.settings import Settings
from prunella.validate import proven_regression_test, reproduce

SOURCE = """
from dataclasses import dataclass

from prunella import heal


def mean(values):
    return sum(values) / len(values)


class Cart:
    def __init__(self, items, owner=None):
        self.items = list(items)

    def first(self, default=None):
        return self.items[0]


@dataclass(frozen=True)
class Order:
    lines: list


async def ship(order, *, express=False, **labels):
    return order.lines[0], labels


def pieces(text):
    yield int(text)


async def parts(text):
    yield float(text)


@heal(boundary=True)
def rate(currency):
    raise OSError("no network in tests")


@heal(boundary=True)
async def stock(name):
    raise OSError("no network in tests")


def price(amount, currency):
    return amount * rate(currency)["rate"]


async def left(name):
    return (await stock(name))["left"] - 1
"""
ELSEWHERE = """
from shop import rate


def fee(currency):
    return rate(currency)["rate"]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    try:
        detect("auto")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    folder = tmp_path / "tree"
    folder.mkdir()
    # What this environment's plugins take to be imported, in each of four runs a test, adds up.
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --disable-plugin-autoload\n")
    (folder / "shop.py").write_text(SOURCE)
    (folder / "fees.py").write_text(ELSEWHERE)
    return folder


def prove(
    tree: Path,
    qualname: str,
    kind: str,
    inputs: Any,
    old: str,
    new: str,
    answers: Sequence[tuple[str, Any, Any]] = (),
    module: str = "shop",
    **changes: Any,
) -> tuple[str, str] | None:
    """Return path and text of the test for one failing call and one patch."""
    settings = Settings()
    replayer, runner = SandboxReplayer(settings), SandboxTestRunner(settings)
    here = process(executable=sys.executable, sys_path=("/srv/shop", *sys.path))
    fault = exception(
        type=f"builtins:{kind}",
        frames=(frame(file=f"{module}.py", module=module, qualname=qualname),),
    )
    failing = occurrence(site_id=f"{module}:{qualname}", exception=fault, inputs=inputs)
    recorded = {failing.occurrence_id: answers}
    facts = reproduce(replayer, tree, here, [failing], [], recorded)
    assert facts.set_aside == ()
    source = (tree / f"{module}.py").read_text()
    assert source.count(old) == 1
    patch = Patch(
        path=f"{module}.py",
        qualname=qualname,
        before=source.encode(),
        after=source.replace(old, new).encode(),
        diff="",
    )
    where = site(
        site_id=f"{module}:{qualname}",
        module=module,
        qualname=qualname,
        file=f"{module}.py",
        **changes,
    )
    found = proven_regression_test(
        candidate(patch=patch), where, facts, replayer, runner, tree, here, answers=recorded
    )
    return None if found is None else (found[0], found[1].decode())


def test_a_function_gets_a_test_that_reads_well(tree: Path) -> None:
    """Name, inputs and expected result stand in the test as a person would write them."""
    found = prove(
        tree, "mean", "ZeroDivisionError", ["d", "values", ["l"]],
        "sum(values) / len(values)", "sum(values) / len(values) if values else 0.0",
    )  # fmt: skip
    assert found is not None
    path, text = found
    assert path == "tests/test_mean_regression.py"
    assert "from shop import mean\n" in text
    assert "    result = mean([])\n\n    assert result == 0.0\n" in text


def test_a_method_gets_its_object(tree: Path) -> None:
    """An object whose constructor takes its attributes is made by it."""
    cart = ["o", "shop:Cart", ["d", "items", ["l"]]]
    found = prove(
        tree, "Cart.first", "IndexError", ["d", "self", cart, "default", 3],
        "return self.items[0]", "return self.items[0] if self.items else default",
    )  # fmt: skip
    assert found is not None
    assert "cart = Cart(items=[])" in found[1]
    assert "result = cart.first(3)" in found[1]


def test_an_object_that_its_constructor_can_not_make(tree: Path) -> None:
    """Attributes are set one by one where the constructor doesn't take them."""
    cart = ["o", "shop:Cart", ["d", "items", ["l"], "extra", 1]]
    found = prove(
        tree, "Cart.first", "IndexError", ["d", "self", cart],
        "return self.items[0]", "return self.items[0] if self.items else default",
    )  # fmt: skip
    assert found is not None
    assert "cart = Cart.__new__(Cart)\n    cart.items = []\n    cart.extra = 1\n" in found[1]


def test_a_coroutine_is_run(tree: Path) -> None:
    """Coroutines, keyword-only and free keyword arguments are called as they have to be."""
    order = ["o", "shop:Order", ["d", "lines", ["l"]]]
    found = prove(
        tree, "ship", "IndexError",
        ["d", "order", order, "express", True, "**labels", ["d", "to", "x"]],
        "return order.lines[0], labels", "return (order.lines or [None])[0], labels",
        shape=FunctionShape.ASYNC,
    )  # fmt: skip
    assert found is not None
    assert "asyncio.run(ship(" in found[1]
    assert "Order(lines=[])" in found[1]


def test_a_generator_is_drained(tree: Path) -> None:
    """What a generator yields is compared as a list."""
    found = prove(
        tree, "pieces", "ValueError", ["d", "text", ""],
        "yield int(text)", "if text:\n        yield int(text)",
        shape=FunctionShape.GENERATOR,
    )  # fmt: skip
    assert found is not None
    assert "result = list(pieces(''))\n\n    assert result == []" in found[1]


def test_an_asynchronous_generator_is_drained(tree: Path) -> None:
    """What an asynchronous generator yields is compared as a list."""
    found = prove(
        tree, "parts", "ValueError", ["d", "text", ""],
        "async def parts(text):\n    yield float(text)",
        "async def parts(text):\n    if text:\n        yield float(text)",
        shape=FunctionShape.ASYNC_GENERATOR,
    )  # fmt: skip
    assert found is not None
    assert "        return [item async for item in parts('')]\n" in found[1]
    assert "result = asyncio.run(collect())\n\n    assert result == []" in found[1]


def test_a_boundary_site_is_faked_with_its_recorded_answers(tree: Path) -> None:
    """A test for people needs no network: what was recorded is answered in order."""
    found = prove(
        tree, "price", "KeyError", ["d", "amount", 3, "currency", "SEK"],
        'rate(currency)["rate"]', 'rate(currency).get("rate", 0)',
        answers=[("shop:rate", ["d", "currency", "SEK"], ["d", "error", "unknown"])],
    )  # fmt: skip
    assert found is not None
    assert "(monkeypatch):\n    answers = iter([{'error': 'unknown'}])\n" in found[1]
    assert 'monkeypatch.setattr("shop.rate", lambda *args, **kwargs: next(answers))' in found[1]
    assert "assert result == 0" in found[1]


def test_a_boundary_coroutine_is_faked_by_one(tree: Path) -> None:
    """What is awaited stays so."""
    found = prove(
        tree, "left", "KeyError", ["d", "name", "fern"],
        '(await stock(name))["left"]', '(await stock(name)).get("left", 1)',
        answers=[("shop:stock", ["d", "name", "fern"], ["d", "name", "fern"])],
        shape=FunctionShape.ASYNC,
    )  # fmt: skip
    assert found is not None
    assert 'monkeypatch.setattr("shop.stock", stock_answers)' in found[1]


def test_an_imported_boundary_site_is_faked_where_it_is_looked_up(tree: Path) -> None:
    """A name that a module has imported is replaced in that module."""
    found = prove(
        tree, "fee", "KeyError", ["d", "currency", "SEK"],
        'rate(currency)["rate"]', 'rate(currency).get("rate", 0)',
        answers=[("shop:rate", ["d", "currency", "SEK"], ["d", "error", "unknown"])],
        module="fees",
    )  # fmt: skip
    assert found is not None
    assert 'monkeypatch.setattr("fees.rate", ' in found[1]


def test_a_patch_that_does_not_heal_gets_no_test(tree: Path) -> None:
    """What isn't proven isn't offered."""
    found = prove(
        tree, "mean", "ZeroDivisionError", ["d", "values", ["l"]],
        "sum(values) / len(values)", "sum(values) / (len(values) + 0)",
    )  # fmt: skip
    assert found is None
