"""What people see of a rollout."""

from pathlib import Path

from rich.console import Console

from prunella.adapters.feed import FileFeed
from prunella.adapters.sqlite_store import open_store
from prunella.cli.views.rollouts import as_json, show_look
from prunella.model.clock import now
from prunella.model.records import Exposures
from prunella.model.settings import Settings
from prunella.pipeline.looking import look_at
from prunella.pipeline.rollouts import add, take
from prunella.rollout import By, approve

DOCUMENT = {
    "fix_id": "fix-1",
    "fix_type": "fallback",
    "config": {"chain": [{"constant": 0}]},
}


def test_a_look_shows_both_arms_and_what_they_weigh(tmp_path: Path) -> None:
    """Without counts too, and in JSON without what JSON lacks."""
    store, feed = open_store(tmp_path / "prunella.db", create=True), FileFeed(tmp_path)
    add(store, feed, DOCUMENT, By(actor="tester", at=now()))
    rollout = take(store, feed, "fix-1", approve, By(actor="tester", at=now()))
    before = as_json(look_at(store, "fix-1", Settings()))
    assert before["ratio"] == {"low": 0.0, "high": None}
    tallies = [
        {"rollout_id": rollout.rollout_id, "epoch": rollout.epoch, "ratio": rollout.ratio}
        | {"arm": arm, "counts": {"n": n, "failures": failures}}
        for arm, n, failures in (("treatment", 5, 0), ("control", 95, 95))
    ]
    record = Exposures(process_id="proc_1", sequence=1, tallies=tuple(tallies))  # type: ignore[arg-type]
    store.ingest([record], spool_name="s", end_offset=1)
    look = look_at(store, "fix-1", Settings())
    assert [(each.units, each.failures) for each in look.arms] == [(95, 95), (5, 0)]
    assert {each.name: each.log_value for each in look.weights}["benefit"] > 0
    console = Console(record=True, width=120)
    show_look(console, look)
    shown = console.export_text()
    assert "without the fix" in shown
    assert "canary 5 %" in shown
