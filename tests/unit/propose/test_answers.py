"""What is read out of a model's answer, and why something isn't."""

import textwrap

import pytest

import builders as b
from prunella.diagnose import find_function
from prunella.model.repair import SourceFunction
from prunella.patching import replace_function
from prunella.propose.answers import MAX_CHARS, Answered, Unusable, read_answer

SOURCE = b'''\
class Shop:
    @property
    @cached
    def mean(self):
        """Mean."""
        return sum(self.rows) / len(self.rows)


def mean(rows):
    return sum(rows) / len(rows)
'''

GOOD = "def mean(rows):\n    if not rows:\n        return 0.0\n    return sum(rows) / len(rows)"


def function(qualname: str = "mean") -> SourceFunction:
    return find_function(b.frame(file="a.py", qualname=qualname), {"a.py": SOURCE}.get)


def code(answer: str, qualname: str = "mean") -> str:
    read = read_answer(answer, function(qualname))
    assert isinstance(read, Answered), read
    return read.code


def reason(answer: str) -> str:
    read = read_answer(answer, function())
    assert isinstance(read, Unusable), read
    assert read.message
    return read.reason


def fenced(text: str, language: str = "python") -> str:
    return f"Change: return 0.0 for no rows\n\n```{language}\n{text}\n```\n"


@pytest.mark.parametrize(
    "answer",
    [
        fenced(GOOD),
        fenced(GOOD, ""),
        fenced(GOOD, "py"),
        fenced(GOOD) + "\nThis handles the empty case. Let me know!",
        f"~~~python\n{GOOD}\n~~~",
        f"````python\n{GOOD}\n````",
        GOOD,
        fenced(textwrap.indent(GOOD, "    ")),
        fenced(GOOD + "\n\nprint(mean([]))"),
        fenced(GOOD + "\n\nif __name__ == '__main__':\n    mean([])"),
        fenced("def mean(rows):\n    return sum(rows) / len(rows)") + "becomes\n" + fenced(GOOD),
        fenced(GOOD) + "It was\n" + fenced("def mean(rows):\n    return sum(rows) / len(rows)"),
        "```\npip install nothing\n```\n" + fenced(GOOD),
        fenced(GOOD).replace("\n", "\r\n"),
    ],
)
def test_the_function_is_found(answer: str) -> None:
    """However the block is wrapped, the function comes out as it was written."""
    assert code(answer).replace("\r", "").strip() == GOOD


def test_a_fence_inside_a_docstring_does_not_end_the_block() -> None:
    """A docstring may show an example in a fence."""
    text = 'def mean(rows):\n    """Mean.\n\n```\nmean([1])\n```\n    """\n    return 1'
    assert code(fenced(text)).strip() == text


def test_imports_come_along() -> None:
    """Imports above the function are part of the answer."""
    assert code(fenced("import math\n\n\n" + GOOD)) == "import math\n" + GOOD


def test_decorators_that_were_left_out_are_put_back() -> None:
    """A model that omits the decorators doesn't change them."""
    text = "def mean(self):\n    return 0.0"
    assert code(fenced(text), "Shop.mean").split("\n")[:3] == [
        "@property",
        "@cached",
        "def mean(self):",
    ]
    wrapped = "class Shop:\n    def mean(self):\n        return 0.0"
    for answer in (text, wrapped):
        result = replace_function(SOURCE, "Shop.mean", code(fenced(answer), "Shop.mean"))
        assert b"    @cached\n    def mean(self):\n        return 0.0\n" in result.after


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("x" * (MAX_CHARS + 1), "too_long"),
        ("Certainly! I would check for the empty list. " * 200, "no_code"),
        (fenced("function mean(rows) { return 0; }", "javascript"), "wrong_language"),
        ("```python\ndef mean(rows):\n    if not rows:\n        ret", "truncated"),
        (fenced("def mean(rows:\n    return 0"), "not_python"),
        (fenced("def median(rows):\n    return 0"), "wrong_function"),
        (fenced("def mean(rows):\n    return sum(rows) / len(rows)"), "unchanged"),
        (fenced("def mean(rows):\n    # the same\n    return sum(rows)/len(rows)"), "unchanged"),
        (fenced("x = '\0'"), "not_python"),
        (fenced("(" * 5000), "not_python"),
    ],
)
def test_each_reason_is_its_own(answer: str, expected: str) -> None:
    """What can be wrong with an answer is told apart."""
    assert reason(answer) == expected


def test_many_fences_cost_little() -> None:
    """An answer made of fences is refused without trying every pair of them."""
    assert reason("```python\nx = (\n" * 5000) in ("truncated", "not_python")


def test_the_description_is_one_plain_line() -> None:
    """What the model says of its change can't break out of a line or carry control characters."""
    answer = "**Change:** Return `0.0`\x1b[31m when empty " + "x" * 500 + "\n" + fenced(GOOD)
    read = read_answer(answer, function())
    assert isinstance(read, Answered)
    assert read.description.startswith("Return '0.0' [31m when empty xxx")
    assert len(read.description) == 160
