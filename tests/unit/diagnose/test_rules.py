"""Root causes told from recorded failures."""

import textwrap
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders as b
from dossiers import dossier_of
from prunella.diagnose import diagnose
from prunella.model.dossier import Dossier
from prunella.model.incidents import Diagnosis, SimilarCase
from prunella.model.records import Ending
from prunella.model.repair import Baseline

AVERAGE = textwrap.dedent(
    """
    def average(rows, scale=1):
        total = sum(rows)
        count = len(rows)
        return scale * (total / count)
    """
)


def told(source: str, qualname: str, **calls: Any) -> Diagnosis:
    return diagnose(dossier_of(textwrap.dedent(source), qualname, **calls))


def test_the_whole_sentence() -> None:
    """Expression, origin of the value, and what separates the calls make one sentence."""
    found = told(
        AVERAGE,
        "average",
        failing=[{"rows": [], "scale": n} for n in range(3)],
        passing=[{"rows": [1] * n} for n in range(1, 13)],
    )
    assert found.root_cause == (
        "`total / count` divides by zero: `count` is `len(rows)` and `rows` is empty in all 3 "
        "failing calls, in none of the 12 passing ones."
    )
    assert found.abstention is None
    assert found.error_type == "ZeroDivisionError"
    assert found.confidence >= 0.9


CASES = {
    "none_attribute": (
        """
        def label(person):
            name = person["middle"]
            return name.strip()
        """,
        "label",
        [{"person": {"middle": None}}, {"person": {"middle": None}}],
        [{"person": {"middle": " b "}}],
        '`name.strip` fails because `name` is None: `name` is `person["middle"]` and '
        "`person['middle']` is None in both failing calls, not in the passing one.",
    ),
    "missing_key": (
        """
        def price(order):
            return order["total"] * 2
        """,
        "price",
        [{"order": {"id": 1}}],
        [{"order": {"id": 1, "total": 3}}, {"order": {"id": 2, "total": 4}}],
        "`order[\"total\"]` finds no key 'total' in `order`: `order` lacks the key 'total' in the "
        "one failing call, in none of the 2 passing ones.",
    ),
    "missing_key_of_an_item": (
        """
        def price(orders):
            total = 0
            for order in orders:
                total += order["total"]
            return total
        """,
        "price",
        [{"orders": [{"total": 3}, {"id": 1}]}],
        [{"orders": [{"total": 3}]}, {"orders": [{"total": 4}, {"total": 5}]}],
        "`order[\"total\"]` finds no key 'total' in `order`: `order` is an item of `orders` and some "
        "`orders[…]` lacks the key 'total' in the one failing call, in none of the 2 passing ones.",
    ),
    "empty_index": (
        """
        def first(items):
            return items[0]
        """,
        "first",
        [{"items": []}],
        [{"items": [1]}, {"items": [1, 2]}],
        "`items[0]` reaches beyond the end of `items`, which is empty: `items` is empty in the one "
        "failing call, in none of the 2 passing ones.",
    ),
    "index_beyond": (
        """
        def pick(items, at):
            return items[at]
        """,
        "pick",
        [{"items": [1, 2], "at": 7}],
        [{"items": [1, 2], "at": 0}, {"items": [1, 2, 3], "at": 1}],
        "`items[at]` reaches beyond the end of `items`, which has 2 items: `at` is at least 7 in "
        "the one failing call, in none of the 2 passing ones.",
    ),
    "unbound": (
        """
        def rate(country):
            if country == "DE":
                tax = 19
            elif country == "FR":
                tax = 20
            return tax
        """,
        "rate",
        [{"country": "XX"}, {"country": "XX"}],
        [{"country": "DE"}, {"country": "FR"}],
        "`tax` is read before it has a value: it is only set on lines 4 and 6, and the path taken does "
        "not pass there: `country` is 'XX' in both failing calls, in none of the 2 passing ones.",
    ),
    "not_a_number": (
        """
        def quantity(text):
            return int(text)
        """,
        "quantity",
        [{"text": "1,5"}, {"text": "n/a"}, {"text": ""}],
        [{"text": "15"}, {"text": "3"}],
        "`int(text)` refuses its argument (invalid literal for int() with base 10: '1,5'): `text` "
        "is not written as a number in 2 of the 3 failing calls, in none of the 2 passing ones.",
    ),
    "addition_of_none": (
        """
        def total(price, shipping):
            return price + shipping
        """,
        "total",
        [{"price": 1, "shipping": None}],
        [{"price": 1, "shipping": 2}, {"price": 2, "shipping": 2}],
        "`price + shipping` fails because `shipping` is None: `shipping` is None in the one "
        "failing call, in none of the 2 passing ones.",
    ),
    "wrong_type": (
        """
        def label(number):
            return "no. " + number
        """,
        "label",
        [{"number": 3}],
        [{"number": "3"}, {"number": "4"}],
        '`"no. " + number` gets a value of the wrong type (can only concatenate str (not "int") '
        "to str): `number` is of type int in the one failing call, in none of the 2 passing ones.",
    ),
    "inside_a_comprehension": (
        """
        def totals(orders):
            return sum(order["total"] for order in orders)
        """,
        "totals",
        [{"orders": [{"id": 1}]}],
        [{"orders": [{"total": 1}]}, {"orders": [{"total": 2}]}],
        "`order[\"total\"]` finds no key 'total' in `order`: `order` is an item of `orders` and some "
        "`orders[…]` lacks the key 'total' in the one failing call, in none of the 2 passing ones.",
    ),
    "largest_of_nothing": (
        """
        def best(offers):
            return max(offers)
        """,
        "best",
        [{"offers": []}],
        [{"offers": [1]}, {"offers": [2, 1]}],
        "`max(offers)` refuses its argument (",
    ),
    "unpacking": (
        """
        def split(line):
            name, value = line.split("=")
            return name, value
        """,
        "split",
        [{"line": "novalue"}],
        [{"line": "a=1"}],
        'unpacking `line.split("=")` fails (not enough values to unpack (expected 2, got 1))',
    ),
    "stop": (
        """
        def first(rows):
            return next(row for row in rows if row > 3)
        """,
        "first",
        [{"rows": [1]}],
        [{"rows": [4]}],
        "`next(row for row in rows if row > 3)` finds nothing left",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_root_causes(name: str) -> None:
    """Each common kind of crash is told by its expression, its value and what sets it apart."""
    source, qualname, failing, passing, sentence = CASES[name]
    found = told(source, qualname, failing=failing, passing=passing)
    assert found.root_cause.startswith(sentence)
    assert found.abstention is None
    assert found.hypotheses
    assert all(0 < item.prior < 1 for item in found.hypotheses)


def test_every_piece_of_evidence_can_be_looked_up() -> None:
    """References are ids of the dossier or lines of the function's file."""
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}], passing=[{"rows": [1]}])
    references = {
        item.reference
        for hypothesis in diagnose(dossier).hypotheses
        for item in hypothesis.evidence
    }
    assert references == {"occ_0", "shop/code.py:5", "shop/code.py:4", "shop/code.py:3"} - {
        "shop/code.py:3"
    }


