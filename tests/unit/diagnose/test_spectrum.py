"""Locating a fault by what failing and passing tests run."""

from prunella.diagnose.spectrum import is_test_code, suspects, suspicious_lines
from prunella.model.trials import ObservedTest

SOURCE = b"def good(a):\n    return a\n\n\nclass Box:\n    def bad(self, a):\n        if a:\n            return 1\n        return 2\n"


def ran(name: str, outcome: str, *lines: int) -> ObservedTest:
    return ObservedTest(
        test_id=name,
        outcome=outcome,
        duration_us=1,
        lines={"shop/box.py": lines, "tests/test_box.py": (1, 2)},
    )


def test_lines_of_failing_tests_alone_are_the_most_suspicious() -> None:
    """A line that every failing and no passing test runs has suspicion 1; a shared line less."""
    found = suspicious_lines([ran("a", "failed", 2, 7, 8)], [ran("b", "passed", 2, 7, 9)])
    assert found["shop/box.py"][8] == 1.0
    assert found["shop/box.py"][7] < 1.0
    assert 9 not in found["shop/box.py"]


def test_code_of_tests_is_no_suspect() -> None:
    """Tests and what helps them are never blamed."""
    assert set(suspicious_lines([ran("a", "failed", 2)], [])) == {"shop/box.py"}
    assert is_test_code("python_testcases/node.py")
    assert is_test_code("src/shop/box_test.py")
    assert is_test_code("conftest.py")
    assert not is_test_code("shop/latest/contest.py")


def test_suspects_are_functions_with_the_passing_tests_that_run_them() -> None:
    """The function with the most suspicious line comes first, methods by their qualified name."""
    failing, passing = [ran("a", "failed", 2, 7, 8)], [ran("b", "passed", 2), ran("c", "passed", 7)]
    found = suspects(
        suspicious_lines(failing, passing), passing, {"shop/box.py": SOURCE}.get, limit=5
    )
    assert [item.function.qualname for item in found] == ["Box.bad", "good"]
    assert found[0].passing == ("c",)
    assert found[0].function.module == "shop.box"
