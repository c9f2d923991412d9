"""Loaded functions get another body."""

import functools
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from prunella.adapters.replay_runner.swapping import NotSwappable, live_functions, swap

SOURCE = """import functools


def twice(function):
    @functools.wraps(function)
    def run(*given):
        return function(*given) * 2

    return run


class Base:
    def name(self):
        return "base"


class Box(Base):
    @twice
    def name(self):
        return super().name()

    def __secret(self):
        return 1

    def secret(self):
        return self.__secret()
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    path = tmp_path / "boxes.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("boxes_to_swap", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["boxes_to_swap"] = made
    spec.loader.exec_module(made)
    yield made
    del sys.modules["boxes_to_swap"]


def put(module: ModuleType, qualname: str, text: str) -> None:
    file = str(module.__file__)
    swap(live_functions(file, qualname, 0), qualname, text, file)


def test_a_decorated_method_keeps_its_decorator_and_super(module: ModuleType) -> None:
    """The function inside the decorator is swapped; super() and its class go on working."""
    put(
        module,
        "Box.name",
        "    import os\n    @twice\n    def name(self):\n        return super().name() + os.sep\n",
    )
    assert module.Box().name() == "base/base/"


def test_private_names_are_those_of_the_class(module: ModuleType) -> None:
    """Names with two underscores are mangled as in the class."""
    put(module, "Box.secret", "    def secret(self):\n        return self.__secret() + 1\n")
    assert module.Box().secret() == 2


def test_what_does_not_fit_is_refused(module: ModuleType) -> None:
    """Text that doesn't compile, or holds more than a function and imports, isn't run."""
    for text in ("def name(:\n", "print(1)\ndef name(self):\n    pass\n"):
        with pytest.raises(NotSwappable):
            put(module, "Base.name", text)
    assert module.Base().name() == "base"


def test_other_functions_of_the_name_stay(module: ModuleType) -> None:
    """Only functions of the file and the qualified name are found."""
    found: list[Callable[..., object]] = list(live_functions(str(module.__file__), "Base.name", 0))
    assert found == [module.Base.name]
    assert live_functions(functools.__file__, "Base.name", 0) == []