def test_without_passing_calls_it_says_less() -> None:
    """Nothing to compare with lowers the confidence and the claim."""
    alone = told(AVERAGE, "average", failing=[{"rows": []}])
    compared = told(AVERAGE, "average", failing=[{"rows": []}], passing=[{"rows": [1]}])
    assert alone.root_cause.endswith("`rows` is empty in the one failing call.")
    assert alone.confidence < compared.confidence


def test_a_failure_that_was_not_reproduced_says_so() -> None:
    """The recorded traceback serves, with less confidence and with evidence against."""
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}], reproduced=False)
    set_aside = (("occ_0", "its inputs are incomplete"),)
    found = diagnose(
        replace(dossier, baseline=Baseline(failing=(), passing=(), set_aside=set_aside))
    )
    against = [item for item in found.hypotheses[0].evidence if not item.supports]
    assert [item.statement for item in against] == [
        "the failure was not reproduced: its inputs are incomplete"
    ]
    assert (
        found.confidence
        < diagnose(dossier_of(AVERAGE, "average", failing=[{"rows": []}])).confidence
    )


def test_recorded_lines_move_with_the_function() -> None:
    """A function that stands elsewhere in the base than it stood when it failed is still read."""
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}], reproduced=False)
    moved = dossier_of("x = 1\n" * 7 + AVERAGE, "average", failing=[{"rows": []}]).function
    found = diagnose(replace(dossier, function=moved))
    assert found.root_cause.startswith("`total / count` divides by zero")
    assert found.hypotheses[0].evidence[0].reference == "shop/code.py:12"


def abstains(dossier: Dossier, why: str) -> None:
    found = diagnose(dossier)
    assert found.hypotheses == ()
    assert found.abstention is not None
    assert why in found.abstention
    assert found.root_cause
    assert found.confidence <= 0.3


def test_it_abstains_without_a_project_frame() -> None:
    """No source, no hypothesis; the reason is the one that finding the source gave."""
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}])
    missing = replace(dossier, function=None, function_missing="it is a lambda")
    abstains(missing, "it is a lambda")
    nowhere = replace(
        missing, function_missing="", incident=replace(missing.incident, location=None)
    )
    abstains(nowhere, "no frame of the traceback belongs to the project")


