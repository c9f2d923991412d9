"""Past cases that resemble an incident."""

from collections.abc import Sequence

import builders as b
from prunella.diagnose import similar_cases
from prunella.model.incidents import SimilarCase


class Everything:
    """A retriever that finds every text equally near."""

    def __init__(self, similarity: float) -> None:
        self.similarity = similarity

    def rank(
        self, query: str, documents: Sequence[str], *, limit: int
    ) -> Sequence[tuple[int, float]]:
        return [(index, self.similarity) for index in range(len(documents))][:limit]


def near(similarity: float, *cases: dict[str, str]) -> Sequence[SimilarCase]:
    made = [b.case(case_id=f"case_{number}", **item) for number, item in enumerate(cases)]
    return similar_cases(b.incident(), made, Everything(similarity))


def test_the_same_pattern_is_complete_similarity() -> None:
    """The same exception in the same function with the same message is a 1."""
    (found,) = near(0.2, {})
    assert found.similarity == 1.0
    assert found.because == (
        "the same exception, ZeroDivisionError, in the same function, average, a message alike"
    )


def test_structure_comes_before_words() -> None:
    """A case that only sounds alike never stands before one of the same exception."""
    found = near(
        0.9,
        {"error_type": "builtins:KeyError", "error_code": "CODE.KEY.MISSING", "message": "x"},
        {"message": "x", "function": "other:f"},
    )
    assert [item.case.case_id for item in found] == ["case_1", "case_0"]


def test_what_has_nothing_in_common_is_left_out() -> None:
    """No case is better than a wrong one."""
    assert (
        near(0.4, {"error_type": "a:B", "error_code": "B", "function": "f:g", "message": "y"}) == ()
    )
    assert similar_cases(b.incident(), [], Everything(1.0)) == ()


def test_an_own_error_code_counts_and_is_said() -> None:
    """Codes that the project gave itself connect incidents of different classes."""
    case = b.case(error_type="shop:Late", error_code="SHOP.LATE", function="shop.prices:average")
    incident = b.incident(error_code="SHOP.LATE")
    (found,) = similar_cases(incident, [case], Everything(0.0))
    assert found.because == "in the same function, average, the same error code, SHOP.LATE"
