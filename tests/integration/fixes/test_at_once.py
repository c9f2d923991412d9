"""Calls that one fix changes without the interpreter: as if that had run them."""

import asyncio
import gc
import itertools
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpreted import fix
from prunella import heal, install_fix, llm, remove_fix
from prunella.fixes import Allocation, Installation, Lot, Mode, parse, prompt_hash
from prunella.sdk import runtime
from prunella.sdk.counters import counters
from prunella.sdk.fixed_calls import FixedCalls
from prunella.sdk.fixing import Fixing, fixing, function_cell
from prunella.sdk.metering import RolloutMeter
from prunella.sdk.trace import current

SOURCE = """
@{decorator}
{keyword} {name}({parameters}):
    seen.append(dict(locals()))
    answer = answers.pop(0) if answers else "sun"
    if isinstance(answer, BaseException):
        raise answer
    return answer
"""
#: Parameters, and what of a city, a limit and options is passed on.
FORMS: dict[str, tuple[str, Any]] = {
    "plain": ("city, limit=5", lambda city, limit, _: ((city, limit), {})),
    "full": (
        "city, limit=5, *rest, model='small', system='', **options",
        lambda city, limit, options: ((city, limit), options),
    ),
    "positional": ("city, limit=5, /", lambda city, limit, _: ((city, limit), {})),
    "keywords": ("*, city, limit=5", lambda city, limit, _: ((), {"limit": limit, "city": city})),
    "mixed": (
        "city, /, limit=5, *rest, model='small'",
        lambda city, limit, options: ((city, limit, *options), {"model": len(options)}),
    ),
    "default": ("city='Rome', limit=5", lambda city, _limit, _: ((city,) if city else (), {})),
    "stars": ("*city, **limit", lambda city, limit, _: ((city, limit), {"limit": limit})),
    "ours": (
        "city, limit=5, *_prunella_values, **_prunella_made",
        lambda city, limit, options: ((city, limit, *options), options),
    ),
    "method": ("self, city, limit=5", lambda city, limit, _: ((city, limit), {})),
}
ACTING = [
    fix("parameter", set={"limit": 9}),
    fix("parameter", set={"limit": [1]}),
    fix("parameter", set={"city": "Rome"}, scale={"limit": 2}),
    fix("parameter", drop=["limit"]),
    fix("parameter", drop=["city"]),
    fix("parameter", clamp={"limit": {"min": 2, "max": 6}}),
    fix("parameter", clamp={"limit": {"max": 6}}, when={"city": {"pattern": "^B"}}),
    fix("parameter", set={"limit": 6}, clamp={"limit": {"max": 5}}),
    fix("guard", stage="input", parameter="limit", check={"range": {"max": 6}}, on_fail="clamp"),
    fix("guard", stage="input", parameter="limit", check={"range": {"max": 6}}),
    fix("guard", stage="input", parameter="city", check={"length": {"max": 4}}, on_fail="default",
        default="?"),
    fix("guard", stage="input", parameter="limit", check={"range": {"max": 6}}, on_fail="clamp",
        mode="shadow"),
    fix("tool", arg_defaults={"limit": 4}, result_limit={"max_chars": 2}),
    fix("tool", coerce={"limit": "str"}, error_map={"TimeoutError": "mapped"}),
]  # fmt: skip
#: What only a function with more parameters takes.
ALSO = [
    fix("parameter", set={"model": "large", "limit": 3}),
    fix("parameter", set={"model": "large"}),
    fix("parameter", set={"depth": 3}),
    fix("guard", stage="input", parameter="depth", check={"range": {"max": 4}}, on_fail="clamp"),
    fix("prompt", base_hash=prompt_hash("be brief"), op="append", text="and kind"),
    fix("routing", rules=[{"when": {"limit": {"range": {"min": 7}}}, "to": {"model": "large"}}],
        default={"self": True}),
]  # fmt: skip
BUDGET = {"ratio": 10, "burst": 1_000, "per_second": 100}
BESIDE = [
    fix("retry", "retry", initial_delay_ms=0, jitter=False, budget=BUDGET),
    fix("fallback", "fallback", chain=[{"constant": "clouds"}], cooldown_s=1_000, open_after=2),
    fix("fallback", "last", chain=[{"last_good": {"max_age_s": 1_000}}], cooldown_s=0),
    fix("guard", "after", stage="output", check={"length": {"min": 1}}),
    fix("tool", "cut", result_limit={"max_chars": 4}),
    fix("parameter", "second", clamp={"limit": {"max": 7}}),
    fix("tool", "third", coerce={"limit": "int"}),
]
ALLOCATIONS = [
    None,
    Allocation(salt="rol_1", ratio=0.5, epoch=1, wait_s=1_000.0),
    Allocation(salt="rol_1", ratio=0.0, epoch=1, wait_s=1_000.0),
    Allocation(salt="rol_1", ratio=1.0, epoch=2, wait_s=1_000.0),
    Allocation(salt="rol_1", ratio=0.5, wait_s=1_000.0, lot=Lot(salt="inc", begins=0.0, ends=0.3, control_from=0.6)),
]  # fmt: skip
ANSWERS: list[Any] = [
    "sun",
    "",
    [1],
    {"usage": {"prompt_tokens": 9, "completion_tokens": 1}},
    TimeoutError("slow"),
    ValueError("no such city"),
    KeyboardInterrupt("enough"),
]
calls = st.tuples(
    st.sampled_from(["Bonn", "Rome on Tiber", None]),
    st.sampled_from([5, 9, 0, 8.5, "7", None, True, float("nan")]),
    st.sampled_from([{}, {"model": "large"}, {"depth": 9}, {"system": "be brief", "depth": 1}]),
    st.one_of(st.just([]), st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=2)),
)


