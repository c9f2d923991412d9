import math
from dataclasses import replace

import pytest

from prunella.fixes import parse
from prunella.model.hypotheses import FixHypothesis, Gate, TrialOutcome
from prunella.model.records import SiteKind
from prunella.validate import Target, again_ratio, confidence, fit_durations, gate, try_fix
from recorded import a_call, a_site, an_exception, an_occurrence

SITE = a_site(
    site_id="weather:fetch",
    qualname="fetch",
    kind=SiteKind.TOOL,
    parameters=("city", "days"),
    idempotent=True,
)
TIMEOUT = an_exception(
    type="builtins:TimeoutError",
    mro=("builtins:TimeoutError", "builtins:OSError", "builtins:Exception"),
)
WRONG = an_exception(type="builtins:ValueError", mro=("builtins:ValueError",))


def inputs(days=1, city="Rome"):
    return ["d", "city", city, "days", days]


def failing(number=4, exception=TIMEOUT, **changes):
    return [
        an_occurrence(n, exception=exception, **({"inputs": inputs()} | changes))
        for n in range(1, number + 1)
    ]


def passing(number=4, **changes):
    return [
        a_call(n, **({"inputs": inputs(), "result": ["l", n]} | changes))
        for n in range(1, number + 1)
    ]


def fix(fix_type="retry", **config):
    target = {"sites": ["weather:fetch"]}
    return parse({"fix_id": "fix-1", "fix_type": fix_type, "target": target, "config": config})


def target(*recovers, **changes):
    return Target(**({"recovers_after_s": recovers or (None,) * 9} | changes))


def test_a_retry_catches_what_recovers_while_it_waits():
    """An attempt succeeds once the recorded recovery time has passed, and not before."""
    retry = fix(max_retries=2, initial_delay_ms=1_000, jitter=False)
    trial = try_fix(retry, SITE, failing(3), passing(), target(0.5, 2.5, 60.0))
    assert (trial.failing, trial.caught, trial.unknown, trial.broken) == (3, 2, 0, 0)
    assert trial.added_calls == 1 + 2 + 2
    assert trial.added_s == pytest.approx((1 + 3 + 3) / 3)
    assert trial.outcome is TrialOutcome.ACCEPTED
    assert trial.basis == "recorded recovery times"


def test_the_same_arguments_fail_in_the_same_way():
    """Repeating a call doesn't heal what isn't transient."""
    retry = fix(retry_on=["ValueError"], jitter=False)
    others = passing(inputs=inputs(days=2))
    trial = try_fix(retry, SITE, failing(exception=WRONG), others, target(success_ratio=1.0))
    assert trial.outcome is TrialOutcome.REJECTED
    assert trial.caught == 0


def test_what_both_failed_and_succeeded_is_flaky():
    """The same inputs did both, so that the recorded rate decides, and nothing where there is none."""
    retry = fix(retry_on=["ValueError"], jitter=False, max_retries=1)
    wrong = failing(200, exception=WRONG)
    known = target(*[None] * 200, success_ratio=0.5)
    trial = try_fix(retry, SITE, wrong, passing(), known)
    assert 60 < trial.caught < 140
    assert "50%" in trial.basis
    assert try_fix(retry, SITE, wrong, passing(), target(*[None] * 200)).unknown == 200
    patched = passing(source_hash="another")
    assert try_fix(retry, SITE, wrong, patched, known).caught == 0


def test_where_only_a_rate_is_known_the_target_is_simulated():
    """Attempts succeed with the recorded rate; the same seed gives the same trial."""
    retry = fix(max_retries=1, initial_delay_ms=0)
    known = target(*[None] * 200, success_ratio=0.5)
    trial = try_fix(retry, SITE, failing(200), (), known)
    assert 60 < trial.caught < 140
    assert "simulated" in trial.basis
    assert try_fix(retry, SITE, failing(200), (), known) == trial


