import pytest

import builders as b
from prunella.fixes import parse
from prunella.model.hypotheses import Experience
from prunella.model.records import SiteKind
from prunella.propose import propose_fixes, with_models_fixes
from prunella.propose.fix_fitting import Observed
from prunella.propose.fix_priors import STRENGTH, estimate, posterior, types_for
from prunella.taxonomy import CODES
from recorded import a_call, a_site, an_exception, an_occurrence

WEATHER = a_site(
    site_id="weather:fetch",
    module="weather",
    qualname="fetch",
    kind=SiteKind.TOOL,
    parameters=("city", "timeout"),
)
TIMEOUT = an_exception(type="builtins:TimeoutError", mro=("builtins:TimeoutError",))


def inputs(city="Rome", timeout=1.0):
    return ["d", "city", city, "timeout", timeout]


def failing(number=6, **changes):
    return tuple(
        an_occurrence(
            10 * n, site_id="weather:fetch", exception=TIMEOUT, duration_us=1_000_000,
            **({"inputs": inputs()} | changes),
        )
        for n in range(1, number + 1)
    )  # fmt: skip


def passing(number=6, after_s=3, duration_us=900_000, **changes):
    return tuple(
        a_call(
            10 * n + after_s, site_id="weather:fetch", duration_us=duration_us,
            **({"inputs": inputs(city=f"C{n}"), "result": n} | changes),
        )
        for n in range(1, number + 1)
    )  # fmt: skip


def incident(code="TOOL.EXECUTION.TIMEOUT", **changes):
    return b.incident(error_code=code, site_id="weather:fetch", **changes)


def observed(**changes):
    return Observed(**({"site": WEATHER, "failing": failing(), "passing": passing()} | changes))


def by_type(found):
    return {item.fix_type: item for item in found}


def test_a_timeout_of_a_tool_is_retried_given_more_time_or_replaced():
    """The templates of a timeout come in their order, each a valid document with its reasons."""
    sibling = a_site(
        site_id="weather:other", module="weather", qualname="other", kind=SiteKind.TOOL,
        parameters=WEATHER.parameters,
    )  # fmt: skip
    found = propose_fixes(incident(), observed(others=(sibling,)))
    assert [(item.fix_type, item.prior) for item in found] == [
        ("retry", 0.75),
        ("parameter", 0.60),
        ("fallback", 0.55),
    ]
    for item in found:
        assert parse(item.document).target.sites == ("weather:fetch",)
        assert item.reasoning
    assert by_type(found)["fallback"].document["config"]["chain"] == [{"site": "weather:other"}]


def test_waits_are_as_long_as_recoveries():
    """The retries of one call wait as long as nine of ten recorded recoveries took."""
    config = parse(by_type(propose_fixes(incident(), observed()))["retry"].document).config
    waits = [
        config.initial_delay_ms * config.exponential_base**n for n in range(config.max_retries)
    ]
    assert config.initial_delay_ms == 1_000  # half of two seconds
    assert sum(waits) >= 2_000
    assert config.deadline_ms >= sum(waits)


def test_without_recoveries_the_usual_waits_hold():
    """Where nothing succeeded after failures, a retry has its defaults and says so."""
    item = by_type(propose_fixes(incident(), observed(passing=())))["retry"]
    assert "too few" in item.reasoning
    assert parse(item.document).config.initial_delay_ms == 1_000


@pytest.mark.parametrize(
    ("duration_us", "longer"),
    [(900_000, 2.0), (1_500_000, 2.25), (10_000, None)],
)
def test_a_limit_is_raised_where_successes_come_near_it(duration_us, longer):
    """A timeout is raised to what successes need; one that they are far below isn't the trouble."""
    found = by_type(propose_fixes(incident(), observed(passing=passing(duration_us=duration_us))))
    value = (
        found["parameter"].document["config"]["set"]["timeout"] if "parameter" in found else None
    )
    assert value == longer


def test_guards_keep_arguments_where_calls_passed():
    """A number that was outside what passing calls had, in every failing call, is brought within."""
    found = propose_fixes(
        incident("CODE.VALUE.INVALID"),
        observed(
            failing=failing(inputs=inputs(timeout=-5)),
            passing=tuple(
                passing(1, inputs=inputs(timeout=n))[0] for n in (1, 2, 3, 4, 9)
            ),
        ),
    )  # fmt: skip
    config = by_type(found)["guard"].document["config"]
    assert (config["parameter"], config["check"]["range"]) == ("timeout", {"min": 1, "max": 9})