def shape_of(example: dict[str, Any]) -> dict[str, str]:
    return {
        "decorator": "llm" if example["is_llm"] else "heal(idempotent=True)",
        "keyword": "async def" if example["is_async"] else "def",
        "name": "fetch",
        "parameters": FORMS[example["form"]][0],
    }


def watched(example: dict[str, Any], at_once: bool) -> dict[str, Any]:
    """Return all that can be seen of some calls, made at once where possible, or interpreted."""
    found = fixing()
    found.renew()
    found._unique, found._numbers = "", itertools.count()
    found.set_meter(RolloutMeter(random=Random(7).random))
    told: list[Any] = []
    before = (Fixing.account, runtime.fixed)

    def fixed(site: Any, values: Any, finished: Any) -> None:
        if current.get() is not None:
            masked = finished.masked and (repr(finished.masked[0]), finished.masked[1])
            told.append((values, finished._replace(masked=masked)))
        before[1](site, values, finished)

    try:
        runtime.fixed = fixed
        if not at_once:
            Fixing.account = lambda *of: before[0](*of) and None  # type: ignore[method-assign, assignment]
        found.replace([example["first"], *map(beside, example["beside"])])
        outcomes, seen = made(example)
        installed = {each.fix_id: (each.faults, each.disabled) for each in found.installed()}
        counts = {name: replace(each, added_s=0.0) for name, each in found.counted().items()}
        found.unsent()  # the background thread may have shipped something
        shipped = found.shipment("proc_1", at_exit=True)
        if shipped is not None:
            shipped["sequence"] = 1
        for effects in (shipped or {}).get("effects", {}).values():
            for name in ("added_ms", "quiet_calls"):  # which depend on the clock
                effects.pop(name, None)
    finally:
        Fixing.account, runtime.fixed = before  # type: ignore[method-assign]
        found.replace([])
    return {
        "outcomes": outcomes,
        "seen": repr(seen),
        "told": repr(told),
        "installed": installed,
        "counts": counts,
        "shipped": shipped,
    }


def beside(document: dict[str, Any]) -> Installation:
    """Return the installation of a further fix, those that act before the call in a rollout."""
    is_dealt = document["fix_id"] in ("second", "third")
    salt = f"rol_{document['fix_id']}"
    allocation = Allocation(salt=salt, ratio=0.5, epoch=1, wait_s=1_000.0) if is_dealt else None
    return Installation(fix=parse(document), allocation=allocation)


def made(example: dict[str, Any]) -> tuple[list[str], list[Any]]:
    """Make the calls of an example by a function of its own; return their ends and what it saw."""
    answers: list[Any] = []
    seen: list[Any] = []
    namespace = {"heal": heal, "llm": llm, "seen": seen, "answers": answers, "__name__": "weather"}
    exec(SOURCE.format(**shape_of(example)), namespace)  # noqa: S102 - our own text
    fetch: Any = namespace["fetch"]
    if example["form"] == "method":
        fetch = type("Weather", (), {"fetch": fetch, "__repr__": lambda _: "weather"})().fetch
    outcomes = []
    for number, (city, limit, options, said) in enumerate(example["calls"]):
        answers[:] = said
        # Only the interpreter names a call, so that the next one's name tells how many it had.
        fixing()._numbers = itertools.count(1_000 * number)
        try:
            args, kwargs = FORMS[example["form"]][1](city, limit, options)
            result = fetch(*args, **kwargs)
            outcomes.append(repr(asyncio.run(result) if example["is_async"] else result))
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - it is looked at
            outcomes.append(repr(error))
            error.__traceback__ = None
    return outcomes, seen


