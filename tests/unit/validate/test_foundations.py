"""Which results have somebody behind them."""

import pytest

from builders import call
from prunella.model.repair import Baseline, CheckOutcome, Patch, ReplayEnding, ReplayOutcome
from prunella.validate.foundations import shared_answers, unfounded, weighed
from prunella.validate.policy import parse

BASE = '''
def sibling(rows):
    return -1

def mean(rows):
    """Return the mean; "n/a" and 7 mean that there is none."""
    limit = 12
    return sum(rows) / len(rows)
'''


def found(line: str) -> list[str]:
    after = BASE.replace("    limit = 12\n", f"    limit = 12\n    {line}\n")
    patch = Patch(path="a.py", qualname="mean", before=BASE.encode(), after=after.encode(), diff="")
    return unfounded(parse(patch))


@pytest.mark.parametrize("value", ["0", "0.0", "None", "''", "[]", "{}", "-1", "12", "7", "(0, 0)"])
def test_what_is_neutral_or_named_has_a_foundation(value: str) -> None:
    """Empty values, constants of the function and its docstring, results of its siblings."""
    assert found(f"if not rows: return {value}") == []


@pytest.mark.parametrize(
    "line",
    [
        "if not rows: return 42",
        "rows = rows or 42",
        "if not rows: limit = 42",
        "rows = 42 if not rows else rows",
        "rows = {}.get(1, 42)",
        "rows = next(iter(rows), 42)",
        "rows = max(rows, default=42)",
        "if not rows: return (0, 42)",
    ],
)
def test_an_invented_value_has_none(line: str) -> None:
    """Wherever a patch puts an answer of its own, it is told."""
    assert found(line) == ["42"]


def test_the_name_of_an_attribute_is_no_answer() -> None:
    """What `getattr` looks for isn't what it falls back on."""
    assert found("if getattr(rows, 'total', None): pass") == []
    assert found("rows = getattr(rows, 'total', 42)") == ["42"]


@pytest.mark.parametrize(
    "head",
    [
        "def f(rows) -> str | None:",
        "def f(rows) -> Optional[str]:",
        'def f(rows):\n    """Return the first name, ``None`` for no rows."""',
    ],
)
def test_a_function_that_says_none_answers_with_nothing_else(head: str) -> None:
    """An empty text in place of the announced ``None`` is as made up as any other value."""

    def returning(old: str, new: str) -> list[str]:
        before, after = (f"{head}\n    return {text}\n".encode() for text in (old, new))
        return unfounded(parse(Patch(path="a", qualname="f", before=before, after=after, diff="")))

    assert returning("next(rows)", "next(rows, '')") == ["''"]
    assert returning("rows[0]", "rows[0] if rows else 0") == ["0"]
    assert returning("next(rows)", "next(rows, None)") == []
    assert returning("rows or ''", "rows if rows else ''") == []
    assert returning("rows[0]", "(rows[0] or '').strip() or None") == []


@pytest.mark.parametrize(
    "docstring",
    ["Return the name; `rows` may be None.", "Return it, None for no rows, empty for no name."],
)
def test_a_docstring_may_name_an_empty_answer_or_none_at_all(docstring: str) -> None:
    """Only a docstring that says when the answer is None speaks against others."""
    head = f'def f(rows):\n    """{docstring}"""\n    return '
    before, after = (f"{head}{text}\n".encode() for text in ("rows[0]", "rows[0] or ''"))
    patch = Patch(path="a.py", qualname="f", before=before, after=after, diff="")
    assert unfounded(parse(patch)) == []


def test_what_is_no_answer_is_no_matter() -> None:
    """Comparisons, indexes and messages may bring in constants."""
    assert found("if len(rows) > 3: raise ValueError('too many', rows[4])") == []


def test_an_answer_is_shared_by_calls_with_different_inputs() -> None:
    """One call's result, or that of the same call again, is no convention."""
    once, again = call(result=["t", 7, "x"]), call(result=8, inputs=["d", "values", ["l"]])
    other = call(result=["t", 7, True], inputs=["d", "values", ["l", 1]])
    passing = tuple(
        (
            each,
            ReplayOutcome(
                request_id=each.call_id, ending=ReplayEnding.RETURNED, result=each.result
            ),
        )
        for each in (once, once, again, again, other)
    )
    facts = Baseline(failing=(), passing=passing, set_aside=())
    assert shared_answers(facts) == {"7"}
    assert weighed(["7"], facts).outcome is CheckOutcome.NOT_SHOWN
    assert weighed(["7", "8"], facts).outcome is CheckOutcome.FAILED
