"""The demo's evening: live on a terminal, a few plain lines elsewhere."""

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from prunella.cli.evening import Evening, Partner, Phase, sum_up
from prunella.cli.example import Traffic
from prunella.cli.views.fixes import state_text
from prunella.cli.views.parts import words

#: Seconds between two plain lines.
_EVERY_S = 4
_BARS = "▁▂▃▄▅▆▇█"
#: Seconds that a line of bars shows.
_SHOWN_S = 24
_WORDS = {
    Phase.WATCHING: "Nothing acts yet. Failures are counted, and some are kept in full.",
    Phase.CANARY: "Fixes were proposed and tried on the records; those that were approved act on a first "
    "share of the calls.",
    Phase.HEALED: "The fixes act everywhere but on a holdback, which keeps measuring them.",
}


class EveningScreen:
    """Shows the evening while it passes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._seconds = 0

    def begin(self) -> None:
        """Take the end of the terminal, if it is one."""
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()

    def show(self, partners: Sequence[Partner], phase: Phase) -> None:
        """Show how it goes."""
        self._seconds += 1
        if self._live is not None:
            self._live.update(Group(_live_table(partners), Text(f"  {_WORDS[phase]}", "dim")))
        elif self._seconds % _EVERY_S == 0:
            rates = ", ".join(f"{item.name} {_latest(item).ratio:.0%}" for item in partners)
            self._console.print(f"  {self._seconds:3} s  failing: {rates}")

    def decided(self, partners: Sequence[Partner], phase: Phase) -> None:
        """Show what was decided."""
        if self._live is not None:
            self.show(partners, phase)
            return
        self._console.print(f"  {_WORDS[phase]}")
        for item in partners:
            self._console.print(
                Text.assemble("         ", (item.name, "cyan"), "  ", _fix(item, ", "))
            )

    def end(self) -> None:
        """Give the terminal back, with the last that was shown."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def before_and_after(evening: Evening) -> Table:
    """Return how many calls failed before and with each fix."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("partner and error", overflow="fold")
    table.add_column("failed before", justify="right", no_wrap=True)
    table.add_column("with the fix", justify="right", no_wrap=True)
    table.add_column("fix", overflow="fold")
    for item in evening.partners:
        style = "green" if item.healed else "yellow"
        table.add_row(
            Text.assemble((item.name, "cyan"), "\n", item.error_code or "no incident"),
            words(_of(item.before)),
            words(_of(item.after), style),
            _fix(item),
        )
    return table


def _live_table(partners: Sequence[Partner]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("partner and error", overflow="fold", min_width=26)
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("now", justify="right", no_wrap=True, min_width=4)
    table.add_column("failing, second by second", no_wrap=True, min_width=_SHOWN_S)
    table.add_column("fix", overflow="fold")
    for item in partners:
        latest = _latest(item).ratio
        table.add_row(
            Text.assemble((item.name, "cyan"), "\n", (item.error_code, "dim")),
            f"{item.total.requests:,}",
            f"{item.total.failed:,}",
            Text(f"{latest:.0%}", "red" if latest > 0.2 else "green"),
            _bars(item.seconds),
            _fix(item),
        )
    return table


def _bars(seconds: Sequence[Traffic]) -> Text:
    """Return a bar a second, as high as the share of calls that failed; a full one is all."""
    bars = Text()
    for each in seconds[-_SHOWN_S:]:
        bar = _BARS[min(int(each.ratio * len(_BARS)), len(_BARS) - 1)]
        bars.append(bar, "red" if each.ratio > 0.2 else "green")
    return bars


def _fix(partner: Partner, then: str = "\n") -> Text:
    suggestion, rollout = partner.suggestion, partner.rollout
    if suggestion is None:
        return Text("no fix fits" if partner.incident_id else "", "dim")
    named = f"{suggestion.hypothesis.title}, confidence {suggestion.confidence:.2f}"
    if rollout is None:
        return Text.assemble(named, then, ("only suggested", "dim"))
    share = f", {rollout.ratio:.0%} of the calls" if rollout.ratio else ""
    return Text.assemble(named, then, state_text(rollout), share)


def _latest(partner: Partner) -> Traffic:
    """Return the last few seconds as one: a single one holds too few calls for a share."""
    return sum_up(partner.seconds[-3:])


def _of(traffic: Traffic) -> str:
    return f"{traffic.ratio:.0%} of {traffic.requests:,}" if traffic.requests else "–"