def test_what_was_never_recorded_is_not_guessed():
    """A fix that makes a call which nobody made before is undecided, not accepted."""
    clamp = fix(
        "guard", stage="input", parameter="days", check={"range": {"max": 3}}, on_fail="clamp"
    )
    trial = try_fix(clamp, SITE, failing(inputs=inputs(days=9)), passing(), target())
    assert (trial.outcome, trial.unknown) == (TrialOutcome.INCONCLUSIVE, 4)
    trial = try_fix(fix(initial_delay_ms=0), SITE, failing(), passing(), target())
    assert (trial.outcome, trial.unknown) == (TrialOutcome.INCONCLUSIVE, 4)


def test_arguments_like_those_of_passing_calls_tell_what_a_clamp_does():
    """Each argument was in a passing call or lies between two: a catch, but no start by itself."""
    clamp = fix(
        "guard", stage="input", parameter="days", check={"range": {"max": 3}}, on_fail="clamp"
    )
    alike = [*passing(3, inputs=inputs(days=3)), *passing(3, inputs=inputs(days=1))]
    trial = try_fix(clamp, SITE, failing(20, inputs=inputs(days=9)), alike, target())
    assert (trial.caught, trial.broken, trial.indirect) == (20, 0, True)
    assert "alike" in trial.basis
    assert 0.6 < confidence(hypothesis(0.9), trial) < 0.8
    elsewhere = failing(inputs=inputs(days=9, city="Oslo"))
    assert try_fix(clamp, SITE, elsewhere, alike, target()).unknown == 4


SLOW = replace(SITE, parameters=("city", "timeout_s"))


def slow(days=0.06):
    return ["d", "city", "Rome", "timeout_s", days]


def test_a_longer_limit_leaves_calls_that_ended_within_the_shorter_one():
    """Only what the limit cut off changes, and by as much as the durations make likely."""
    longer = fix("parameter", set={"timeout_s": 0.12})
    cut = failing(40, inputs=slow(), duration_us=60_500)
    ended = [
        a_call(n, inputs=slow(), duration_us=us)
        for n in range(20)
        for us in (5_000, 12_000, 24_000)
    ]
    durations = fit_durations(ended, cut, "timeout_s", 0.4)
    trial = try_fix(longer, SLOW, cut, ended, target(*[None] * 40, durations=durations))
    assert (trial.passing, trial.broken, trial.indirect) == (60, 0, True)
    assert 5 < trial.caught < 35
    assert "log-normal" in trial.basis
    early = failing(inputs=slow(), duration_us=2_000)
    assert try_fix(longer, SLOW, early, ended, target(durations=durations)).unknown == 4
    shorter = fix("parameter", set={"timeout_s": 0.01})
    assert try_fix(shorter, SLOW, cut, ended, target()).broken == 60


def test_cut_off_calls_make_durations_longer():
    """The fit is the plain one without censoring's weight, and longer with it."""
    ended = [a_call(n, duration_us=us) for n in range(50) for us in (10_000, 20_000, 40_000)]
    cut = failing(10, inputs=slow(0.05), duration_us=50_000)
    few = fit_durations(ended, cut, "timeout_s", 0.01)
    many = fit_durations(ended, cut, "timeout_s", 0.6)
    assert few.mean == pytest.approx(math.log(0.02), abs=0.05)
    assert many.mean > few.mean
    assert 0 < many.ends_within(0.1, beyond_s=0.05) < many.ends_within(1.0, beyond_s=0.05) < 1
    assert fit_durations(ended, failing(), "timeout_s", 0.5) is None


def test_the_rate_of_further_attempts_is_no_better_than_recorded():
    """The site's own counts decide; without them the recorded calls, which are only a sample."""
    calls, wrong = passing(10), failing(5)
    assert again_ratio(calls, wrong, calls=0, errors=0) == pytest.approx(10 / 15)
    assert again_ratio(calls, wrong, calls=100, errors=20) == pytest.approx(0.8)
    assert again_ratio(passing(inputs=inputs(days=7)), wrong, calls=9, errors=5) is None


