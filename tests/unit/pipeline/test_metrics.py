"""Each metric is its formula, and None where nothing is known."""

from datetime import timedelta

import pytest

from builders import AT, incident
from prunella.experiment import Counts, Stratum
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import ExchangeId, FixId, IncidentId, RolloutId
from prunella.model.rollouts import Rollout, RolloutState
from prunella.pipeline.metrics import (
    cost_of,
    effects_of,
    median_s,
    reduction,
    time_to_mitigated_s,
)
from prunella.ports import RolloutCounts


def rollout(rollout_id="rol_1", fix_type="retry"):
    return Rollout(
        rollout_id=RolloutId(rollout_id),
        fix_id=FixId(f"fix-{rollout_id}"),
        version=1,
        document={"fix_type": fix_type},
        incident_id=None,
        state=RolloutState.GRADUATED,
        ratio=0.95,
        epoch=4,
        reason="",
        confidence=0.0,
        made_by="rules",
        made_at=AT,
        changed_at=AT,
    )


def exchange(name, cost_dollars):
    return ModelExchange(
        exchange_id=ExchangeId(name),
        incident_id=IncidentId("inc_1"),
        model="m",
        purpose="patch",
        system="",
        prompt="",
        answer="",
        error=None,
        input_tokens=1,
        output_tokens=1,
        latency_s=1.0,
        cost_dollars=cost_dollars,
        asked_at=AT,
    )


def test_the_time_to_mitigated_is_the_median_from_the_first_failure():
    """Incidents that nothing mitigated don't count; clocks that differ give no time below 0."""
    names = [IncidentId(f"inc_{number}") for number in range(4)]
    seen = [incident(incident_id=name) for name in names]
    at = {name: AT + timedelta(seconds=s) for name, s in zip(names, (-5, 10, 100), strict=False)}
    assert time_to_mitigated_s(seen, at) == 10
    assert time_to_mitigated_s(seen[:1], at) == 0
    assert time_to_mitigated_s(seen[3:], at) is None


def test_a_median_of_spans_is_never_below_0():
    """Clocks of two machines may differ; without a span nothing is known."""
    spans = [(AT, AT + timedelta(seconds=each)) for each in (-90, 60, 80)]
    assert median_s(spans) == 60
    assert median_s(spans[:1]) == 0
    assert median_s([]) is None


def test_errors_are_reduced_against_the_holdback_alone():
    """1 minus the risk ratio of the graduated epochs, inside its confidence sequence."""
    ramp = Stratum(0.5, Counts(n=100, failures=0), Counts(n=100, failures=100))
    held = Stratum(0.95, Counts(n=100, failures=80), Counts(n=1900, failures=152))
    found = reduction(rollout(), [ramp, held])
    assert (found.with_fix, found.without_fix) == (1900, 100)
    assert found.estimate == pytest.approx(0.9)
    assert 0.8 < found.low < found.estimate < found.high < 0.95


def test_epochs_of_a_holdback_are_not_pooled():
    """Two epochs of the same reduction at other rates say that reduction."""
    calm = Stratum(0.95, Counts(n=100, failures=10), Counts(n=1900, failures=95))
    bad = Stratum(0.95, Counts(n=50, failures=40), Counts(n=3800, failures=1520))
    assert reduction(rollout(), [calm, bad]).estimate == pytest.approx(0.5)


@pytest.mark.parametrize(
    "strata",
    [[], [Stratum(0.95, Counts(n=10), Counts(n=190))]],
)
def test_without_failures_no_reduction_is_known(strata):
    """It isn't 0."""
    found = reduction(rollout(), strata)
    assert (found.estimate, found.low, found.high) == (None, None, None)


def test_a_holdback_without_failures_leaves_the_low_side_to_the_counts():
    """Failures with the fix alone say that it isn't known to help."""
    found = reduction(rollout(), [Stratum(0.95, Counts(n=5), Counts(n=95, failures=1))])
    assert found.estimate is None
    assert found.low is None
    assert 0.9 < found.high <= 1


def test_effects_add_up_over_rollouts_and_processes():
    """Only what retry fixes did are retries."""

    def counts(*effects):
        told = {f"proc_{number}": each for number, each in enumerate(effects)}
        return RolloutCounts(readings={}, effects=told, fired_at=None)

    rollouts = [rollout("rol_1"), rollout("rol_2", "fallback"), rollout("rol_3")]
    found = effects_of(
        rollouts,
        {
            "rol_1": counts({"acted": 3, "healed": 2, "added_ms": 900}, {"acted": 1}),
            "rol_2": counts({"acted": 4, "healed": 4, "added_ms": 100}),
        },
    )
    assert (found.errors_masked, found.acted, found.retries) == (6, 8, 4)
    assert (found.added_s, found.added_s_each) == (1.0, 0.125)
    assert effects_of(rollouts, {"rol_1": counts()}) is None


def test_the_cost_is_what_is_known_of_it():
    """Nothing asked costs nothing; asked without any known price is unknown."""
    assert cost_of([]).dollars == 0
    assert cost_of([exchange("a", None)]).dollars is None
    found = cost_of([exchange("a", 0.5), exchange("b", None), exchange("c", 0.25)])
    assert (found.dollars, found.exchanges, found.unpriced) == (0.75, 3, 1)
