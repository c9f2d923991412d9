"""The interpreter as a whole: arms, shadow, precedence, faults, the breaker."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from interpreted import Place, Scene, fix
from prunella.fixes import Allocation, Arm, CountingMeter, Exposure, Installation, prompt_hash
from prunella.fixes.breaker import FATAL
from prunella.fixes.plan import TOLERATED

DOWN = ConnectionError("down")
FALLBACK = fix("fallback", chain=[{"constant": "old"}], cooldown_s=0)
SET = fix("parameter", set={"limit": 9})
ALL = [
    (fix("retry", initial_delay_ms=0), DOWN),
    (FALLBACK, DOWN),
    (fix("guard", stage="output", check={"length": {"min": 1}}), ""),
    (SET, "sun"),
    (fix("tool", coerce={"limit": "str"}), "sun"),
    (fix("routing", default={"site": "m:other"}), "sun"),
]


class Control(CountingMeter):
    """Gives no call its fix, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[tuple[Exposure, bool, float]] = []

    def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposure | None:
        exposure = super().triggered(installation, unit, now_s)
        assert exposure is not None
        return replace(exposure, arm=Arm.CONTROL)

    def ended(
        self, exposure: Exposure, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        super().ended(exposure, failed=failed, latency_s=latency_s, cost=cost)
        self.ends.append((exposure, failed, latency_s))


@pytest.mark.parametrize(("document", "answer"), ALL, ids=lambda each: str(each)[:40])
def test_the_control_arm_is_as_without_the_fix(document: Any, answer: Any) -> None:
    """The trigger is told, the end is told, and nothing else is different.

    A call has failed whose error no fix has healed, or whose result a guard objects to.
    """
    meter = Control()
    scene = Scene(document, meter=meter)
    scene.took_s = 0.5
    finished = scene.call([answer, "never asked"])
    assert scene.attempts == [{"city": "Bonn", "limit": 5}]
    assert finished.outcome == (Scene().call([answer]).outcome)
    assert (finished.fix_id, finished.altered, finished.masked) == (None, False, None)
    ((exposure, failed, latency_s),) = meter.ends
    assert (exposure.fix_id, exposure.unit, exposure.arm) == ("fix", "unit", Arm.CONTROL)
    assert failed == (answer in (DOWN, ""))
    assert latency_s == pytest.approx(0.5)


@pytest.mark.parametrize(("document", "answer"), ALL, ids=lambda each: str(each)[:40])
def test_shadow_tells_and_changes_nothing(document: Any, answer: Any) -> None:
    """What it would have done is counted; there is no exposure."""
    scene = Scene(document, shadow=True)
    finished = scene.call([answer, "never asked"])
    assert scene.attempts == [{"city": "Bonn", "limit": 5}]
    assert finished.outcome == (Scene().call([answer]).outcome)
    counts = scene.counts()
    assert (counts.shadow, counts.triggers, counts.acted) == (1, 0, 0)
    assert counts.latest["shadow"]


@pytest.mark.parametrize(("document", "answer"), ALL, ids=lambda each: str(each)[:40])
def test_no_trigger_no_exposure(document: Any, answer: Any) -> None:
    """A call on which the fix would do nothing isn't told of."""
    idle = {
        "parameter": fix("parameter", set={"limit": 5}),
        "tool": fix("tool", coerce={"limit": "int"}),
        "routing": fix("routing", default={"self": True}),
    }
    scene = Scene(idle.get(document["fix_type"], document))
    scene.call(["sun"])
    assert scene.counts() == CountingMeter().counts("fix")


def test_a_unit_counts_once_however_often_its_fix_acts() -> None:
    """A tool fix that changes arguments and cuts the result is one exposure."""
    scene = Scene(fix("tool", coerce={"limit": "str"}, result_limit={"max_chars": 1}))
    assert scene.call(["sun"]).outcome.value == "s"
    assert (scene.counts().triggers, scene.counts().acted) == (1, 2)


def test_the_most_specific_fix_of_a_type_acts() -> None:
    """Before confidence, and that before recency; the others don't act on the call."""
    site = {"sites": ["weather:fetch"]}
    fixes = [
        fix("parameter", "anywhere", set={"limit": 1}) | {"confidence": 1.0},
        fix("parameter", "old", target=site, set={"limit": 2})
        | {"confidence": 0.5, "created_at": "2026-01-01T00:00:00Z"},
        fix("parameter", "new", target=site, set={"limit": 3})
        | {"confidence": 0.5, "created_at": "2026-02-01T00:00:00Z"},
    ]
    scene = Scene(*fixes)
    scene.call(["sun"])
    assert scene.attempts[0]["limit"] == 3
    assert scene.counts("anywhere").triggers == scene.counts("old").triggers == 0
    sure = [*fixes[:2], fixes[2] | {"confidence": 0.4}]
    scene = Scene(*sure)
    scene.call(["sun"])
    assert scene.attempts[0]["limit"] == 2


def test_a_fix_in_shadow_does_not_stand_in_the_way() -> None:
    """The next one of its type acts."""
    shadow = fix("guard", "a", target={"sites": ["fetch"]}, stage="output", mode="shadow",
                 check={"range": {"max": 1}})  # fmt: skip
    other = fix("guard", "b", stage="output", check={"range": {"max": 2}}, on_fail="clamp")
    assert Scene(shadow, other).call([7]).outcome.value == 2


# --- faults


def test_a_faulty_fix_is_skipped_and_then_switched_off() -> None:
    """The call is as without it; the fault is counted; after a few it isn't even tried."""
    scene = Scene(fix("parameter", set={"nonsense": 1}), fix("parameter", "good", set={"limit": 9}))
    for _ in range(TOLERATED + 3):
        assert scene.call(["sun"]).outcome.value == "sun"
    assert {each["limit"] for each in scene.attempts} == {9}
    counts = scene.counts()
    assert (counts.fault, counts.disabled) == (TOLERATED, 1)
    assert "no parameter 'nonsense'" in counts.latest["disabled"]


def test_a_failing_meter_or_taxonomy_harms_no_call() -> None:
    """Whatever the interpreter depends on may fail."""

    def classify(error: BaseException, kind: str) -> Any:
        raise OSError("no taxonomy")

    class Broken(CountingMeter):
        def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposure | None:
            raise OSError("no meter")

    assert Scene(FALLBACK, classify=classify).call([DOWN]).outcome.error is DOWN
    for document, answer in ALL:
        finished = Scene(document, meter=Broken()).call([answer])
        assert finished.outcome == Scene().call([answer]).outcome


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(), GeneratorExit()]
)
def test_what_ends_a_call_from_outside_is_never_healed(error: BaseException) -> None:
    """Whatever the fixes say."""
    everything = ["BaseException", "Exception", "CancelledError", "*"]
    fixes = [
        fix("retry", "a", retry_on=everything),
        fix("fallback", "b", chain=[{"constant": 0}], on=everything),
        fix("tool", "c", error_map=dict.fromkeys(everything, 0)),
    ]
    scene = Scene(*fixes)
    assert scene.call([error]).outcome.error is error
    assert [scene.counts(each).triggers for each in "abc"] == [0, 0, 0]


