"""How long units are waited for, and what is slow."""

import pytest

from prunella.rollout.times import LEAST_WAIT_S, MOST_WAIT_S, UNKNOWN_S, baseline_of


def fix(fix_type: str, **config: object) -> dict[str, object]:
    return {"fix_id": "fix-1", "fix_type": fix_type, "config": config}


RETRY = fix("retry", max_retries=2, initial_delay_ms=1000, exponential_base=2.0)


def test_a_retry_is_given_its_waits_and_its_calls() -> None:
    """1 + 2 seconds of waiting and three calls, each with room."""
    assert baseline_of(RETRY, [1.0], max_latency_ratio=2.0).wait_s == pytest.approx(3 + 3 * 3)


def test_no_retry_is_waited_for_beyond_its_deadline() -> None:
    """But one that has begun is."""
    document = fix("retry", max_retries=20, initial_delay_ms=1000, deadline_ms=5000)
    assert baseline_of(document, [1.0], max_latency_ratio=2.0).wait_s == pytest.approx(5 + 3)


@pytest.mark.parametrize(
    ("durations_s", "expected"),
    [([], 2 * UNKNOWN_S), ([1e-6], LEAST_WAIT_S), ([1e6], MOST_WAIT_S)],
)
def test_waiting_is_bounded(durations_s: list[float], expected: float) -> None:
    """Without any known call too."""
    document = fix("parameter", set={"text": "a"})
    assert baseline_of(document, durations_s, max_latency_ratio=2.0).wait_s == expected


def test_latency_is_measured_where_calls_tell_what_is_slow() -> None:
    """By p50, p90 and p99 of a hundred calls or more; never for what acts after a failure."""
    durations_s = [number / 100 for number in range(1, 101)]
    found = baseline_of(fix("parameter", set={"text": "a"}), durations_s, max_latency_ratio=3.0)
    assert found.slow_s == (0.5, 0.9, 0.99)
    assert found.max_latency_ratio == 3.0
    assert baseline_of(RETRY, durations_s, max_latency_ratio=2.0).slow_s == ()
    assert baseline_of(fix("parameter", set={"a": 1}), [1.0], max_latency_ratio=2.0).slow_s == ()
