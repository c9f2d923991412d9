"""What rollouts teach: how often a type of fix healed an error code at sites of a kind."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from prunella.model.hypotheses import Experience
from prunella.model.records import SiteKind
from prunella.model.rollouts import Rollout, RolloutState


def experience(
    rollouts: Iterable[Rollout],
    codes: Mapping[str, str],
    kinds: Mapping[str, SiteKind],
    graduated: Collection[str] = (),
) -> tuple[Experience, ...]:
    """Count rollouts that came to a decision: graduated ones helped, rolled back ones didn't.

    `codes` is incident id to error code, `kinds` site id to kind, `graduated` the ids of rollouts that
    had graduated before they were retired: these helped. Rollouts of no known incident, and those that
    are undecided, teach nothing.
    """
    helped: Counter[tuple[str, str, str]] = Counter()
    failed: Counter[tuple[str, str, str]] = Counter()
    for item in rollouts:
        code = codes.get(item.incident_id or "")
        if code is None:
            continue
        key = (code, str(item.document["fix_type"]), _kind(item.document, kinds))
        if item.state is RolloutState.GRADUATED or (
            item.state is RolloutState.RETIRED and item.rollout_id in graduated
        ):
            helped[key] += 1
        elif item.state is RolloutState.ROLLED_BACK:
            failed[key] += 1
    return tuple(
        Experience(
            error_code=key[0],
            fix_type=key[1],
            site_kind=key[2],
            helped=helped[key],
            failed=failed[key],
        )
        for key in sorted({*helped, *failed})
    )


def _kind(document: Mapping[str, object], kinds: Mapping[str, SiteKind]) -> str:
    target = document.get("target")
    sites = target.get("sites") if isinstance(target, Mapping) else None
    first = sites[0] if isinstance(sites, (list, tuple)) and sites else ""
    return kinds.get(str(first), SiteKind.FUNCTION).value