# --- the breaker


def test_a_fix_that_makes_every_call_fail_goes() -> None:
    """After a few calls in a row; from then on calls are as before it."""
    scene = Scene(SET)

    def picky(city: str, limit: int) -> str:
        if limit == 9:
            raise ValueError("limit")
        return "sun"

    outcomes = [scene.call(picky).outcome.error is None for _ in range(FATAL + 3)]
    assert outcomes == [False] * FATAL + [True] * 3
    assert "every call" in scene.installed[0].disabled


def test_one_success_keeps_a_fix() -> None:
    """The breaker is for total failure; the rest is for the rollout to decide."""
    scene = Scene(SET)
    for _ in range(5):
        for _ in range(FATAL - 1):
            scene.call([ValueError()])
        scene.call(["sun"])
    assert scene.installed[0].disabled == ""


def test_an_outage_does_not_remove_a_retry() -> None:
    """A call that fails as it did before the fix isn't harmed by it; one that fails otherwise is."""
    scene = Scene(fix("retry", initial_delay_ms=0, max_retries=1, budget={"burst": 1_000}))
    for _ in range(3 * FATAL):
        scene.call([ConnectionError(), ConnectionError()])
    assert scene.installed[0].disabled == ""
    for _ in range(FATAL):
        scene.call([ConnectionError(), KeyError("the second call finds the first one's traces")])
    assert "every call" in scene.installed[0].disabled


def test_an_outage_in_both_arms_does_not_remove_a_fix() -> None:
    """While the control arm fails as well, the fix isn't to blame."""

    class Both(CountingMeter):
        calls = 0

        def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposure | None:
            self.calls += 1
            arm = Arm.CONTROL if self.calls % 2 else Arm.TREATMENT
            exposure = super().triggered(installation, unit, now_s)
            assert exposure is not None
            return replace(exposure, arm=arm)

    scene = Scene(SET, meter=Both())
    for _ in range(10 * FATAL):
        scene.call([ConnectionError()])
    assert scene.installed[0].disabled == ""


def test_a_cancelled_call_says_nothing_to_the_breaker() -> None:
    """Whoever calls calls off isn't a failure of the fix."""
    scene = Scene(SET)
    for _ in range(2 * FATAL):
        scene.call([asyncio.CancelledError()])
    assert scene.installed[0].disabled == ""


# --- single types


def test_an_allocation_is_stamped_on_its_exposures() -> None:
    """The default meter gives everybody the fix, and says in which epoch."""
    scene = Scene(SET)
    installation = replace(
        scene.installed[0].installation, allocation=Allocation(salt="s", ratio=0.5, epoch=3)
    )
    exposure = CountingMeter().triggered(installation, "unit", 1.0)
    assert (exposure.arm, exposure.epoch) == (Arm.TREATMENT, 3)


