"""What projects set for rollouts, as rollouts take it."""

from datetime import datetime

import pytest

from prunella.model.errors import ConfigurationError
from prunella.model.settings import Settings
from prunella.pipeline.advancing import is_quiet, limits_of


@pytest.mark.parametrize(
    ("hours", "hour", "expected"),
    [
        ("", 3, False),
        ("22:00-06:00", 3, True),
        ("22:00-06:00", 23, True),
        ("22:00-06:00", 12, False),
        ("09:00 - 17:00", 12, True),
        ("09:00-17:00", 17, False),
    ],
)
def test_quiet_hours_are_in_local_time_and_may_pass_midnight(
    hours: str, hour: int, expected: bool
) -> None:
    """The begin belongs to them, the end doesn't."""
    local = datetime(2026, 5, 4, hour).astimezone()
    assert is_quiet(hours, local) is expected


@pytest.mark.parametrize("hours", ["night", "22:00", "22:00-25:00", "22-"])
def test_other_hours_are_refused(hours: str) -> None:
    """With the setting's name and value."""
    with pytest.raises(ConfigurationError, match="quiet_hours"):
        is_quiet(hours, datetime(2026, 5, 4).astimezone())


def test_alpha_is_divided_among_the_guardrails() -> None:
    """The chances of a false alarm add up to what the project allows."""
    limits = limits_of(Settings(alpha=0.1, max_rollout_hours=2.0, min_exposures=50))
    assert limits.alpha_errors + limits.alpha_latency + limits.alpha_cost == pytest.approx(0.1)
    assert (limits.max_duration_s, limits.min_exposures) == (7200.0, 50)


def test_an_impossible_alpha_is_refused() -> None:
    """A chance lies between 0 and 1."""
    with pytest.raises(ConfigurationError, match="alpha"):
        limits_of(Settings(alpha=1.5))
