"""Healing from failing tests, in the real sandbox."""

import subprocess
from pathlib import Path

import pytest

from prunella.model.errors import NothingToHeal
from prunella.model.repair import Accepted
from prunella.pipeline.results import HealingOutcome
from prunella.wiring.healer import Healer

STOCK = b'''"""A stock of goods."""


class Stock:
    """Goods and how many there are."""

    def __init__(self, counts):
        self.counts = dict(counts)

    def total(self, goods):
        """Return how many of `goods` there are in all."""
        found = 0
        for name in goods:
            found = self.counts.get(name, 0)
        return found

    def scarce(self, limit):
        """Return the goods with `limit` pieces or fewer, in alphabetical order."""
        return sorted(name for name, count in self.counts.items() if count < limit)
'''
TESTS = b"""from shop.stock import Stock


def test_total():
    assert Stock({"tea": 2, "jam": 3}).total(["tea", "jam"]) == 5


def test_total_of_one():
    assert Stock({"tea": 2, "jam": 3}).total(["tea"]) == 2


def test_scarce():
    assert Stock({"tea": 2, "jam": 3}).scarce(2) == ["tea"]


def test_scarce_none():
    assert Stock({"tea": 2, "jam": 3}).scarce(1) == []
"""
ENDLESS = b"""def countdown(number):
    seen = []
    while number > 0:
        seen.append(number)
        number += 1
        if len(seen) > 100:
            seen = []
    return seen
"""


def project(root: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    root.chmod(0o755)
    return root


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    files = {"shop/__init__.py": b"", "shop/stock.py": STOCK, "tests/test_stock.py": TESTS}
    return project(tmp_path / "project", files)


def test_the_selected_failing_test_is_healed_alone(shop: Path) -> None:
    """Only the fault of the selected test is edited; other failing tests neither help nor hinder."""
    healing = Healer(root=shop).heal_tests(["tests/test_stock.py::test_scarce"])
    assert healing.outcome is HealingOutcome.PROVEN
    best = healing.proposals[0]
    assert isinstance(best.verdict, Accepted)
    assert best.candidate.patch.after == STOCK.replace(b"count < limit", b"count <= limit")
    checks = {check.name: check.detail for check in best.verdict.checks}
    assert checks["failing_tests"] == "1 of 1 failing tests pass now"
    assert checks["passing_tests"] == "2 of 2 tests that passed before pass"
    assert (shop / "shop/stock.py").read_bytes() == STOCK


def test_nothing_is_healed_where_the_selected_tests_pass(shop: Path) -> None:
    """A selection without a failing test is refused."""
    with pytest.raises(NothingToHeal, match="no selected test fails"):
        Healer(root=shop).heal_tests(["tests/test_stock.py::test_total_of_one"])


def test_a_test_that_never_ends_is_a_failing_test(tmp_path: Path) -> None:
    """A test that computes without end is cut off, located, and healed."""
    test = b"from count import countdown\n\n\ndef test_it():\n    assert countdown(2) == [2, 1]\n"
    root = project(tmp_path / "project", {"count.py": ENDLESS, "test_count.py": test})
    healing = Healer(root=root).heal_tests(["test_count.py"])
    assert healing.proposals[0].candidate.patch.after == ENDLESS.replace(b"+= 1", b"-= 1")


def test_an_uncommitted_test_counts(tmp_path: Path) -> None:
    """The base is the commit, the tests are those of the working tree."""
    files = {"shop/__init__.py": b"", "shop/stock.py": STOCK}
    root = project(tmp_path / "project", files)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "base"]):
        name = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
        subprocess.run(["git", "-C", str(root), *name, *command], check=True)
    project(root, {"tests/test_stock.py": TESTS})
    healing = Healer(root=root).heal_tests(["tests/test_stock.py::test_scarce"], create_pr=True)
    assert healing.outcome is HealingOutcome.PUBLISHED
    assert healing.note == "taken from your working tree: tests/test_stock.py"
    assert healing.publication is not None
    shown = subprocess.run(
        ["git", "-C", str(root), "show", f"{healing.publication.branch}:shop/stock.py"],
        check=True,
        capture_output=True,
    ).stdout
    assert shown == STOCK.replace(b"count < limit", b"count <= limit")