def test_a_route_to_nowhere_stays() -> None:
    """Where the destination isn't there, or comes back here, the function itself is called."""
    scene = Scene(fix("routing", default={"site": "m:gone"}))
    assert scene.call(["sun"]).outcome.value == "sun"
    assert Scene(fix("routing", default={"site": "fetch"})).call(["sun"]).fix_id is None


def test_routes_go_in_no_circles_and_not_too_far() -> None:
    """A call that is sent on from site to site comes back to none, and stops after `max_hops`."""
    scenes: dict[str, Scene] = {}
    for at in range(5):
        place = Place(site_id=f"m:s{at}", name=f"s{at}")
        document = fix("routing", default={"site": f"s{(at + 1) % 5}"}, max_hops=3)
        scenes[f"s{at}"] = Scene(document, place=place)
    others = {
        name: (lambda arguments, scene=scene: scene.call([scene.place.name], **arguments).outcome.value)
        for name, scene in scenes.items()
    }  # fmt: skip
    for scene in scenes.values():
        scene.others = others  # type: ignore[assignment]  # lambdas with a default
    assert scenes["s0"].call(["s0"]).outcome.value == "s3"


CHAT = Place(parameters=("messages", "user"), defaults={"user": "ada"}, kind="llm",
             roles={"messages": "messages"})  # fmt: skip


@pytest.mark.parametrize(
    ("op", "becomes"),
    [
        ("append", "You help.\n\nBe brief."),
        ("prepend", "Be brief.\n\nYou help."),
        ("replace", "Be brief."),
    ],
)
def test_prompts(op: str, becomes: str) -> None:
    """The system message is changed, wherever it stands, and not on any other base."""
    document = fix("prompt", op=op, text="Be brief.", base_hash=prompt_hash("You help."))
    scene = Scene(document, place=CHAT)
    messages = [{"role": "user", "content": "Hi"}, {"role": "system", "content": "You help."}]
    scene.call(["ok"], city=0, messages=messages)
    assert scene.attempts[0]["messages"] == [messages[0], {"role": "system", "content": becomes}]
    other = [{"role": "system", "content": "You help!"}]
    scene.call(["ok"], city=0, messages=other)
    assert scene.attempts[1]["messages"] is other


def test_a_prompt_without_a_system_message_gets_one() -> None:
    """Its base is the empty text."""
    document = fix("prompt", op="append", text="Be brief.", base_hash=prompt_hash(""))
    scene = Scene(document, place=CHAT)
    scene.call(["ok"], messages=[{"role": "user", "content": "Hi"}])
    assert scene.attempts[0]["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_prompt_grows_by_no_more_tokens_than_allowed() -> None:
    """A longer addition isn't made."""
    document = fix(
        "prompt", op="append", text="x" * 100, base_hash=prompt_hash(""), max_added_tokens=9
    )
    scene = Scene(document, place=CHAT)
    scene.call(["ok"], messages=[])
    assert scene.attempts[0]["messages"] == []


def test_a_sticky_key_is_the_unit() -> None:
    """Calls with one value of the parameter get one arm."""
    meter = Control()
    document = fix("prompt", op="append", text="x", base_hash=prompt_hash(""), sticky_key="user")
    Scene(document, place=CHAT, meter=meter).call(["ok"], messages=[])
    assert meter.ends[0][0].unit == "user=ada"


class Costs(CountingMeter):
    """Keeps what exposed calls have cost."""

    def __init__(self) -> None:
        super().__init__()
        self.costs: list[float | None] = []

    def ended(
        self, exposure: Exposure, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        self.costs.append(cost)


LOST = ConnectionError("lost")
SHORT = fix("guard", stage="output", check={"range": {"max": 5}}, on_fail="reask", max_reasks=2)


@pytest.mark.parametrize(
    ("document", "kind", "answers", "cost"),
    [
        (fix("retry", initial_delay_ms=0), "llm", [DOWN, DOWN, 3], 3),
        (fix("retry", initial_delay_ms=0), "llm", [LOST] * 4, None),
        (fix("retry", initial_delay_ms=0), "tool", [DOWN, 3], None),
        (SHORT, "llm", [7, 8, 3], 18),
        (fix("fallback", chain=[{"model": "small"}]), "llm", [DOWN, 2], 2),
        (fix("parameter", set={"limit": 9}), "agent", [4], 4),
    ],
)
def test_all_answers_of_a_call_are_paid_for(
    document: Any, kind: str, answers: list[Any], cost: float | None
) -> None:
    """The cost of an exposed call is that of all its answers, and unknown where none says it."""
    meter = Costs()
    place = replace(Place(), kind=kind, roles={"model": "limit"})
    Scene(document, place=place, meter=meter, cost_of=lambda answer: answer).call(answers)
    assert meter.costs == [cost]