def test_a_fix_that_changes_passing_calls_is_rejected():
    """What passed before has to get the arguments and give the result that it did."""
    clamp = fix(
        "guard", stage="input", parameter="days", check={"range": {"max": 3}}, on_fail="clamp"
    )
    trial = try_fix(clamp, SITE, failing(), passing(inputs=inputs(days=5)), target())
    assert (trial.outcome, trial.broken) == (TrialOutcome.REJECTED, 4)


def test_remembered_and_constant_answers_need_no_attempt():
    """A fallback that answers itself catches what it is for."""
    constant = fix("fallback", chain=[{"constant": None}])
    trial = try_fix(constant, SITE, failing(), passing(), target())
    assert (trial.caught, trial.added_calls, trial.outcome) == (4, 0, TrialOutcome.ACCEPTED)


def test_another_site_answers_as_often_as_it_did():
    """A sibling's recorded rate decides; one that nothing is known of decides nothing."""
    sibling = fix("fallback", chain=[{"site": "weather:other"}])
    sure = target(others={"weather:other": 1.0})
    assert try_fix(sibling, SITE, failing(), (), sure).caught == 4
    assert try_fix(sibling, SITE, failing(), (), target()).unknown == 4


def test_a_fix_that_does_not_fit_is_rejected():
    """A parameter that the function doesn't have can't be changed."""
    trial = try_fix(fix("parameter", set={"speed": 1}), SITE, failing(), passing(), target())
    assert trial.outcome is TrialOutcome.REJECTED
    assert "speed" in trial.summary


def test_classes_of_recorded_errors_keep_their_names():
    """A fix that names a class of errors, or a base of it, acts on the recorded ones."""
    for name in ("TimeoutError", "builtins.OSError", "TOOL.EXECUTION.*"):
        retry = fix(retry_on=[name], initial_delay_ms=0)
        assert try_fix(retry, SITE, failing(), (), target(0, 0, 0, 0)).caught == 4


def test_repeating_what_may_not_be_repeated_needs_a_person():
    """A retry of a site that isn't idempotent is tried, and can't act before somebody allows it."""
    site = replace(SITE, idempotent=False)
    trial = try_fix(fix(initial_delay_ms=0), site, failing(), passing(), target(0, 0, 0, 0))
    assert (trial.caught, trial.outcome) == (4, TrialOutcome.ACCEPTED)
    assert "idempotent" in trial.needs
    assert confidence(hypothesis(0.95), trial) < 0.6


# --- confidence and gates


def hypothesis(prior=0.75, **changes):
    values = {
        "incident_id": "inc_1",
        "title": "t",
        "reasoning": "r",
        "document": {},
        "prior": prior,
    }
    return FixHypothesis(**(values | changes))


def trial_of(recovers, number=4):
    retry = fix(max_retries=1, initial_delay_ms=1_000, jitter=False)
    return try_fix(retry, SITE, failing(number), passing(), target(*[recovers] * number))


def test_trials_move_the_confidence():
    """Caught calls raise it, missed ones lower it, and a rejected fix has none."""
    assert confidence(hypothesis(), trial_of(0.5)) > 0.75
    assert confidence(hypothesis(), trial_of(60.0)) == 0.0
    undecided = trial_of(None)
    assert undecided.outcome is TrialOutcome.INCONCLUSIVE
    assert confidence(hypothesis(0.9), undecided) < 0.6


def test_real_outcomes_outweigh_trials():
    """Tried calls count at a discount, and all together no more than a few real outcomes."""
    burnt = hypothesis(0.1, failed=40)
    assert confidence(burnt, trial_of(0.5, 100)) < 0.25


@pytest.mark.parametrize(
    ("sure", "may_start", "expected"),
    [
        (0.81, True, Gate.START),
        (0.81, False, Gate.APPROVAL),
        (0.80, True, Gate.APPROVAL),
        (0.60, True, Gate.APPROVAL),
        (0.59, True, Gate.SUGGEST),
        (0.0, True, Gate.SUGGEST),
    ],
)
def test_gates(sure, may_start, expected):
    """Nothing starts by itself unless the project has switched that on, and above 0.8 only."""
    assert gate(sure, may_start=may_start) is expected