@st.composite
def examples(draw: Any) -> dict[str, Any]:
    form = draw(st.sampled_from(["plain", "full", "full", *FORMS]))
    document = draw(st.sampled_from(ACTING + ALSO if form == "full" else ACTING))
    mode = draw(st.sampled_from([Mode.ENFORCE] * 4 + [Mode.SHADOW]))
    allocation = draw(st.sampled_from(ALLOCATIONS))
    return {
        "form": form,
        "is_async": draw(st.booleans()),
        "is_llm": draw(st.booleans()),
        "first": Installation(fix=parse(document), mode=mode, allocation=allocation),
        "beside": draw(st.lists(st.sampled_from(BESIDE), unique_by=lambda it: it["fix_id"], max_size=3)),
        "calls": draw(st.lists(calls, min_size=1, max_size=12)),
    }  # fmt: skip


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(examples())
def test_both_ways_do_the_same(example: dict[str, Any]) -> None:
    """The function sees the same, the caller gets the same, and the same is told and counted."""
    assert watched(example, at_once=True) == watched(example, at_once=False)
    assert not [name for name in counters if name.startswith("internal_")]


def case(document: dict[str, Any], *answers: Any, **options: Any) -> dict[str, Any]:
    """Return an example of one fix whose calls end as `answers` say."""
    example = {"form": "plain", "is_async": False, "is_llm": False, "beside": [], **options}
    first = Installation(fix=parse(document), allocation=options.get("allocation"))
    made_calls = [("Bonn", 5, {}, [answer]) for answer in answers]
    return {**example, "first": first, "calls": made_calls}


SET = fix("parameter", set={"limit": 9})
FAILED = ValueError("no such city")
SLOW = TimeoutError("slow")
CONTROL = Allocation(salt="rol_1", ratio=0.0, epoch=1, wait_s=1_000.0)
COSTS = {"usage": {"prompt_tokens": 9, "completion_tokens": 1}}


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (case(SET, *[FAILED] * 4, "sun", *[FAILED] * 4), {"disabled": ""}),
        (case(SET, *[FAILED] * 5), {"disabled": "every call"}),
        (case(SET, *[COSTS] * 5, is_llm=True, allocation=ALLOCATIONS[3]), {"cost_sum": 50.0}),
        (case(SET, *[COSTS] * 5, is_llm=True, allocation=CONTROL), {"cost_sum": 50.0}),
        (case(SET, "old", SLOW, allocation=CONTROL, beside=[BESIDE[2]]), {"last": "'old'"}),
        (case(SET, "old", SLOW, beside=[BESIDE[2]]), {"last": "TimeoutError('slow')"}),
    ],
    ids=["a success in between", "a breaker", "cost", "cost of control", "remembered", "changed"],
)  # fmt: skip
def test_what_takes_many_calls(example: dict[str, Any], expected: dict[str, Any]) -> None:
    """The same where it is rare: breakers, costs, what fallbacks remember of control alone."""
    found = watched(example, at_once=True)
    assert found == watched(example, at_once=False)
    if "disabled" in expected:
        assert found["installed"]["fix"][1][:10] == expected["disabled"]
    if "cost_sum" in expected:
        assert sum(it["counts"].get("cost_sum", 0) for it in found["shipped"]["tallies"]) == 50.0
    if "last" in expected:
        assert found["outcomes"][-1] == expected["last"]


