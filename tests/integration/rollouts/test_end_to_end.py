"""A program's own counts carry a fix through the ramp, or take it back."""

from pathlib import Path
from typing import Any

from prunella import heal
from prunella.adapters.feed import FileFeed
from prunella.adapters.sqlite_store import open_store
from prunella.model.clock import now
from prunella.model.rollouts import RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import advance_rollouts
from prunella.pipeline.rollouts import add, take
from prunella.rollout import By, approve
from prunella.sdk import runtime
from prunella.wiring import drain

FALLBACK = {
    "fix_id": "fix-down",
    "fix_type": "fallback",
    "target": {"sites": ["*"]},
    "config": {"chain": [{"constant": "healed"}], "cooldown_s": 0},
}


def by() -> By:
    return By(actor="tester", at=now(), reason="")


def test_counts_of_a_program_graduate_a_fix(program: Path) -> None:
    """Canary, ramp, graduation: from nothing but the calls of a program, and each step once."""
    site = down()
    folder = program / ".prunella"
    store = open_store(folder / "prunella.db", create=True)
    feed = FileFeed(folder)
    add(store, feed, FALLBACK, by())
    rollout = take(store, feed, "fix-down", approve, by())
    assert rollout.baseline is not None
    journal = runtime.active().journal
    for _ in range(60):
        journal.feed.look()
        for _ in range(100):
            call(site)
        journal.ship(at_exit=True)
        journal.spool.close()
        drain(program)
        rollout = store.rollout("fix-down")
        if rollout.state is not RolloutState.TESTING:
            break
    assert rollout.state is RolloutState.GRADUATED, rollout.reason
    actions = [entry.action for entry in store.audit(subject=rollout.rollout_id)]
    assert actions == [
        "fix.proposed",
        "fix.approved",
        "rollout.advanced",
        "rollout.advanced",
        "rollout.graduated",
    ]
    assert advance_rollouts(store, feed, Settings()) == ()


def down() -> Any:
    @heal
    def down() -> str:
        raise TimeoutError

    return down


def call(site: Any) -> str:
    try:
        return str(site())
    except TimeoutError:
        return "failed"
