"""The benchmark of rollouts measures the real rules."""

import sys
from math import isclose
from pathlib import Path

import numpy as np
import pytest

from prunella.experiment import STAGES, Counts, Stratum, evidence
from prunella.experiment.guardrails import guardrails

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def fleet(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import rollout_fleet

    yield rollout_fleet
    sys.modules.pop("rollout_fleet")


def test_the_capitals_in_arrays_are_the_real_ones(fleet):
    """What the fleet carries on for many rollouts is what `evidence` says of each one's counts."""
    random = np.random.default_rng(5)
    capitals, batches = fleet.Capitals(4, 0.2), 6
    counts = np.zeros((4, len(STAGES), 4), dtype=int)
    who = np.arange(4)
    for index, stage in enumerate(STAGES):
        for _ in range(batches):
            treated = random.binomial(50, stage.ratio, 4)
            failed_t, failed_c = random.binomial(treated, 0.3), random.binomial(50 - treated, 0.2)
            counts[:, index] += np.stack([50 - treated, failed_c, treated, failed_t], axis=1)
            capitals.add(who, stage.ratio, treated, failed_t, failed_c, 50)
    values = capitals.values(who)
    for run in who:
        strata = [
            Stratum(stage.ratio, Counts(*map(int, row[:2])), Counts(*map(int, row[2:])))
            for stage, row in zip(STAGES, counts[run], strict=True)
        ]
        real = evidence(strata, 0.2)
        limits = guardrails(strata, max_error_increase=0.1, max_cost_ratio=2.0)
        for name in ("benefit", "harm", "futility", "below_2", "below_1_5"):
            assert isclose(values[name][run], getattr(real, f"log_{name}"), rel_tol=1e-9)
        assert isclose(np.exp(values["errors"][run]), limits.errors, rel_tol=1e-9)


def test_a_rollout_through_the_fleet_ends_as_it_must(fleet):
    """A fix that removes every failure graduates, one that always fails doesn't; all are counted."""
    good = fleet.ramp(0.3, 0.0, runs=5, most=5_000, batch=50, seed=1)
    bad = fleet.ramp(0.3, 1.0, runs=5, most=5_000, batch=50, seed=1)
    assert dict(good.ends) == {"Graduate": 5}
    assert bad.share("RollBack", "Withdraw") == 1
    assert (good + bad).runs == sum((good + bad).ends.values()) == 10
