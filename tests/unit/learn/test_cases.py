"""What is kept of a solved incident."""

import builders as b
from prunella.learn import case_of


def test_a_case_says_where_why_and_how_far_it_was_proven() -> None:
    """A later reader needs no other record to judge it."""
    case = case_of(b.incident(), b.diagnosis(), b.candidate(), b.accepted())
    assert case.function == "shop.prices:average"
    assert case.root_cause == "`values` is empty."
    assert case.resolution == (
        "Return 0.0 when `values` is empty. "
        "3 failing calls no longer fail; 5 passing calls return the equal result."
    )
    assert (case.origin, case.diff) == ("rule:empty_guard", b.candidate().patch.diff)


def test_a_case_without_a_project_frame_names_the_site() -> None:
    """Where no frame belongs to the project, the decorated function stands for the place."""
    case = case_of(b.incident(location=None), b.diagnosis(), b.candidate(), b.accepted())
    assert case.function == "shop.prices:average"
