"""Fallback: who answers instead, when a target counts as down, and that nothing goes in circles."""

from typing import Any

from interpreted import Place, Scene, fix
from prunella.fixes import misfit, parse
from prunella.fixes.budgets import Circuit

DOWN = ConnectionError("down")


def test_the_chain_is_tried_in_order() -> None:
    """Until one answers; the result is marked as degraded, and the failure as masked."""
    others = {"a": lambda _: TimeoutError("a too"), "b": lambda arguments: arguments["city"]}
    scene = Scene(
        fix("fallback", chain=[{"site": "a"}, {"site": "b"}, {"constant": 0}]), others=others
    )
    finished = scene.call([DOWN])
    assert finished.outcome.value == "Bonn"
    assert (finished.degraded, finished.altered) == (True, True)
    assert finished.masked == (DOWN, "fix")
    assert scene.invoked == ["a", "b"]


def test_if_nothing_answers_the_first_error_stays() -> None:
    """Neither the error of a link nor anything new hides what happened."""
    scene = Scene(fix("fallback", chain=[{"site": "a"}]), others={"a": lambda _: KeyError()})
    finished = scene.call([DOWN])
    assert finished.outcome.error is DOWN
    assert not finished.degraded
    assert finished.masked is None


def test_no_more_hops_than_allowed() -> None:
    """The rest of the chain isn't tried."""
    others = {name: lambda _: TimeoutError() for name in "abc"}
    chain = [{"site": "a"}, {"site": "b"}, {"site": "c"}]
    scene = Scene(fix("fallback", chain=chain, max_hops=2), others=others)
    scene.call([DOWN])
    assert scene.invoked == ["a", "b"]


def test_another_model_is_the_same_function() -> None:
    """The parameter of the role gets the other model's name."""
    place = Place(parameters=("prompt", "engine"), defaults={"engine": "big"}, kind="llm",
                  roles={"model": "engine", "prompt": "prompt"})  # fmt: skip
    scene = Scene(fix("fallback", chain=[{"model": "small"}]), place=place)
    scene.call([DOWN, "yes"])
    assert [each["engine"] for each in scene.attempts] == ["big", "small"]
    assert "model" in misfit(parse(fix("fallback", chain=[{"model": "small"}])), Place())


def test_the_last_good_result_is_of_the_same_arguments() -> None:
    """And young enough, and a copy that nobody can spoil."""
    scene = Scene(fix("fallback", chain=[{"last_good": {"max_age_s": 60}}]))
    answer = {"sky": ["sun"]}
    scene.call([answer], city="Bonn")
    assert scene.call([DOWN], city="Rome").outcome.error is DOWN
    found = scene.call([DOWN], city="Bonn").outcome.value
    assert found == {"sky": ["sun"]}
    found["sky"].append("spoilt")
    answer["sky"].append("spoilt")
    assert scene.call([DOWN], city="Bonn").outcome.value == {"sky": ["sun"]}
    scene.now_s += 61
    assert scene.call([DOWN], city="Bonn").outcome.error is DOWN


def test_what_cannot_be_compared_is_not_remembered() -> None:
    """Objects whose equality is the program's own code are no keys."""
    scene = Scene(fix("fallback", chain=[{"last_good": {}}]))
    scene.call(["sun"], city=object())
    assert scene.call([DOWN], city=object()).outcome.error is DOWN
    assert "can't be compared" in scene.counts().latest["skipped"]


def test_a_bug_is_not_hidden() -> None:
    """Without being named, only what the taxonomy says a fallback heals is healed."""
    chain = [{"constant": 0}]
    bug = KeyError("city")
    assert Scene(fix("fallback", chain=chain)).call([bug]).outcome.error is bug
    assert Scene(fix("fallback", chain=chain, on=["KeyError"])).call([bug]).outcome.value == 0
    target = {"error_codes": ["CODE.LOGIC.KEYERROR"]}
    assert Scene(fix("fallback", chain=chain, target=target)).call([bug]).outcome.value == 0


def test_a_target_that_is_down_is_left_alone_and_probed() -> None:
    """After failures in a row nobody calls it; after the cooldown one call does, and then all."""
    scene = Scene(fix("fallback", chain=[{"constant": "old"}], open_after=3, cooldown_s=30))
    for _ in range(5):
        assert scene.call([DOWN]).outcome.value == "old"
    assert len(scene.attempts) == 3
    scene.now_s += 31
    assert scene.call([DOWN]).outcome.value == "old"
    assert scene.call([DOWN]).outcome.value == "old"
    assert len(scene.attempts) == 4, "one probe, which failed"
    scene.now_s += 31
    assert scene.call(["new"]).outcome.value == "new"
    assert scene.call(["new"]).outcome.value == "new"
    assert len(scene.attempts) == 6
    assert not scene.plan.is_wary


def test_one_probe_at_a_time() -> None:
    """While a probe is on its way the others wait; one that never reports back isn't for ever."""
    circuit = Circuit(open_after=1, cooldown_s=10)
    circuit.failed(0)
    assert [circuit.allows(5), circuit.allows(10), circuit.allows(10)] == [False, True, False]
    circuit.gave_no_sign()
    assert circuit.allows(20)
    circuit.succeeded()
    assert circuit.allows(20)
    assert not circuit.is_open()


def test_fallbacks_go_in_no_circles() -> None:
    """Two sites that fall back on each other end with the error."""
    one = Scene(
        fix("fallback", chain=[{"site": "m:two"}]), place=Place(site_id="m:one", name="one")
    )
    two = Scene(fix("fallback", chain=[{"site": "one"}]), place=Place(site_id="m:two", name="two"))

    def call_two(arguments: dict[str, Any]) -> Any:
        return two.call([DOWN], **arguments).outcome.error

    def call_one(arguments: dict[str, Any]) -> Any:
        raise AssertionError("the call came back")

    one.others, two.others = {"m:two": call_two}, {"one": call_one}
    assert one.call([DOWN]).outcome.error is DOWN
    assert "where the call came from" in two.counts().latest["skipped"]


def test_retry_comes_before_fallback() -> None:
    """Only what retrying doesn't heal is answered by something else."""
    fixes = [fix("fallback", "fall", chain=[{"constant": 0}]), fix("retry", "again", max_retries=1)]
    scene = Scene(*fixes)
    assert scene.call([DOWN, "sun"]).outcome.value == "sun"
    assert scene.call([DOWN, DOWN]).outcome.value == 0
    assert scene.counts("fall").triggers == 1


def test_a_rejected_result_can_fall_back() -> None:
    """What a guard rejects is an error like any other, if the fallback names it."""
    guard = fix("guard", "guard", stage="output", check={"length": {"min": 1}})
    scene = Scene(guard, fix("fallback", "fall", chain=[{"constant": "?"}], on=["GuardRejected"]))
    assert scene.call([""]).outcome.value == "?"


def test_a_stream_falls_back_on_streams_only() -> None:
    """No constant can stand in for a generator."""
    document = parse(fix("fallback", chain=[{"constant": 0}]))
    assert "stream" in misfit(document, Place(shape="generator"))
    assert misfit(parse(fix("fallback", chain=[{"site": "a"}])), Place(shape="generator")) == ""
