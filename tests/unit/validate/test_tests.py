"""Whether the project's tests use a function."""

from pathlib import Path

import pytest

from in_process import report
from prunella.validate.tests import mention

PATH = "src/shop/prices.py"


def mentioned(tree: Path, test: str, qualname: str = "average", path: str = PATH) -> bool:
    (tree / "test_it.py").write_text(test)
    return mention(tree, report({"test_it::test_it": "passed"}), path, qualname)


@pytest.mark.parametrize(
    "test",
    [
        "from shop.prices import average",
        "from shop.prices import average as mean",
        "from shop import average",
        "from shop.prices import *\nassert average([1])",
        "import shop.prices\nshop.prices.average([1])",
        "import shop\nshop.prices.average([1])",
        "from shop import prices as p\np.average([1])",
        "from .prices import average",
    ],
)
def test_a_function_is_used_where_it_is_imported(tmp_path: Path, test: str) -> None:
    """Imports from the module or its package, under any name, are a use."""
    assert mentioned(tmp_path, test)


@pytest.mark.parametrize(
    "test",
    [
        "# average\nfrom shop import prices",
        "from shop.prices import total\nNOTE = 'average'",
        "from statistics import average",
        "import numpy\nnumpy.average([1])",
        "def average(x): ...\naverage([1])",
        "from shop.prices import average(",
    ],
)
def test_words_and_namesakes_are_no_use(tmp_path: Path, test: str) -> None:
    """Comments, texts, and functions of that name from elsewhere say nothing."""
    assert not mentioned(tmp_path, test)


def test_methods_are_used_through_their_class(tmp_path: Path) -> None:
    """A method of that name counts in a test that imports from its module; a constructor by its class."""
    test = "from shop.prices import Basket\nBasket().total()"
    assert mentioned(tmp_path, test, "Basket.total")
    assert mentioned(tmp_path, test, "Basket.__init__")
    assert not mentioned(tmp_path, test, "Basket.clear")
    assert not mentioned(tmp_path, "from other import Basket\nBasket().total()", "Basket.total")


def test_a_test_that_is_called_after_the_function_counts(tmp_path: Path) -> None:
    """By whole words: `test_page` is about `page`, `test_homepage` isn't."""
    for name, expected in (
        ("test_page", True),
        ("test_page_of_two", True),
        ("test_homepage", False),
    ):
        assert mention(tmp_path, report({f"t::{name}": "passed"}), PATH, "page") is expected


def test_a_package_has_its_file(tmp_path: Path) -> None:
    """What stands in `__init__.py` is imported from the package."""
    assert mentioned(tmp_path, "from shop import average", path="shop/__init__.py")
