"""How well healing works, for people."""

from datetime import timedelta

from rich import box
from rich.console import Console
from rich.table import Table

from prunella.cli.views.parts import facts, words
from prunella.model.wording import one_line, plural, span
from prunella.pipeline.metrics import Cost, Effects, Metrics, Reduction

_UNKNOWN = "–"


def show_metrics(console: Console, metrics: Metrics) -> None:
    """Print all metrics; what nothing is known of is a dash."""
    since = metrics.since
    console.print(words(f"since {since:%Y-%m-%d %H:%M} UTC" if since else "of all that is kept"))
    solved = metrics.errors_solved
    rows = [
        ("fix rate", _share(metrics.fix_rate, metrics.healed, metrics.incidents, "incidents")),
        ("success rate", _share(metrics.success_rate, metrics.graduated, metrics.ended, "ended")),
        ("to mitigated", f"{_span(metrics.to_mitigated_s)} (median)"),
        ("to cured", f"{_span(metrics.to_cured_s)} (median)"),
        *_effects(metrics.effects),
        ("errors solved", _UNKNOWN if solved is None else f"{solved:,}"),
        ("cost", _cost(metrics.cost)),
    ]
    console.print(facts([(label, words(text)) for label, text in rows]))
    if metrics.reductions:
        console.print(_reductions(metrics.reductions))


def _share(share: float | None, part: int, whole: int, noun: str) -> str:
    return _UNKNOWN if share is None else f"{share:.0%} ({part:,} of {whole:,} {noun})"


def _span(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else span(timedelta(seconds=seconds))


def _effects(effects: Effects | None) -> list[tuple[str, str]]:
    if effects is None:
        return [(name, _UNKNOWN) for name in ("errors masked", "retries added", "latency added")]
    each = _UNKNOWN if effects.added_s_each is None else f"{1000 * effects.added_s_each:,.0f} ms"
    return [
        ("errors masked", f"{effects.errors_masked:,}"),
        ("retries added", f"{effects.retries:,}"),
        ("latency added", f"{effects.added_s:,.1f} s, {each} each time that a fix acted"),
    ]


def _cost(cost: Cost) -> str:
    dollars = _UNKNOWN if cost.dollars is None else f"${cost.dollars:,.4f}"
    unpriced = f", {cost.unpriced:,} of unknown price" if cost.unpriced else ""
    return f"{dollars} for {plural(cost.exchanges, 'question')} to models{unpriced}"


def _reductions(reductions: tuple[Reduction, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("graduated fix")
    for name in ("with it", "holdback", "errors reduced by", "at every look, 95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in reductions:
        table.add_row(
            one_line(each.fix_id),
            f"{each.with_fix:,}",
            f"{each.without_fix:,}",
            _UNKNOWN if each.estimate is None else f"{each.estimate:.0%}",
            _between(each),
        )
    return table


def _between(each: Reduction) -> str:
    if each.high is None:
        return _UNKNOWN
    low = "any" if each.low is None else f"{each.low:.0%}"
    return f"{low} to {each.high:.0%}"
