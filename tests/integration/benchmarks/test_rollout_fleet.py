"""The benchmark of rollouts measures the real rules."""

import importlib
import sys
from math import isclose
from pathlib import Path

import numpy as np
import pytest

from prunella.experiment import STAGES, Counts, Stratum, evidence
from prunella.experiment.guardrails import guardrails

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


MODULES = ("rollout_fleet", "rollout_worlds", "rollout_path")


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield [importlib.import_module(name) for name in MODULES]
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def fleet(benchmarks):
    return benchmarks[0]


def test_the_e_values_in_arrays_are_the_real_ones(fleet):
    """What the fleet makes of many rollouts is what `evidence` says of each one's counts."""
    random = np.random.default_rng(5)
    counts = np.zeros((4, len(STAGES), 4), dtype=int)
    for index, stage in enumerate(STAGES):
        treated = random.binomial(300, stage.ratio, 4)
        failed_t, failed_c = random.binomial(treated, 0.3), random.binomial(300 - treated, 0.2)
        counts[:, index] = np.stack([300 - treated, failed_c, treated, failed_t], axis=1)
    for base_rate in (0.2, None):
        values = fleet.Weighing(base_rate).values(counts)
        for run in range(4):
            strata = [
                Stratum(stage.ratio, Counts(*map(int, row[:2])), Counts(*map(int, row[2:])))
                for stage, row in zip(STAGES, counts[run], strict=True)
            ]
            real = evidence(strata, base_rate)
            limits = guardrails(strata, max_error_increase=0.1, max_cost_ratio=2.0)
            for name in ("benefit", "harm", "futility", "below_2", "below_1_5"):
                assert isclose(values[name][run], getattr(real, f"log_{name}"), rel_tol=1e-9)
            assert isclose(np.exp(values["errors"][run]), limits.errors, rel_tol=1e-9)


@pytest.mark.parametrize("what", ["late", "bad_network", "sticky"])
def test_the_real_parts_go_the_way_of_the_arrays(benchmarks, what):
    """Counts in the store and steps taken are the same at each look, or `Differs` is raised."""
    _, worlds, path = benchmarks
    worlds.MOST_LOOKS = path.MOST_LOOKS = 110
    ends, looks, _ = path.run(worlds.World(name=what, rate=0.9, **{what: True}), runs=2, seed=1)
    assert ends.total() == 2
    assert looks > 50


def test_a_fault_in_counting_is_found(benchmarks, monkeypatch):
    """A unit that one of the programs doesn't count makes the comparison fail."""
    _, worlds, path = benchmarks
    kept = path.RolloutMeter.triggered
    calls = iter(range(10**9))

    def forgetful(meter, *arguments):
        exposure = kept(meter, *arguments)
        if next(calls) == 40:
            exposure.started_s = 1e9
        return exposure

    monkeypatch.setattr(path.RolloutMeter, "triggered", forgetful)
    with pytest.raises(path.Differs):
        path.run(worlds.World(name="plain"), runs=1, seed=1)


def test_swapped_arms_never_graduate(fleet):
    """A fix that removes every failure, counted the wrong way round, is taken back."""
    found = fleet.ramp(0.3, 0.0, runs=5, most=5_000, batch=50, seed=1, swapped=True)
    assert found.share("RollBack", "Withdraw") == 1


def test_a_rollout_through_the_fleet_ends_as_it_must(fleet):
    """A fix that removes every failure graduates, one that always fails doesn't; all are counted."""
    good = fleet.ramp(0.3, 0.0, runs=5, most=5_000, batch=50, seed=1)
    bad = fleet.ramp(0.3, 1.0, runs=5, most=5_000, batch=50, seed=1)
    assert dict(good.ends) == {"Graduate": 5}
    assert bad.share("RollBack", "Withdraw") == 1
    assert (good + bad).runs == sum((good + bad).ends.values()) == 10