def test_a_changed_call_needs_no_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one of control; it is there for calls that fail."""
    begun: list[Any] = []
    begin = FixedCalls._begun
    monkeypatch.setattr(FixedCalls, "_begun", lambda *call: begun.append(1) or begin(*call))

    @heal
    def fetch(city: str, limit: int = 5) -> int:
        if not city:
            raise ValueError(city)
        return limit

    install_fix(SET)
    assert [fetch("Bonn"), fetch("Rome", 3), begun] == [9, 9, []]
    fixing().replace([Installation(fix=parse(fix("tool", "t", coerce={"city": "str"})))])
    assert [fetch("Bonn"), begun] == [9, []]  # two look at it, one acts
    with pytest.raises(ValueError, match=r"^$"):
        fetch("")
    assert [fetch(7), len(begun)] == [9, 2]  # type: ignore[arg-type]  # both act


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_async", [False, True])
def test_every_signature(form: str, is_async: bool) -> None:
    """Arguments are handed on, changed or not, however the function takes them."""
    calls = [("Bonn", 5, {"model": "large"}, []), ("Rome", 9, {}, [SLOW]), (None, 0, {}, [""])]
    for document in (
        SET,
        fix("parameter", clamp={"limit": {"max": 5}}),
        fix("tool", coerce={"city": "int"}),
    ):
        for also in ([], BESIDE[:2], BESIDE[2:5]):
            example = {**case(document), "form": form, "is_async": is_async}
            example |= {"beside": also, "calls": calls * 2}
            assert watched(example, at_once=True) == watched(example, at_once=False)


def test_another_allocation_counts_from_the_next_call_on() -> None:
    """The fix is the same, and so is what it has learnt; it is dealt anew."""

    @heal
    def fetch(limit: int = 5) -> int:
        return limit

    found, document = fixing(), parse(SET)
    found.replace([Installation(fix=document)])
    (before,) = found.installed()
    assert fetch() == 9
    found.replace([Installation(fix=document, allocation=CONTROL)])
    assert (fetch(), found.installed()) == (5, [before])
    found.replace([Installation(fix=document, mode=Mode.SHADOW)])
    assert (fetch(), found.counted()["fix"].shadow) == (5, 1)
    found.replace([Installation(fix=document)])
    assert (fetch(), found.counted()["fix"].triggers) == (9, 3)
    found.set_meter(RolloutMeter())
    assert (fetch(), found.counted()["fix"].triggers) == (9, 1)


class Slow(TimeoutError):
    """One that weak references may refer to."""


@pytest.mark.parametrize("acting", [SET, fix("guard", stage="output", check={"range": {"min": 0}})])
def test_what_failed_is_let_go(acting: dict[str, Any]) -> None:
    """A shim holds no error of a call that is over, nor what hangs on its frames."""
    errors: list[weakref.ref[Exception]] = []

    @heal
    def fetch(limit: int = 5) -> int:
        if len(errors) % 2:  # so that no breaker hears of too many in a row
            errors.append(errors[-1])
            return limit
        error = Slow(limit)
        errors.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    install_fix(acting)
    cell = function_cell(fetch)  # type: ignore[arg-type]  # a function
    assert cell is not None
    gc.disable()
    try:
        for _ in range(10):
            with suppress(TimeoutError):
                cell.cell_contents(5)  # without the recorder, which has ends of its own
        assert [each() for each in errors] == [None] * 10
    finally:
        gc.enable()


def test_a_fault_in_dealing_leaves_the_call_to_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever goes wrong in here, the caller gets what it asked for."""

    def fails(*_: Any) -> None:
        raise RuntimeError("no account")

    @heal
    def fetch(limit: int = 5) -> int:
        return limit

    monkeypatch.setattr(Fixing, "account", fails)
    install_fix(SET)
    assert fetch() == 9
    assert counters["internal_fixes_RuntimeError"] == 1


def test_no_call_is_lost_between_threads() -> None:
    """Counting takes no lock, and needs none: also where threads take turns all the time."""

    @heal
    def fetch(limit: int = 5) -> int:
        return limit

    install_fix(SET)
    allocation = Allocation(salt="rol_1", ratio=0.5, epoch=1, wait_s=1_000.0)
    other = parse(fix("parameter", "dealt", set={"limit": 8}))
    threads = [threading.Thread(target=lambda: [fetch() for _ in range(2_000)]) for _ in range(4)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads[:2]:
            thread.start()
        for thread in threads[:2]:
            thread.join()
        remove_fix("fix")
        fixing().install(Installation(fix=other, allocation=allocation))
        for thread in threads[2:]:
            thread.start()
        for thread in threads[2:]:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    counts = fixing().counted()
    assert (counts["fix"].triggers, counts["fix"].treated, counts["fix"].acted) == (4_000,) * 3
    assert counts["dealt"].triggers == 4_000
    assert 0 < counts["dealt"].acted == counts["dealt"].treated < 4_000
