"""What a program counts of a fix in a rollout, and ships."""

import os
from pathlib import Path
from typing import Any

import pytest

from prunella import heal
from prunella.fixes import Allocation, Installation, Lot, parse
from prunella.sdk import runtime
from prunella.sdk.fixing import Fixing, fixing
from prunella.sdk.metering import RolloutMeter

DOCUMENT = {
    "fix_id": "fix-1",
    "fix_type": "fallback",
    "target": {"sites": ["*"]},
    "config": {"chain": [{"constant": "healed"}], "cooldown_s": 0},
}


@pytest.fixture
def site() -> Any:
    @heal
    def down(fails: bool = True) -> str:
        if fails:
            raise TimeoutError
        return "well"

    return down


def installed(ratio: float = 0.5, epoch: int = 1, wait_s: float = 1000.0) -> Fixing:
    found = fixing()
    allocation = Allocation(salt="rol_1", ratio=ratio, epoch=epoch, wait_s=wait_s)
    found.replace([Installation(fix=parse(DOCUMENT), allocation=allocation)])
    return found


def call(site: Any, times: int, *, fails: bool = True) -> int:
    healed = 0
    for _ in range(times):
        try:
            healed += site(fails) == "healed"
        except TimeoutError:
            continue
    return healed


def totals(shipment: dict[str, Any] | None) -> dict[str, tuple[int, int]]:
    assert shipment is not None
    return {
        each["arm"]: (each["counts"]["n"], each["counts"]["failures"])
        for each in shipment["tallies"]
    }


def test_both_arms_are_counted_where_the_fix_fires(site: Any) -> None:
    """Calls that meet no trigger are in neither; what was shipped isn't shipped again."""
    every = installed()
    healed = call(site, 200)
    call(site, 50, fails=False)
    counts = totals(every.shipment("proc_1", at_exit=True))
    assert counts == {"treatment": (healed, 0), "control": (200 - healed, 200 - healed)}
    assert every.shipment("proc_1", at_exit=True) is None
    every.unsent()
    assert totals(every.shipment("proc_1")) == counts


def test_units_count_when_their_time_is_over(site: Any) -> None:
    """Not before, so that slow ones are missing in neither arm; at exit all do."""
    every = installed()
    call(site, 20)
    early = every.shipment("proc_1")
    assert early is None or early["tallies"] == []
    assert sum(n for n, _ in totals(every.shipment("proc_1", at_exit=True)).values()) == 20


def test_epochs_are_counted_apart(site: Any) -> None:
    """Units stay in the epoch that they were dealt in."""
    every = installed(epoch=1)
    call(site, 30)
    installed(ratio=0.9, epoch=2)
    call(site, 40)
    shipment = every.shipment("proc_1", at_exit=True)
    assert shipment is not None
    found: dict[tuple[int, float], int] = {}
    for each in shipment["tallies"]:
        key = (each["epoch"], each["ratio"])
        found[key] = found.get(key, 0) + each["counts"]["n"]
    assert found == {(1, 0.5): 30, (2, 0.9): 40}


def test_calls_without_a_trigger_are_told_as_quiet(site: Any) -> None:
    """Counted from the last time that the fix fired."""
    every = installed()
    call(site, 10)
    every.shipment("proc_1", at_exit=True)
    call(site, 64, fails=False)
    shipment = every.shipment("proc_1", at_exit=True)
    assert shipment is not None
    assert shipment["effects"]["rol_1"]["quiet_calls"] == 64
    call(site, 1)
    again = every.shipment("proc_1", at_exit=True)
    assert again is not None
    assert again["effects"]["rol_1"]["quiet_calls"] == 0


def test_a_forked_child_counts_its_own(site: Any, program: Path) -> None:
    """Nothing of the parent's is counted twice."""
    every = installed()
    call(site, 30)
    child = os.fork()
    if not child:
        call(site, 5)
        shipment = runtime.get_fixing().shipment("proc_2", at_exit=True)  # type: ignore[union-attr]
        os._exit(sum(n for n, _ in totals(shipment).values()))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 5
    assert sum(n for n, _ in totals(every.shipment("proc_1", at_exit=True)).values()) == 30