def test_it_abstains_where_the_source_is_another() -> None:
    """A traceback that doesn't pass through the function explains nothing about it."""
    other = dossier_of("def f():\n    return 1 / 0\n", "f", failing=[{}])
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}])
    abstains(replace(dossier, function=other.function), "does not pass through f of the base")


def test_it_abstains_from_what_is_raised_on_purpose() -> None:
    """A function that refuses an input states a rule; which side is wrong isn't in the data."""
    source = """
    def reserve(stock, wanted):
        if wanted > stock:
            raise ValueError(f"only {stock} left")
        return stock - wanted
    """
    dossier = dossier_of(
        textwrap.dedent(source),
        "reserve",
        failing=[{"stock": 1, "wanted": 2}],
        passing=[{"stock": 3, "wanted": 2}],
    )
    abstains(dossier, "reserve raises this on purpose (shop/code.py:4)")
    assert diagnose(dossier).root_cause.startswith("`")


@pytest.mark.parametrize(
    ("raised", "why"),
    [
        ("RecursionError", "cyclic"),
        ("TimeoutError", "waited for"),
        ("ConnectionResetError", "side"),
    ],
)
def test_it_abstains_from_what_lies_beyond(raised: str, why: str) -> None:
    """Failures of depth, time and the outside are not explained by the function alone."""
    source = f"def inner(x):\n    return throw(x)\n\ndef throw(x):\n    raise {raised}('x')\n"
    abstains(dossier_of(source, "inner", failing=[{"x": 1}]), why)


def test_it_abstains_from_cancellation() -> None:
    """A call that was called off is no fault."""
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}])
    called_off = replace(dossier.failing[0], ending=Ending.CANCELLED)
    abstains(replace(dossier, failing=(called_off,)), "called off")


def test_a_near_case_is_a_hypothesis() -> None:
    """What resolved a similar incident before is offered, with the case as its reference."""
    case = SimilarCase(case=b.case(), similarity=0.9, because="the same exception")
    dossier = dossier_of(AVERAGE, "average", failing=[{"rows": []}], similar=(case,))
    offered = [item for item in diagnose(dossier).hypotheses if "past case" in item.remedy]
    assert [item.evidence[0].reference for item in offered] == ["case_1"]


NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(
            st.sampled_from(["d", "l", "t", "o", "&", "*", "cut", "sub", "nt", "dd", "?"])
        ).flatmap(lambda tag: st.lists(inner, max_size=4).map(lambda rest: [*tag, *rest]))
    ),
    max_leaves=12,
)
TREES = st.dictionaries(st.sampled_from(["rows", "scale", "count"]), NODES).map(
    lambda names: ["d", *(item for pair in names.items() for item in pair)]
)


@cache
def _base() -> Dossier:
    return dossier_of(AVERAGE, "average", failing=[{"rows": []}])


@settings(max_examples=60, deadline=None)
@given(
    inputs=st.lists(NODES | TREES, min_size=1, max_size=3),
    passing=st.lists(NODES | TREES, max_size=3),
    values=NODES | TREES,
    position=st.none() | st.tuples(*[st.integers(-2, 40)] * 4),
    message=st.text(max_size=40),
    line=st.integers(-2, 40),
    kind=st.sampled_from(["TypeError", "KeyError", "IndexError", "ZeroDivisionError", "ValueError",
        "AttributeError", "NameError", "StopIteration", "UnicodeDecodeError", "Own"]),
)  # fmt: skip
def test_no_record_makes_it_fail(
    inputs: list[Any],
    passing: list[Any],
    values: Any,
    position: Any,
    message: str,
    line: int,
    kind: str,
) -> None:
    """Records are untrusted: whatever stands in them, there is a diagnosis and it is bounded."""
    frame = b.frame(
        file="shop/code.py",
        qualname="average",
        first_line=2,
        line=line,
        position=position,
        local_values=values,
    )
    error = b.exception(type=f"builtins:{kind}", mro=(), message=message, frames=(frame,))
    found = diagnose(
        replace(
            _base(),
            failing=tuple(b.occurrence(inputs=item, exception=error) for item in inputs),
            passing=tuple(b.call(inputs=item) for item in passing),
            baseline=Baseline(failing=(), passing=(), set_aside=()),
        )
    )
    assert 0 < len(found.root_cause) < 1500


def test_values_never_reach_a_sentence_unbounded() -> None:
    """A huge or many-lined message or value makes no huge sentence."""
    source = "def f(text):\n    return int(text)\n"
    found = told(source, "f", failing=[{"text": "x\n" * 100_000}], passing=[{"text": "1"}])
    assert len(found.root_cause) < 500
    assert "\n" not in found.root_cause
