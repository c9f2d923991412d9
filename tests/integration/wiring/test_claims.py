"""Healers that share a store: who heals what, and when."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import incident
from prunella.model.claims import Claim
from prunella.model.clock import now
from prunella.model.errors import CoolingDown
from prunella.model.ids import ClaimId, IncidentId, new_id
from prunella.model.settings import Settings
from prunella.pipeline import claims
from prunella.pipeline.claims import claimed, healed_function
from prunella.pipeline.rounds import agenda, pull_requests_left
from stores import again

HOUR = timedelta(hours=1)
FIRST = incident()
SECOND = incident(incident_id=IncidentId("inc_2"))  # of the same function
OTHER = incident(
    incident_id=IncidentId("inc_3"),
    location=replace(FIRST.location, qualname="other") if FIRST.location else None,
    site_id="shop.prices:other",
)


def attempt(store, item=FIRST, *, outcome="unproven", cooldown=HOUR):
    with claimed(store, item, actor="a healer", cooldown=cooldown) as ended:
        ended.value = outcome


def past(store, item, *, ago, ended=True, outcome="unproven"):
    """Keep a claim that began some time ago, and ended then if it did."""
    at = now() - ago
    claim = Claim(
        claim_id=ClaimId(new_id("clm")),
        incident_id=item.incident_id,
        function=healed_function(item),
        actor="another",
        started_at=at,
        lease_until=at + claims.LEASE,
    )
    assert store.claim(claim, cooldown=timedelta(0)) is None
    if ended:
        store.keep_claim(replace(claim, ended_at=at, outcome=outcome))


def test_an_incident_cools_down_after_any_attempt(store):
    """After an attempt, whatever came of it, the next one is refused for the cooldown."""
    for outcome in ("published", "unproven"):
        attempt(store, outcome=outcome, cooldown=timedelta(0))
        with pytest.raises(CoolingDown, match="--force"):
            attempt(store)


def test_a_failed_attempt_is_an_attempt(store):
    """An attempt that an error ended cools down too, and the error goes on."""
    with pytest.raises(RuntimeError), claimed(store, FIRST, actor="a", cooldown=HOUR):
        raise RuntimeError("the disk is full")
    with pytest.raises(CoolingDown, match="the disk is full"):
        attempt(store)


def test_a_function_cools_down_with_its_incident(store):
    """Another incident of the same function waits as well; one of another function doesn't."""
    attempt(store)
    with pytest.raises(CoolingDown, match="same function"):
        attempt(store, SECOND)
    attempt(store, OTHER)


def test_after_the_cooldown_it_is_tried_again(store):
    """An attempt longer ago than the cooldown is in nobody's way."""
    past(store, FIRST, ago=HOUR + timedelta(minutes=1))
    attempt(store)


def test_of_many_healers_one_gets_an_incident(store):
    """However many healers want an incident at the same moment, exactly one heals it."""
    gate, results = threading.Barrier(8), []

    def want():
        mine = again(store)
        gate.wait()
        try:
            attempt(mine, cooldown=timedelta(0) + HOUR)
            results.append("healed")
        except CoolingDown:
            results.append("refused")
        mine.close()

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["healed"] + ["refused"] * 7


def test_even_force_doesnt_heal_twice_at_once(store):
    """Without a cooldown, an incident that is being healed is still refused."""
    with (
        claimed(store, FIRST, actor="one", cooldown=HOUR),
        pytest.raises(CoolingDown, match="is being healed by one"),
    ):
        attempt(store, cooldown=timedelta(0))


def test_a_dead_healer_is_replaced(store):
    """A claim that nobody has renewed for its lease is in nobody's way."""
    past(store, FIRST, ago=claims.LEASE + timedelta(seconds=1), ended=False)
    attempt(store)


def test_a_healer_at_work_keeps_its_claim(store, monkeypatch):
    """A healer that works longer than its lease renews it."""
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.4))
    monkeypatch.setattr(claims, "_BEAT_S", 0.05)
    with claimed(store, FIRST, actor="one", cooldown=HOUR):
        threading.Event().wait(0.8)
        with pytest.raises(CoolingDown, match="is being healed"):
            attempt(store)


def test_a_round_is_about_the_worst_of_each_function(store):
    """Of the incidents of one function the first is due, and the others say what they wait for."""
    todo = agenda(store, [FIRST, SECOND, OTHER], Settings())
    assert [item.incident_id for item in todo.due] == ["inc_1", "inc_3"]
    assert [(item.incident_id, "goes first" in why) for item, why in todo.waiting] == [
        ("inc_2", True)
    ]


def test_a_round_leaves_alone_what_was_tried(store):
    """What was attempted within the cooldown, or is being healed, waits with the reason."""
    past(store, FIRST, ago=timedelta(minutes=5))
    past(store, OTHER, ago=timedelta(seconds=5), ended=False)
    todo = agenda(store, [FIRST, OTHER], Settings())
    assert todo.due == ()
    reasons = [why for _, why in todo.waiting]
    assert "attempted at" in reasons[0]
    assert "another is at it" in reasons[1]


def test_a_day_allows_so_many_pull_requests(store):
    """Published attempts of the last 24 hours count against the limit; 0 is no limit."""
    past(store, SECOND, ago=timedelta(hours=25), outcome="published")
    past(store, OTHER, ago=timedelta(hours=3), outcome="unproven")
    past(store, FIRST, ago=timedelta(hours=2), outcome="published")
    assert pull_requests_left(store, Settings(pull_requests_per_day=3)) == 2
    assert pull_requests_left(store, Settings(pull_requests_per_day=0)) is None
    assert pull_requests_left(store, Settings(pull_requests_per_day=1)) == 0