def test_sticky_units_count_once(site: Any) -> None:
    """However many calls a user makes; all of them are on one side."""

    @heal
    def price(user: str) -> str:
        raise TimeoutError(user)

    found = fixing()
    document = {**DOCUMENT, "target": {"sites": ["*"], "sticky_key": "user"}}
    allocation = Allocation(salt="rol_1", ratio=0.5, epoch=1, wait_s=1000.0, window_s=1000.0)
    found.replace([Installation(fix=parse(document), allocation=allocation)])
    sides: dict[str, set[str]] = {}
    for number in range(200):
        user = f"user-{number % 20}"
        try:
            sides.setdefault(user, set()).add(price(user))
        except TimeoutError:
            sides.setdefault(user, set()).add("failed")
    assert all(len(side) == 1 for side in sides.values())
    healed = sum(side == {"healed"} for side in sides.values())
    counts = totals(found.shipment("proc_1", at_exit=True))
    assert counts == {"treatment": (healed, 0), "control": (20 - healed, 20 - healed)}


def test_rivals_share_their_control_and_nothing_else() -> None:
    """A call gets one fix at most; what gets none is counted by each as its control."""

    @heal(idempotent=True)
    def down() -> str:
        raise TimeoutError

    installations = []
    for number, (begins, ends) in enumerate(((0.0, 0.3), (0.3, 0.6))):
        document = {
            **DOCUMENT,
            "fix_id": f"fix-{number}",
            "config": {"chain": [{"constant": number}], "cooldown_s": 0},
        }
        lot = Lot(salt="inc_1", begins=begins, ends=ends, control_from=0.6)
        allocation = Allocation(salt=f"rol_{number}", ratio=3 / 7, epoch=1, wait_s=1000.0, lot=lot)
        installations.append(Installation(fix=parse(document), allocation=allocation))
    every = fixing()
    every.replace(installations)
    answers: list[Any] = []
    for _ in range(400):
        try:
            answers.append(down())
        except TimeoutError:
            answers.append(None)
    control = answers.count(None)
    shipment = every.shipment("proc_1", at_exit=True)
    assert shipment is not None
    found = {
        (each["rollout_id"], each["arm"]): (each["counts"]["n"], each["counts"]["failures"])
        for each in shipment["tallies"]
    }
    assert found == {
        ("rol_0", "treatment"): (answers.count(0), 0),
        ("rol_0", "control"): (control, control),
        ("rol_1", "treatment"): (answers.count(1), 0),
        ("rol_1", "control"): (control, control),
    }
    assert min(found["rol_0", "treatment"][0], found["rol_1", "treatment"][0], control) > 60


def test_costs_are_counted_where_they_are_known() -> None:
    """Sums and squares of both arms, of units that ended in time."""
    meter = RolloutMeter()
    allocation = Allocation(salt="rol_1", ratio=1.0, epoch=1)
    installation = Installation(fix=parse(DOCUMENT), allocation=allocation)
    for cost in (2.0, 3.0, None):
        exposure = meter.triggered(installation, "unit", 0.0)
        assert exposure is not None
        meter.ended(exposure, failed=False, latency_s=0.1, cost=cost)
    shipment = meter.shipment("proc_1", at_exit=True)
    assert shipment is not None
    treated = next(each for each in shipment["tallies"] if each["arm"] == "treatment")
    assert treated["counts"] == {
        "n": 3,
        "failures": 0,
        "costs": 2,
        "cost_sum": 5.0,
        "cost_squares": 13.0,
    }


def test_calls_of_one_trace_are_dealt_one_by_one(site: Any) -> None:
    """A program that is one long call has both arms all the same."""
    every = installed()

    @heal
    def main() -> int:
        return call(site, 200)

    healed = main()
    assert 50 < healed < 150
    assert totals(every.shipment("proc_1", at_exit=True))["treatment"] == (healed, 0)
