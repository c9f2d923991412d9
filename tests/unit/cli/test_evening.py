"""The demo's evening, with a healer and seconds that are made up."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from prunella.cli import evening
from prunella.cli.evening import Evening, Partner, Phase, spend_evening, sum_up
from prunella.cli.example import Traffic
from prunella.cli.views.evening import EveningScreen, before_and_after
from prunella.cli.views.journey import Silence


def traffic(requests, failed):
    return Traffic(requests=requests, failed=failed)


class NoFixes:
    """A healer of a program in which nothing was found."""

    fixes = SimpleNamespace(list=list)

    def refresh(self):
        pass

    def incidents(self):
        return []


class Seconds:
    """Seconds that pass as fast as they are asked for."""

    def __init__(self, _folder):
        self.is_closed = False

    def __iter__(self):
        start_s = evening.time.monotonic()
        for number in range(60):
            yield start_s + number, {"search": traffic(10, 4 if number < 20 else 0)}

    def close(self):
        self.is_closed = True


def test_the_evening_ends_also_where_nothing_can_be_healed(tmp_path, monkeypatch):
    """Without a fix no partner counts as healed, however many calls fail."""
    monkeypatch.setattr(evening, "_Listening", Seconds)
    ended = spend_evening(NoFixes(), tmp_path, Silence())
    (partner,) = ended.partners
    assert partner.before.ratio == pytest.approx(0.4)
    assert not ended.healed
    assert ended.to_plain()["partners"][0]["fix"] is None


def test_traffic_adds_up():
    """Nothing is nothing: no share, and no division by it."""
    assert sum_up([traffic(3, 1), traffic(5, 2)]) == traffic(8, 3)
    assert sum_up([]).ratio == 0.0


def test_where_there_is_no_terminal_plain_lines_tell_it():
    """One every few seconds, without control sequences."""
    out = io.StringIO()
    screen = EveningScreen(Console(file=out, width=100))
    screen.begin()
    partner = Partner(name="search", seconds=(traffic(10, 4),))
    for _ in range(8):
        screen.show([partner], Phase.WATCHING)
    screen.decided([partner], Phase.CANARY)
    screen.end()
    assert out.getvalue().count("search 40%") == 2
    assert "\x1b" not in out.getvalue()


def test_a_terminal_shows_all_partners_at_once():
    """Calls, failures, bars a second, and the phase in words."""
    out = io.StringIO()
    screen = EveningScreen(Console(file=out, width=120, force_terminal=True))
    screen.begin()
    screen.show([Partner(name="search", seconds=(traffic(10, 9), traffic(10, 0)))], Phase.HEALED)
    screen.end()
    screen.end()
    assert "search" in out.getvalue()
    assert "█" in out.getvalue()
    assert "holdback" in out.getvalue()


def test_before_and_after_are_shown_beside_each_other():
    """A partner of which nothing is known after the fix gets a dash, not a rate."""
    out = io.StringIO()
    partner = Partner(name="search", before=traffic(10, 4))
    Console(file=out, width=100).print(
        before_and_after(Evening(partners=[partner], duration_s=1.0))
    )
    assert "40% of 10" in out.getvalue()
    assert "–" in out.getvalue()
