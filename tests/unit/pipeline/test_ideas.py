"""What is tried where tests fail."""

from builders import incident, process
from prunella.codec import encode_mapping
from prunella.model.records import ExceptionInfo, Frame
from prunella.model.trials import ObservedTest
from prunella.pipeline.crashing_tests import crashes, sources
from prunella.pipeline.ideas import ideas

SOURCE = b"""def amount(prices):
    found = 0
    for price in prices:
        found += price
    return found


def report(prices):
    return f"in all {amount(prices)}"
"""
TEST = b"""class TestAmount:
    def test_it(self):
        assert report([None]) == "in all 0"
"""
FILES = {"shop.py": SOURCE, "test_shop.py": TEST}


def frame(file: str, qualname: str, first_line: int, line: int, **values: object) -> Frame:
    return Frame(
        file=file,
        module=file.removesuffix(".py"),
        qualname=qualname,
        first_line=first_line,
        line=line,
        in_project=True,
        local_values=encode_mapping(values).tree,
    )


def failed(*frames: Frame) -> ObservedTest:
    error = ExceptionInfo(
        type="builtins:TypeError",
        mro=("builtins:TypeError", "builtins:Exception"),
        message="unsupported operand type(s) for +=: 'int' and 'NoneType'",
        frames=frames,
    )
    return ObservedTest(
        test_id="test_shop.py::TestAmount::test_it[1]",
        outcome="failed",
        duration_us=1,
        exception=error,
    )


INSIDE = frame("shop.py", "amount", 1, 4, found=0, price=None, prices=[None])
AROUND = frame("shop.py", "report", 8, 9, prices=[None])
BELOW = frame("test_shop.py", "TestAmount.test_it", 2, 3)


def test_a_crash_is_that_of_the_innermost_function() -> None:
    """The functions of a traceback come from the inside out; code of tests is none of them."""
    found = crashes([failed(BELOW, AROUND, INSIDE)], FILES.get)
    assert [(item.function.qualname, item.depth) for item in found] == [
        ("amount", 0),
        ("report", 1),
    ]


def test_the_rules_answer_a_crash_inside_the_project() -> None:
    """What the crash rules propose is tried, as a text of the function that crashed."""
    found = ideas(incident(), process(), [failed(BELOW, AROUND, INSIDE)], [], FILES.get)
    edits = {item.variant.qualname: item for item in found}
    assert {item.candidate().origin.partition(".")[0] for item in found} >= {"rule:none"}
    assert edits["amount"].variant.text.startswith("def amount(prices):\n")
    chances = [item.variant.chance for item in found]
    assert chances == sorted(chances, reverse=True)


def test_a_failed_assertion_is_no_crash() -> None:
    """Where only the test's own code is in the traceback, the rules have nothing to say."""
    assert ideas(incident(), process(), [failed(BELOW)], [], FILES.get) == []


def test_the_source_of_a_test_is_found_by_its_id() -> None:
    """A parametrized method of a class is found in its file."""
    (found,) = sources([failed(BELOW)], FILES.get)
    assert (found.role, found.qualname, found.first_line) == ("test", "TestAmount.test_it", 2)
    assert "report([None])" in found.text
