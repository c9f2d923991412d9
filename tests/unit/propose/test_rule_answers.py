"""Where an early answer comes from decides how much it counts."""

import pytest

from crashes import dossier_of
from prunella.propose.rules import propose_by_rules
from prunella.propose.rules.answers import WEIGHTS, answers
from prunella.propose.rules.said import said
from prunella.propose.rules.scene import scenes

CRASH = "    return rows[0]\n"


def _answers(source: str, passing: list[object]) -> list[tuple[str, str]]:
    dossier = dossier_of(source, "f", failing=[([],)], passing=[(item,) for item in passing])
    return [(item.statement, item.basis) for item in answers(scenes(dossier)[0], "not rows")]


def test_what_the_function_itself_answers_comes_first() -> None:
    """A sentinel that the function returns elsewhere is the strongest evidence."""
    source = "def f(rows):\n    if rows == [9]:\n        return 0\n" + CRASH
    assert _answers(source, [[9], [1]])[0] == ("return 0", "own")


def test_a_sibling_that_asks_the_same_counts() -> None:
    """What another function of the file answers under the same condition is taken over."""
    source = (
        "def g(rows):\n    if not rows:\n        return 0\n    return 1\n\ndef f(rows):\n" + CRASH
    )
    assert _answers(source, [[5]])[0] == ("return 0", "sibling_same")


def test_a_sibling_of_another_kind_does_not_count() -> None:
    """A text isn't taken for a function whose results are numbers."""
    source = (
        'def g(rows):\n    if not rows:\n        return ""\n    return "x"\n\ndef f(rows):\n'
        + CRASH
    )
    assert [basis for _, basis in _answers(source, [[5]])] == ["results_type"]


def test_an_annotation_that_allows_none_says_none() -> None:
    """`int | None` makes None the answer and the empty value of the type none."""
    source = "def f(rows) -> int | None:\n" + CRASH
    assert _answers(source, [[5]]) == [("return None", "annotation")]


def test_a_value_that_nobody_ever_answered_sinks() -> None:
    """An answer derived from the results' type alone has a fraction of the others' weight."""
    source = "def f(rows):\n" + CRASH
    assert _answers(source, [[5]]) == [("return 0", "results_type")]
    assert WEIGHTS["results_type"] <= 0.5 * WEIGHTS["results_seen"]
    assert _answers(source, [[5], [0]])[0] == ("return 0", "results_seen")


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Return the best, ``None`` before the first one.", ["None"]),
        ("Return the mean; 0.0 for no rows.", ["0.0"]),
        ("An empty cell is 0.", ["0"]),
        ("Return a text, empty while there is nothing to tell.", ["empty"]),
        ("A page behind the last one is empty.", ["empty"]),
        ("Return an empty list if nothing matches.", ["empty"]),
        ("Return None if the list is empty.", ["None"]),
        ("Return -1 when it isn't found.", ["-1"]),
        ("Return the first of 10 rows.", []),
        ("Counts from 0. Never None.", []),
        ("Return 0.5 if half of them pass.", []),
    ],
)
def test_a_docstring_names_answers_only_under_a_condition(
    docstring: str, expected: list[str]
) -> None:
    """A literal that a sentence ties to a case is an answer; any other is not."""
    source = f'def f(rows):\n    """{docstring}"""\n' + CRASH
    dossier = dossier_of(source, "f", failing=[([],)])
    assert said(scenes(dossier)[0]) == expected


def test_a_table_of_the_module_gets_no_default() -> None:
    """A key that a constant table lacks is never answered with an invented value."""
    source = "RATES = {'EUR': 1, 'USD': 2}\n\ndef f(amount, currency):\n    return amount * RATES[currency]\n"
    dossier = dossier_of(source, "f", failing=[(1, "XXX")], passing=[(1, "EUR")])
    assert propose_by_rules(dossier) == []


def test_a_lookup_takes_the_default_that_a_sibling_uses() -> None:
    """The same key of the same table read elsewhere with a default is a precedent."""
    source = (
        'def g(voucher):\n    return voucher.get("minimum", 5)\n\n'
        'def f(total, voucher):\n    return total < voucher["minimum"]\n'
    )
    dossier = dossier_of(source, "f", failing=[(1, {})], passing=[(1, {"minimum": 3})])
    best = propose_by_rules(dossier)[0]
    assert best.origin == "rule:key.get_precedent"
    assert b'return total < voucher.get("minimum", 5)' in best.patch.after


def test_a_variable_begins_as_a_sibling_begins_it() -> None:
    """The literal that another function gives to the same variable at its start is taken over."""
    source = (
        "def g(rows):\n    percent = 0\n    return percent\n\n"
        "def f(rows):\n    for row in rows:\n        percent = row['p']\n    return 100 - percent\n"
    )
    dossier = dossier_of(source, "f", failing=[([],)], passing=[([{"p": 3}],)])
    found = {item.origin: item.patch.after for item in propose_by_rules(dossier)}
    assert b"    percent = 0\n    for row" in found["rule:unbound.init.sibling"]


def test_bytes_are_decoded_as_a_sibling_decodes_them() -> None:
    """Another encoding that the file uses is tried where UTF-8 fails."""
    source = (
        'def g(raw):\n    return raw.decode("cp1252")\n\n'
        'def f(raw):\n    return raw.decode("utf-8").strip()\n'
    )
    dossier = dossier_of(source, "f", failing=[(b"\xe4",)], passing=[(b"a",)])
    best = propose_by_rules(dossier)[0]
    assert best.origin == "rule:decode.sibling"
    assert b'        return raw.decode("cp1252").strip()\n' in best.patch.after