def test_an_argument_that_passed_as_well_is_no_reason():
    """One failing call with an ordinary argument, and no guard is proposed."""
    found = propose_fixes(incident("CODE.VALUE.INVALID"), observed())
    assert found == ()


def test_remembered_results_need_repeated_calls():
    """The last good value is proposed where calls come again with the same arguments."""
    repeated = observed(passing=passing(inputs=inputs()))
    assert "last_good" in str(by_type(propose_fixes(incident(), repeated))["fallback"].document)
    assert "fallback" not in by_type(propose_fixes(incident(), observed()))


@pytest.mark.parametrize("code", ["SYS.CALL.CANCELLED", "CODE.SYNTAX.INVALID", "SHOP.OWN", ""])
def test_what_no_fix_heals_gets_none(code):
    """Nothing is proposed for what was called off, for what needs a patch, and for unknown codes."""
    assert propose_fixes(incident(code), observed()) == ()


def test_every_code_has_its_chances():
    """What may heal a code has a chance strictly between never and always."""
    for code, row in CODES.items():
        assert set(types_for(code)) == set(row.healable_by)
        assert all(0 < estimate(code, name) < 1 for name in row.healable_by)


def test_outcomes_move_the_chance():
    """Rollouts of the same code, type and kind count, each as much as the template's strength says."""
    mine = Experience(
        error_code="TOOL.EXECUTION.TIMEOUT", fix_type="retry", site_kind="tool", helped=0, failed=4
    )
    other = Experience(
        error_code="TOOL.EXECUTION.TIMEOUT", fix_type="retry", site_kind="llm", helped=9, failed=0
    )
    expected = STRENGTH * 0.75 / (STRENGTH + 4)
    assert posterior("TOOL.EXECUTION.TIMEOUT", "retry", "tool", (mine, other)) == (expected, 0, 4)
    item = by_type(propose_fixes(incident(), observed(), (mine, other)))["retry"]
    assert (item.prior, item.helped, item.failed) == (expected, 0, 4)
    assert "Of 4 such fixes before, 0 helped" in item.reasoning


def test_a_model_adds_and_reorders_within_the_schema():
    """A model's valid fixes are taken in, aimed at the incident; its word starts nothing by itself."""
    own = propose_fixes(incident(), observed())
    guard = {
        "fix_type": "guard",
        "target": {"sites": ["everything:*"]},
        "config": {"stage": "input", "parameter": "city", "check": {"length": {"min": 1}}},
    }
    answer = [
        {"document": guard, "prior": 1.0, "reasoning": "empty names"},
        {"document": own[1].document["fix_id"], "prior": 1.0, "reasoning": "surely"},
    ]
    ranked, refused = with_models_fixes(own, answer, incident(), made_by="model:x:y")
    assert refused == ()
    added = by_type(ranked)["guard"]
    assert added.prior < 0.8
    assert parse(added.document).target.sites == ("weather:fetch",)
    assert by_type(ranked)["parameter"].prior > own[1].prior


@pytest.mark.parametrize(
    "part",
    [
        {"document": {"fix_type": "exec", "config": {}}, "prior": 0.5},
        {"document": {"fix_type": "retry", "config": {"max_retries": 99}}, "prior": 0.5},
        {
            "document": {"fix_type": "retry", "config": {"approved_non_idempotent": True}},
            "prior": 0.5,
        },
        {"document": {"fix_type": "retry", "config": {}}, "prior": 2},
        {"document": {"fix_type": "retry", "config": {}}, "prior": True},
        {"document": "fix-of-nobody", "prior": 0.5},
        {"document": None, "prior": 0.5},
        {},
        "retry",
    ],
)
def test_what_a_model_may_not_say_is_refused(part):
    """An answer is data: what isn't valid, or is for people to say, is left out with its reason."""
    own = propose_fixes(incident(), observed())
    ranked, refused = with_models_fixes(own, [part], incident(), made_by="model:x:y")
    assert ranked == own
    assert len(refused) == 1
