"""One rollout: its ramp, its arms, and what the counts say."""

from math import exp, isfinite, log
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.views.fixes import STATE_STYLES
from prunella.cli.views.parts import facts, words
from prunella.codec.plain import to_plain
from prunella.experiment import STAGES
from prunella.experiment.confidence import Interval
from prunella.model.rollouts import RolloutState
from prunella.model.wording import one_line, plural
from prunella.pipeline.looking import Look, Weight, cost_note, model_cost, unit_cost

_BAR = 24
_NAMES = {"control": "without the fix", "treatment": "with the fix"}


def as_json(look: Look) -> dict[str, Any]:
    """Return a look as JSON types; what is infinite is ``null``."""
    found: dict[str, Any] = _finite(to_plain(look))
    return found


def show_look(console: Console, look: Look) -> None:
    """Print the ramp, both arms' failure rates, and each e-value against its threshold."""
    rollout = look.rollout
    state = Text(rollout.state.value.replace("_", " "), STATE_STYLES[rollout.state])
    console.print(Text.assemble((one_line(rollout.fix_id), "bold cyan"), "  ", state))
    console.print(_ramp(look))
    console.print(words(f"  {rollout.reason}", "dim"))
    console.print(_arms(look))
    if note := cost_note(look):
        console.print(words(note, "dim"))
    rows = [
        ("risk ratio", words(f"{_span(look.ratio, percent=False)}, with the fix : without")),
        ("counted by", words(plural(look.processes, "process", "processes"))),
        ("acted", words(f"{plural(look.acted, 'time', 'times')}, {look.added_ms:,} ms added")),
        ("found by", words(model_cost(look.models))),
    ]
    if look.rivals:
        rows.append(("competes with", words(", ".join(look.rivals))))
    console.print(facts(rows))
    console.print(_weights(look.weights))
    for entry in look.history:
        console.print(words(f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.action}: {entry.reason}", "dim"))


def _ramp(look: Look) -> Text:
    rollout = look.rollout
    line = Text("  ")
    live = rollout.state in (RolloutState.TESTING, RolloutState.GRADUATED)
    for ratio, name in (*((each.ratio, each.name) for each in STAGES), (0.95, "graduated")):
        here = live and abs(rollout.ratio - ratio) < 1e-9
        passed = live and rollout.ratio > ratio
        line.append("● " if here else "✓ " if passed else "○ ", "green" if passed else "")
        line.append(name, "bold" if here else "dim")
        line.append("   ")
    return line


def _arms(look: Look) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("arm", no_wrap=True)
    for name in ("units", "failed", "rate", "at every look, 95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    is_timed = look.slow_s is not None and any(each.slow_rate is not None for each in look.arms)
    has_costs = any(each.costs for each in look.arms)
    if is_timed:
        table.add_column(f"over {1000 * (look.slow_s or 0):,.0f} ms", justify="right", no_wrap=True)
    if has_costs:
        table.add_column("cost each", justify="right", no_wrap=True)
    for each in look.arms:
        cells = [
            _NAMES[each.arm.value],
            f"{each.units:,}",
            f"{each.failures:,}",
            _share(each.rate),
            _span(each.interval, percent=True),
        ]
        cells += [_share(each.slow_rate)] if is_timed else []
        cells += [unit_cost(look, each) or "–"] if has_costs else []
        table.add_row(*cells)
    return table


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _weights(weights: tuple[Weight, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("evidence", no_wrap=True)
    table.add_column("e-value", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in weights:
        share = min(max(each.log_value / log(each.threshold), 0.0), 1.0)
        table.add_row(
            each.name,
            f"{exp(each.log_value):,.2f}" if each.log_value < 20 else f"e{each.log_value:.0f}",
            f"{each.threshold:,.0f}",
            Text("█" * round(share * _BAR), "green" if share >= 1 else "cyan"),
        )
    return table


def _span(interval: Interval, *, percent: bool) -> str:
    if percent:
        return f"{interval.low:.1%} to {interval.high:.1%}"
    high = f"{interval.high:.2f}" if isfinite(interval.high) else "any"
    return f"{interval.low:.2f} to {high}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
