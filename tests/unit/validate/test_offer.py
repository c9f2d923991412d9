"""Which accepted patches are offered."""

from datetime import UTC, datetime

from prunella.model.ids import CandidateId, IncidentId
from prunella.model.repair import Accepted, Candidate, Patch, Rejected, ReplayCounts, Verdict
from prunella.validate.offer import LEAST_SCORE, offered


def _candidate(name: str) -> Candidate:
    patch = Patch(path="a.py", qualname="f", before=b"", after=b"", diff="")
    return Candidate(
        candidate_id=CandidateId(name), incident_id=IncidentId("inc_1"), origin="rule:x",
        description="", reason="", patch=patch, prior=0.5,
    )  # fmt: skip


def _verdict(name: str, score: float, kind: type[Accepted] | type[Rejected] = Accepted) -> Verdict:
    return kind(
        candidate_id=CandidateId(name), checks=(), replays=ReplayCounts(), summary="", score=score,
        judged_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def _offered(scores: dict[str, Verdict], limit: int = 3) -> list[str]:
    candidates = [_candidate(name) for name in scores]
    return [c.candidate_id for c, _ in offered(candidates, list(scores.values()), limit=limit)]


def test_the_best_come_first_and_the_weak_not_at_all() -> None:
    """Offered are accepted candidates above the threshold, by falling score."""
    verdicts = {
        "weak": _verdict("weak", LEAST_SCORE - 0.01),
        "good": _verdict("good", 0.7),
        "refused": _verdict("refused", 0.9, Rejected),
        "best": _verdict("best", 0.8),
    }
    assert _offered(verdicts) == ["best", "good"]
    assert _offered(verdicts, limit=1) == ["best"]


def test_nothing_is_offered_without_evidence() -> None:
    """No accepted candidate above the threshold means an abstention."""
    assert _offered({"weak": _verdict("weak", 0.1)}) == []
