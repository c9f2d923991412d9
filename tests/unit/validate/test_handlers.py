"""Whether the answer of a new exception handler is anybody's."""

import pytest

from prunella.model.repair import Patch
from prunella.validate.handlers import unfounded_answers
from prunella.validate.policy import parse

BASE = '''\
def weight(text):
    """Return grams."""
    return float(text)

def price(text):
    try:
        return float(text)
    except ValueError:
        return -1

def label(text):
    if not text:
        return ""
    return text
'''
CAUGHT = "    try:\n        return float(text)\n    except ValueError:\n        {answer}\n"


def unfounded(answer: str, base: str = BASE) -> list[str]:
    after = base.replace("    return float(text)\n", CAUGHT.format(answer=answer), 1)
    patch = Patch(
        path="a.py", qualname="weight", before=base.encode(), after=after.encode(), diff=""
    )
    return unfounded_answers(parse(patch))


@pytest.mark.parametrize(
    ("answer", "told"),
    [("return 0", "0"), ("return ''", "''"), ("return []", "[]"), ("return", "None")],
)
def test_an_empty_answer_to_an_exception_is_made_up(answer: str, told: str) -> None:
    """What is neutral elsewhere is an invention behind a new handler."""
    assert unfounded(answer) == [told]


def test_passing_over_the_exception_answers_none() -> None:
    """A handler that does nothing at a function's end answers, too."""
    assert unfounded("pass") == ["None"]


def test_what_others_answer_to_exceptions_is_founded() -> None:
    """A value that another handler of the file answers with, or that the docstring names."""
    assert unfounded("return -1") == []
    assert unfounded("return 0", BASE.replace("grams.", "grams, 0 where there are none.")) == []
    assert unfounded("return 0.0", BASE.replace("grams.", "grams, zero for no text.")) == []
    assert unfounded("return []", BASE.replace("grams.", "grams, empty for no text.")) == []


def test_handlers_that_try_something_else_are_left_alone() -> None:
    """A computed answer and a raised error are judged by what they do."""
    assert unfounded("return float(text.replace(',', ''))") == []
    assert unfounded("raise KeyError(text) from None") == []


def test_the_function_may_answer_as_it_does_already() -> None:
    """A value that the function itself returns elsewhere is its own."""
    base = BASE.replace("    return float(text)\n", "    return float(text)\n    return 0\n", 1)
    assert unfounded("return 0", base) == []
