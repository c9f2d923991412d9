"""Past cases that resemble an incident.

Structure decides (exception type, function, error code); the text of the messages only orders what
agrees in structure, because no text similarity tells lexical look-alikes apart reliably.
"""

from collections.abc import Sequence

from prunella.model.incidents import Case, Incident, SimilarCase
from prunella.ports import Retriever
from prunella.taxonomy import CODES, UNCLASSIFIED

#: Share of each agreement in the similarity; they add up to 1.
_SAME_TYPE, _SAME_FUNCTION, _SAME_CODE, _TEXT = 0.35, 0.25, 0.1, 0.3
#: Below this a case tells nothing about the incident.
_LEAST = 0.35


def similar_cases(
    incident: Incident,
    cases: Sequence[Case],
    retriever: Retriever,
    *,
    limit: int = 5,
) -> tuple[SimilarCase, ...]:
    """Return the cases nearest to the incident, the nearest first.

    A similarity of 1 means the same exception in the same function with the same message.
    """
    location = incident.location
    query = f"{_class_name(incident.error_type)}: {incident.message}"
    texts = [f"{_class_name(case.error_type)}: {case.message}" for case in cases]
    near = dict(retriever.rank(query, texts, limit=len(texts))) if texts else {}
    function = "" if location is None else f"{location.module}:{location.qualname}"
    found = [
        _compare(incident, function, case, 1.0 if texts[index] == query else near.get(index, 0.0))
        for index, case in enumerate(cases)
    ]
    kept = [item for item in found if item.similarity >= _LEAST]
    kept.sort(key=lambda item: (-item.similarity, -item.case.learned_at.timestamp()))
    return tuple(kept[:limit])


def _compare(incident: Incident, function: str, case: Case, text: float) -> SimilarCase:
    reasons: list[str] = []
    similarity = _TEXT * min(max(text, 0.0), 1.0)
    if case.error_type == incident.error_type:
        similarity += _SAME_TYPE
        reasons.append(f"the same exception, {_class_name(case.error_type)}")
    if function and case.function == function:
        similarity += _SAME_FUNCTION
        reasons.append(f"in the same function, {function.partition(':')[2]}")
    is_same_type = case.error_type == incident.error_type
    if case.error_code == incident.error_code and (is_same_type or case.error_code != UNCLASSIFIED):
        similarity += _SAME_CODE
        if not is_same_type or case.error_code not in CODES:  # else the type says it
            reasons.append(f"the same error code, {case.error_code}")
    if text >= 0.5:
        reasons.append("a message alike")
    return SimilarCase(
        case=case,
        similarity=round(min(similarity, 1.0), 3),
        because=", ".join(reasons) or "words in common",
    )


def _class_name(error_type: str) -> str:
    return error_type.partition(":")[2] or error_type
