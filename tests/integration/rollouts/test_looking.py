"""What people see of a rollout."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest
from rich.console import Console

from prunella.adapters.feed import FileFeed
from prunella.adapters.sqlite_store import open_store
from prunella.cli.views.rollouts import as_json, show_look
from prunella.model.clock import now
from prunella.model.records import Exposures
from prunella.model.rollouts import RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import advance_rollouts
from prunella.pipeline.looking import Look, cost_note, look_at, model_cost, unit_cost
from prunella.pipeline.metrics import Cost
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
    shown = _shown(look)
    assert "cost each" not in shown
    assert "no model was asked" in shown
    assert "without the fix" in shown
    assert "canary 5 %" in shown


def _shown(look: Look) -> str:
    console = Console(record=True, width=140)
    show_look(console, look)
    return console.export_text()


def test_a_look_tells_how_slow_both_arms_are_and_what_finding_it_cost(tmp_path: Path) -> None:
    """Shares over what was slow before, and what models were paid for the incident."""
    store, feed = open_store(tmp_path / "prunella.db", create=True), FileFeed(tmp_path)
    add(store, feed, DOCUMENT, By(actor="tester", at=now()))
    rollout = take(store, feed, "fix-1", approve, By(actor="tester", at=now()))
    counts = {"n": 100, "failures": 0, "timed": 80, "slow": [40, 20, 1], "very_slow": [0, 0, 0]}
    tallies = [
        {"rollout_id": rollout.rollout_id, "epoch": 1, "ratio": rollout.ratio}
        | {"arm": arm, "counts": counts}
        for arm in ("treatment", "control")
    ]
    record = Exposures(process_id="proc_1", sequence=1, tallies=tuple(tallies))  # type: ignore[arg-type]
    store.ingest([record], spool_name="s", end_offset=1)
    look = look_at(store, "fix-1", Settings())
    assert [each.slow_rate for each in look.arms] == [0.25, 0.25]
    assert "25.0%" in _shown(replace(look, slow_s=0.12))
    assert "over 120 ms" in _shown(replace(look, slow_s=0.12))


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ([], "no model was asked"),
        ([None], "1 question to models, of no known price"),
        ([0.5, 0.0123], "2 questions to models: $0.51"),
        ([0.0123, None], "2 questions to models: $0.012 and 1 of no known price"),
    ],
)
def test_what_models_cost_is_said(prices: list[float | None], said: str) -> None:
    """In dollars where a price is known, else in how often models were asked."""
    known = [price for price in prices if price is not None]
    cost = Cost(
        exchanges=len(prices),
        unpriced=len(prices) - len(known),
        dollars=sum(known) if known or not prices else None,
    )
    assert model_cost(cost) == said


def test_a_fix_that_costs_too_much_is_shown_and_rolled_back(tmp_path: Path) -> None:
    """By what programs counted of their models' answers; failures alone would say nothing."""
    store, feed = open_store(tmp_path / "prunella.db", create=True), FileFeed(tmp_path)
    add(store, feed, DOCUMENT, By(actor="tester", at=now()))
    rollout = take(store, feed, "fix-1", approve, By(actor="tester", at=now()))
    tallies = [
        {
            "rollout_id": rollout.rollout_id,
            "epoch": rollout.epoch,
            "ratio": rollout.ratio,
            "arm": arm,
        }
        | {
            "counts": {"n": n, "failures": n // 2, "costs": n}
            | {"cost_sum": 1.0 * n * cost, "cost_squares": 1.2 * n * cost * cost}
        }
        for arm, n, cost in (("treatment", 150, 9.0), ("control", 2850, 1.0))
    ]
    record = Exposures(process_id="proc_1", sequence=1, tallies=tuple(tallies))  # type: ignore[arg-type]
    store.ingest([record], spool_name="s", end_offset=1)
    weights = {each.name: each for each in look_at(store, "fix-1", Settings()).weights}
    look = look_at(store, "fix-1", Settings(llm_prices="*=0.10/0.40"))
    assert [(each.costs, each.mean_cost) for each in look.arms] == [(2850, 1.0), (150, 9.0)]
    assert [unit_cost(look, each) for each in look.arms] == ["$0.0000010", "$0.0000090"]
    assert cost_note(look) == ""
    shown = " ".join(_shown(look_at(store, "fix-1", Settings())).split())
    assert "9 tokens" in shown
    assert "llm_prices isn't set here" in shown
    assert 'PRUNELLA_LLM_PRICES="large=2.00/8.00' in shown
    assert "over" not in shown
    assert weights["dearer"].log_value > log(weights["dearer"].threshold)
    assert "slower" not in weights
    (after,) = advance_rollouts(store, feed, Settings())
    assert after.state is RolloutState.ROLLED_BACK
    assert "times as dear" in after.reason
