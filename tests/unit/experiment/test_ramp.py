"""The rules: what may happen to a rollout, and what never does."""

import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunella.experiment import (
    STAGES,
    Advance,
    Continue,
    Counts,
    Graduate,
    Hold,
    Inconclusive,
    Limits,
    RollBack,
    Stratum,
    Withdraw,
    decide,
    evidence,
)
from prunella.model.errors import ConfigurationError

CANARY, RAMP_25, RAMP_50 = STAGES
ENDED = Graduate | RollBack | Withdraw | Inconclusive


def stratum(ratio, control, treatment):
    return Stratum(ratio, Counts(*control), Counts(*treatment))


def run(rates, *, seed, base_rate, triggered=False, batch=10, most=40_000, limits=None):
    """Drive one rollout with simulated units to its end; return the last decision."""
    random = Random(seed)
    stage, strata = CANARY, [Stratum(CANARY.ratio, Counts(), Counts())]
    options = {"limits": limits} if limits else {}
    decision = None
    for _ in range(most // batch):
        arms = [strata[-1].control, strata[-1].treatment]
        for _ in range(batch):
            arm = random.random() < stage.ratio
            arms[arm] += Counts(1, int(random.random() < rates[arm]))
        strata[-1] = Stratum(stage.ratio, *arms)
        decision = decide(stage, strata, base_rate=base_rate, triggered=triggered, **options)
        if isinstance(decision, Advance):
            stage = next(each for each in STAGES if each.name == decision.to)
            strata.append(Stratum(stage.ratio, Counts(), Counts()))
        elif isinstance(decision, ENDED):
            break
    return decision


@pytest.mark.parametrize("base_rate", [0.02, 0.2, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_a_fix_that_removes_every_failure_graduates(base_rate, seed):
    """No failure in treatment is needed to accept a fix."""
    assert isinstance(run((base_rate, 0.0), seed=seed, base_rate=base_rate), Graduate)


@pytest.mark.parametrize("seed", range(3))
def test_a_triggered_fix_that_removes_every_failure_graduates(seed):
    """Counted by trigger, where control always fails, it graduates as well, and sooner."""
    decision = run((1.0, 0.0), seed=seed, base_rate=1.0, triggered=True)
    assert isinstance(decision, Graduate)
    assert decision.findings.exposures < 60


@pytest.mark.parametrize("rates", [(0.05, 0.2), (0.01, 1.0), (0.3, 0.6)])
@pytest.mark.parametrize("seed", range(3))
def test_a_harmful_fix_is_withdrawn_or_rolled_back(rates, seed):
    """A fix that makes units fail never gets to the end, were the arms read the right way round."""
    assert isinstance(run(rates, seed=seed, base_rate=rates[0]), RollBack | Withdraw)


@pytest.mark.parametrize("stage", STAGES)
def test_no_data_never_ships(stage):
    """Without counts the answer is to hold, and in the end inconclusive; never to go on."""
    for strata in ([], [Stratum(stage.ratio, Counts(), Counts())]):
        decision = decide(stage, strata)
        assert isinstance(decision, Hold)
        assert decision.reason == "no unit has been counted yet in either arm"
        assert isinstance(decide(stage, strata, elapsed_s=1e9), Inconclusive)


def test_a_rollout_that_proves_nothing_ends_inconclusive():
    """At its longest duration a rollout without evidence ends, and doesn't ship."""
    strata = [stratum(0.05, (950, 10), (50, 1))]
    assert isinstance(decide(CANARY, strata, base_rate=0.01), Continue)
    decision = decide(CANARY, strata, base_rate=0.01, elapsed_s=14 * 86_400)
    assert isinstance(decision, Inconclusive)
    assert decision.reason.startswith("no decision in 336.0 hours: e-value of benefit")


@given(
    st.lists(
        st.builds(
            lambda ratio, n, f, m, g: stratum(ratio, (n, min(n, f)), (m, min(m, g))),
            st.sampled_from([0.05, 0.25, 0.5]),
            *[st.integers(0, 300)] * 4,
        ),
        max_size=3,
    ),
    st.sampled_from(STAGES),
    st.booleans(),
    st.sampled_from([0.0, 1e9]),
)
@settings(max_examples=200)
def test_what_ships_has_shown_a_benefit(strata, stage, triggered, elapsed_s):
    """Whatever the counts: graduation needs the last stage and an e-value of benefit of 20."""
    decision = decide(stage, strata, base_rate=0.1, triggered=triggered, elapsed_s=elapsed_s)
    if isinstance(decision, Graduate):
        assert stage is RAMP_50
        assert decision.findings.evidence.benefit >= 20
        assert decision.findings.evidence.harm < 20
    if isinstance(decision, Advance):
        needed = stage.minimum_triggered if triggered else stage.minimum
        assert decision.findings.stage_exposures >= needed
        assert decision.to == STAGES[STAGES.index(stage) + 1].name
    assert decision == decide(
        stage, strata, base_rate=0.1, triggered=triggered, elapsed_s=elapsed_s
    )


def test_each_stage_has_its_minimum_and_its_margin():
    """The canary asks for 30 units with the fix (10 triggered) and for RR >= 2 to be excluded."""
    few = [stratum(0.05, (500, 250), (29, 0))]
    enough = [stratum(0.05, (500, 250), (30, 0))]
    assert isinstance(decide(CANARY, few, base_rate=0.5), Continue)
    assert isinstance(decide(CANARY, few, base_rate=0.5, triggered=True), Advance)
    assert decide(CANARY, enough, base_rate=0.5).to == "ramp 25 %"
    # As many failures as before: no benefit, yet safely not twice as many.
    level = [stratum(0.05, (2000, 400), (105, 20))]
    safe = decide(CANARY, level, base_rate=0.2)
    assert isinstance(safe, Advance)
    assert re.fullmatch(
        r"the fix does not make 2 times as many units fail: e-value [\d.]+ of 10", safe.reason
    )
    # What the last stratum of another stage has seen doesn't count for this one.
    assert isinstance(decide(RAMP_25, enough, base_rate=0.5), Continue)


def test_arms_that_are_swapped_are_noticed():
    """The counts that graduate a fix roll it back when control and treatment are exchanged."""
    good = [stratum(0.5, (100, 60), (100, 10))]
    bad = [Stratum(0.5, good[0].treatment, good[0].control)]
    assert isinstance(decide(RAMP_50, good, base_rate=0.3), Graduate)
    decision = decide(RAMP_50, bad, base_rate=0.3)
    assert isinstance(decision, RollBack)
    assert decision.guardrail == "errors"
    assert decision.reason.startswith("more units fail with the fix: e-value")


def test_units_that_got_lost_in_one_arm_hold_the_rollout():
    """A sample-ratio mismatch stops any advance, however good the fix looks."""
    decision = decide(RAMP_50, [stratum(0.5, (300, 150), (100, 5))], base_rate=0.5)
    assert isinstance(decision, Hold)
    assert "100 with the fix, 300 without" in decision.reason


def test_harm_is_acted_on_even_where_units_got_lost():
    """Rolling back needs no trust in the allocation."""
    assert isinstance(
        decide(RAMP_50, [stratum(0.5, (300, 5), (100, 90))], base_rate=0.05), RollBack
    )


def test_a_fix_that_changes_nothing_is_withdrawn_as_futile():
    """Level failure rates are evidence that the fix isn't worth its risk."""
    decision = decide(RAMP_50, [stratum(0.5, (2000, 1000), (2000, 1000))], base_rate=0.5)
    assert isinstance(decision, Withdraw)


def test_slower_and_dearer_fixes_are_rolled_back():
    """Latency and cost have guardrails of their own; within the limits they do nothing."""
    base = Counts(400, 20, 400, (200, 40, 4), (20, 2, 0), 400, 400.0, 420.0)
    slow = replace(base, very_slow=(200, 40, 4), slow=(400, 200, 40))
    slower = replace(slow, very_slow=(390, 180, 30))
    dear = replace(base, cost_sum=1200.0, cost_squares=3700.0)
    for treatment, expected in ((base, None), (slow, None), (slower, "latency"), (dear, "cost")):
        decision = decide(RAMP_50, [Stratum(0.5, base, treatment)], base_rate=0.05)
        assert getattr(decision, "guardrail", None) == expected


def test_a_share_of_alpha_asks_for_more():
    """Where several fixes compete, each has to show more: 1 / (alpha * its weight)."""
    strata = [stratum(0.5, (18, 14), (18, 4))]
    alone = decide(RAMP_50, strata, base_rate=0.7)
    assert isinstance(alone, Graduate)
    assert isinstance(decide(RAMP_50, strata, base_rate=0.7, weight=0.01), Continue)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 0.0),
        ("alpha_cost", 1.0),
        ("max_latency_ratio", 0.5),
        ("max_duration_s", -1.0),
        ("max_error_increase", float("nan")),
    ],
)
def test_limits_that_make_no_sense_are_refused(name, value):
    """A limit out of its range is an error that names it and its value."""
    with pytest.raises(ConfigurationError, match=f"{name} = {value!r}"):
        Limits(**{name: value})


def test_no_harm_is_found_where_no_unit_with_the_fix_failed():
    """Chance may deal all first units to control; their successes are no harm of the fix."""
    strata = [Stratum(0.05, Counts(400, 0), Counts(0, 0))]
    assert evidence(strata, 0.05).harm > 20
    assert not isinstance(decide(CANARY, strata, base_rate=0.05), RollBack)
    failed = [Stratum(0.05, Counts(400, 0), Counts(1, 1))]
    assert isinstance(decide(CANARY, failed, base_rate=0.05), RollBack)
