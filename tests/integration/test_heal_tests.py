"""Healing from failing tests, in the real sandbox."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from doubles.bare_repository import BareRepository
from doubles.code_host import TOKEN, running
from doubles.github import GitHubDouble
from doubles.openai_endpoint import Reply, endpoint, good
from prunella.adapters import test_probe
from prunella.model.errors import NothingToHeal
from prunella.model.repair import Accepted, CheckOutcome
from prunella.pipeline.results import Healing, HealingOutcome
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
    while number > 0:
        number += 1
    return number
"""
SAME = b"""def same(count, number):
    return count != number
"""
AMOUNT = b"""def amount(prices):
    found = 0
    for price in prices:
        found += price
    return found
"""
SLOW = b"""import time


def test_it():
    end = time.process_time() + 0.6
    while time.process_time() < end:
        pass
"""
WITHIN = b"""def within(number, limit):
    limit = int(limit)
    number = int(number)
    return number < limit
"""
#: What this environment's plugins take to be imported, in each of some twenty runs, is minutes.
PLAIN_PYTEST = b"[pytest]\naddopts = --disable-plugin-autoload\n"


def project(root: Path, files: dict[str, bytes]) -> Path:
    for path, content in {"pytest.ini": PLAIN_PYTEST, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    root.chmod(0o755)
    return root


def small_project(folder: Path, name: str, source: bytes, *cases: str) -> Path:
    """Return a project of one module, and a test for each case: ``call == expected``."""
    head = f"from {name} import *\n"
    tests = [f"\n\ndef test_{n}():\n    assert {case}\n" for n, case in enumerate(cases)]
    test = "".join([head, *tests]).encode()
    return project(folder / "project", {f"{name}.py": source, f"test_{name}.py": test})


def commit(root: Path) -> None:
    for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "base"]):
        name = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
        subprocess.run(["git", "-C", str(root), *name, *command], check=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project whose tests aren't committed."""
    files = {"shop/__init__.py": b"", "shop/stock.py": STOCK}
    root = project(tmp_path_factory.mktemp("shop") / "project", files)
    commit(root)
    return project(root, {"tests/test_stock.py": TESTS})


@pytest.fixture(scope="module")
def published(shop: Path) -> Healing:
    return Healer(root=shop).heal_tests(["tests/test_stock.py::test_scarce"], create_pr=True)


def test_the_selected_failing_test_is_healed_alone(shop: Path, published: Healing) -> None:
    """Only the fault of the selected test is edited; other failing tests neither help nor hinder."""
    best = published.proposals[0]
    assert isinstance(best.verdict, Accepted)
    assert best.candidate.patch.after == STOCK.replace(b"count < limit", b"count <= limit")
    checks = {check.name: check.detail for check in best.verdict.checks}
    assert checks["failing_tests"] == "1 of 1 failing tests pass now"
    assert checks["passing_tests"] == "2 of 2 tests that passed before pass"
    assert (shop / "shop/stock.py").read_bytes() == STOCK


def test_an_uncommitted_test_counts(shop: Path, published: Healing) -> None:
    """The base is the commit, the tests are those of the working tree; the text says which."""
    assert published.outcome is HealingOutcome.PUBLISHED
    assert published.note == "taken from your working tree: tests/test_stock.py"
    assert published.publication is not None
    shown = subprocess.run(
        ["git", "-C", str(shop), "show", f"{published.publication.branch}:shop/stock.py"],
        check=True,
        capture_output=True,
    ).stdout
    assert shown == STOCK.replace(b"count < limit", b"count <= limit")
    body = unquote(urlsplit(published.publication.url).path)
    assert "tests/test_stock.py::test_scarce" in Path(body).read_text("utf-8")


def test_nothing_is_healed_where_the_selected_tests_pass(shop: Path) -> None:
    """A selection without a failing test is refused."""
    with pytest.raises(NothingToHeal, match="no selected test fails"):
        Healer(root=shop).heal_tests(["tests/test_stock.py::test_total_of_one"])


def test_a_test_that_never_ends_is_a_failing_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that computes without end is cut off, located, and healed."""
    monkeypatch.setattr(test_probe, "_OBSERVED_TEST_S", 0.5)
    monkeypatch.setattr(test_probe, "_SECOND_CHANCE_S", 0.5)
    root = small_project(tmp_path, "count", ENDLESS, "countdown(2) == 0", "countdown(0) == 0")
    healing = Healer(root=root).heal_tests(["test_count.py"])
    assert healing.proposals[0].candidate.patch.after == ENDLESS.replace(b"+= 1", b"-= 1")


def test_a_slow_test_is_no_failing_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is cut off while it is watched gets more time, and passes where it ends then."""
    monkeypatch.setattr(test_probe, "_OBSERVED_TEST_S", 0.3)
    root = project(tmp_path / "project", {"test_slow.py": SLOW})
    with pytest.raises(NothingToHeal, match="1 tests ran, and none of the selected failed"):
        Healer(root=root).heal_tests(["test_slow.py"])


def test_tests_that_allow_more_than_one_behaviour_are_said_to(tmp_path: Path) -> None:
    """Where plausible patches differ on another input, the verdict shows one and ranks lower."""
    root = small_project(tmp_path, "sums", SAME, "same(2, 2) is True")
    best = Healer(root=root).heal_tests(["test_sums.py"]).proposals[0]
    checks = {check.name: check for check in best.verdict.checks}
    assert checks["agreement"].outcome is CheckOutcome.NOT_SHOWN
    assert "count" in checks["agreement"].detail
    assert "other behaviours" in best.verdict.summary


def test_the_crash_rules_answer_a_test_that_crashes(tmp_path: Path) -> None:
    """Where a test ends in an exception inside the project, what the rules propose is tried too."""
    root = small_project(tmp_path, "sums", AMOUNT, "amount([2, None]) == 2", "amount([2, 3]) == 5")
    best = Healer(root=root).heal_tests(["test_sums.py"]).proposals[0]
    assert isinstance(best.verdict, Accepted)
    assert best.candidate.origin.startswith("rule:none.")


def test_a_model_is_asked_and_its_patch_is_proven_by_the_tests(tmp_path: Path) -> None:
    """A configured model's patch meets the same tests; what was said with it is kept."""
    pytest.importorskip("pydantic_ai")
    source = b"def cube(number):\n    return 0\n"
    root = small_project(
        tmp_path, "powers", source, "cube(2) == 8", "cube(3) == 27", "cube(0) == 0"
    )
    answer = "Change: compute it\n```python\ndef cube(number):\n    return number**3\n```"
    asked = []

    def model(question: str) -> Reply:
        asked.append(question)
        return good(answer)

    with (
        endpoint(model) as place,
        Healer("openai:gpt-4.1", root=root, model_base_url=place.openai_url) as healer,
    ):
        healing = healer.heal_tests(["test_powers.py"])
        kept = healer.store.exchanges(healing.incident.incident_id)
    best = healing.proposals[0]
    assert isinstance(best.verdict, Accepted)
    assert best.candidate.patch.after == source.replace(b"return 0", b"return number**3")
    assert "assert cube(2) == 8" in asked[0]
    assert len(kept) == len(asked)


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, GitHubDouble]]:
    """A committed project with a failing test, whose repository lies on a GitHub as well."""
    pytest.importorskip("github")
    cases = ("within(2, 2) is True", "within(1, 2) is True", "within(3, 2) is False")
    root = small_project(tmp_path, "limits", WITHIN, *cases)
    commit(root)
    bare = BareRepository(tmp_path / "host.git")
    subprocess.run(["git", "-C", str(root), "push", "-q", str(bare.path), "main"], check=True)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_REPO_NAME", "shop/backend")
    monkeypatch.setenv("PRUNELLA_CODE_HOST", "github")
    with running(GitHubDouble(bare)) as double:
        monkeypatch.setenv("PRUNELLA_CODE_HOST_URL", double.url)
        yield root, double
        assert double.complaints == []


