"""Which accepted patches are shown to people, and in which order."""

from collections.abc import Sequence

from prunella.model.repair import Accepted, Candidate, Verdict

#: Below this score the evidence carries no offer: the patch would rather be wrong than right, and it
#: is better to abstain. Priors calibrated on one dev question of the repair benchmark and used on
#: the other keep that promise: of what scored 0.5 or more, more than half was right on either.
LEAST_SCORE = 0.5


def offered(
    candidates: Sequence[Candidate],
    verdicts: Sequence[Verdict],
    *,
    limit: int,
    least_score: float = LEAST_SCORE,
) -> list[tuple[Candidate, Accepted]]:
    """Return the accepted candidates with a score of `least_score` or more, best first.

    `verdicts` are those of `candidates`, in their order. Equal scores keep the order of the
    candidates. At most `limit`; empty means that nothing is shown well enough to be offered.
    """
    pairs = [
        (candidate, verdict)
        for candidate, verdict in zip(candidates, verdicts, strict=True)
        if isinstance(verdict, Accepted) and verdict.score >= least_score
    ]
    return sorted(pairs, key=lambda pair: -pair[1].score)[:limit]
