"""How units of a rollout are measured: frozen when the fix begins to act, for both arms alike."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from prunella.fixes import parse
from prunella.fixes.configs import Retry, Tool
from prunella.model.rollouts import Baseline

#: A unit is given so long at least, and at most, until it counts, in seconds.
LEAST_WAIT_S = 1.0
MOST_WAIT_S = 300.0
#: Where nothing is known of how long calls take, in seconds.
UNKNOWN_S = 10.0
#: Fewer durations say nothing of a p99.
LEAST_DURATIONS = 100
#: Calls may take so many times as long as the slowest known one.
_SLACK = 3.0
#: These act after a failure: calls that fail at once are no measure of how long calls should take.
_AFTER_FAILURE = frozenset({"retry", "fallback"})


def baseline_of(
    document: Mapping[str, Any], durations_s: Sequence[float], *, max_latency_ratio: float
) -> Baseline:
    """Return what the units of a fix are measured by, from how long passing calls of its sites took.

    Units get the time that the slowest known call took, with room, and what the fix may wait. The
    latency of fixes that act after a failure isn't measured. Raises `FixError`.
    """
    fix = parse(document)
    known = sorted(durations_s)
    call_s = _SLACK * known[-1] if known else UNKNOWN_S
    config = fix.config
    if isinstance(config, Retry):
        waits_s = (
            sum(
                min(config.initial_delay_ms * config.exponential_base**number, config.max_delay_ms)
                for number in range(config.max_retries)
            )
            / 1000
        )
        # No retry begins after its deadline, but one that has begun is waited for.
        wait_s = min(waits_s + config.max_retries * call_s, config.deadline_ms / 1000) + call_s
    elif isinstance(config, Tool) and config.timeout_ms is not None:
        wait_s = max(call_s, config.timeout_ms / 1000)
    else:
        wait_s = 2 * call_s
    measured = fix.fix_type not in _AFTER_FAILURE and len(known) >= LEAST_DURATIONS
    return Baseline(
        wait_s=round(min(max(wait_s, LEAST_WAIT_S), MOST_WAIT_S), 3),
        slow_s=tuple(_quantile(known, share) for share in (0.5, 0.9, 0.99)) if measured else (),
        max_latency_ratio=max_latency_ratio,
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered), ceil(share * len(ordered))) - 1]