def test_a_failing_test_has_one_pull_request_on_the_host(hosted: tuple[Path, GitHubDouble]) -> None:
    """It is opened on the code host, not as a local branch, and found again by the next attempt."""
    root, double = hosted
    first, second = (Healer(root=root).heal_tests(["test_limits.py"], create_pr=True) for _ in "12")
    assert first.outcome is HealingOutcome.PUBLISHED, first.explanation
    (pull,) = double.pulls
    assert first.publication is not None
    assert second.publication is not None
    assert first.publication.url == second.publication.url
    assert "test_limits.py::test_0" in pull.body
    assert double.repository.show(pull.branch, "limits.py") == WITHIN.replace(b"<", b"<=")
    branches = subprocess.run(["git", "-C", str(root), "branch"], check=True, capture_output=True)
    assert branches.stdout.split() == [b"*", b"main"]


def test_a_patch_from_tests_is_carried_over_to_what_the_host_has(
    hosted: tuple[Path, GitHubDouble],
) -> None:
    """What others have pushed to the file since stays, and the tests are run again with it."""
    root, double = hosted
    newer = b"LARGEST = 10\n\n\n" + WITHIN + b"\n\ndef largest():\n    return LARGEST\n"
    double.repository.push("main", {"limits.py": newer}, "newer")
    healing = Healer(root=root).heal_tests(["test_limits.py"], create_pr=True)
    assert healing.outcome is HealingOutcome.PUBLISHED, healing.explanation
    (pull,) = double.pulls
    assert double.repository.show(pull.branch, "limits.py") == newer.replace(b"<", b"<=")
    assert "proven again" in pull.body


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"number < limit", b"number < limit + 0", "in the lines that the patch changes"),
        (b"limit = int(limit)", b"limit = int(limit) - 1", "the tests don't show it"),
    ],
    ids=["same lines", "other lines"],
)
def test_a_patch_from_tests_that_does_not_fit_the_host_is_withdrawn(
    hosted: tuple[Path, GitHubDouble], before: bytes, after: bytes, why: str
) -> None:
    """Nothing is opened where the edit conflicts with the host's, or heals no longer beside it."""
    root, double = hosted
    double.repository.push("main", {"limits.py": WITHIN.replace(before, after)}, "newer")
    healing = Healer(root=root).heal_tests(["test_limits.py"], create_pr=True)
    assert healing.outcome is HealingOutcome.WITHDRAWN
    assert why in healing.explanation
    assert double.pulls == []
    assert double.repository.branches() == ["main"]
