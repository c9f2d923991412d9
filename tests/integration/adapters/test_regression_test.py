"""Regression tests for people, proven by running them."""

import sys
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
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    try:
        detect("auto")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "shop.py").write_text(SOURCE)
    return folder


def prove(
    tree: Path, qualname: str, kind: str, inputs: Any, old: str, new: str, **changes: Any
) -> tuple[str, str] | None:
    """Return path and text of the test for one failing call and one patch."""
    settings = Settings()
    replayer, runner = SandboxReplayer(settings), SandboxTestRunner(settings)
    here = process(executable=sys.executable, sys_path=("/srv/shop", *sys.path))
    fault = exception(
        type=f"builtins:{kind}", frames=(frame(file="shop.py", module="shop", qualname=qualname),)
    )
    failing = occurrence(site_id=f"shop:{qualname}", exception=fault, inputs=inputs)
    facts = reproduce(replayer, tree, here, [failing], [])
    assert facts.set_aside == ()
    assert SOURCE.count(old) == 1
    patch = Patch(
        path="shop.py",
        qualname=qualname,
        before=SOURCE.encode(),
        after=SOURCE.replace(old, new).encode(),
        diff="",
    )
    where = site(
        site_id=f"shop:{qualname}", module="shop", qualname=qualname, file="shop.py", **changes
    )
    found = proven_regression_test(
        candidate(patch=patch), where, facts, replayer, runner, tree, here
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


def test_a_patch_that_does_not_heal_gets_no_test(tree: Path) -> None:
    """What isn't proven isn't offered."""
    found = prove(
        tree, "mean", "ZeroDivisionError", ["d", "values", ["l"]],
        "sum(values) / len(values)", "sum(values) / (len(values) + 0)",
    )  # fmt: skip
    assert found is None
