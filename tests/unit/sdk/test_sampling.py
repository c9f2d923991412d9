"""How many calls of a site pass between two looks at the clock."""

import pytest

from prunella.model.settings import Settings
from prunella.sdk.sampling import MOST_GRANTED, SELDOM_NS, Sampling
from prunella.sdk.site import LOOK_NS, MAX_GRANT, Site, site_of


@pytest.fixture
def site() -> Site:
    def function() -> None: ...

    found = site_of(function, kind="function", boundary=False, capture=None, redact=())
    assert found is not None
    return found


def granted(sampling: Sampling, site: Site, *, since: int, elapsed_ns: int) -> int:
    now = 10**15 + elapsed_ns
    site.last_look_ns = 10**15
    sampling.let_pass(site, since, now)
    return site.granted + site.reserve


@pytest.fixture
def sampling() -> Sampling:
    return Sampling(Settings())


def exhausted(sampling: Sampling) -> Sampling:
    sampling.looks._left_ns = -1e18
    sampling.looks._share = 0.0
    return sampling


def test_with_time_for_looks_the_pace_decides(sampling: Sampling, site: Site) -> None:
    """A site looks at the clock about every `LOOK_NS`, at the pace of its last calls."""
    assert granted(sampling, site, since=5, elapsed_ns=LOOK_NS) == 5
    assert granted(sampling, site, since=1, elapsed_ns=10 * LOOK_NS) == 0
    assert granted(sampling, site, since=MAX_GRANT, elapsed_ns=1_000) == MAX_GRANT


def test_without_time_for_looks_many_calls_pass(sampling: Sampling, site: Site) -> None:
    """Then a site looks about every `SELDOM_NS`; a slow one too lets `MAX_GRANT` calls pass."""
    exhausted(sampling)
    assert granted(sampling, site, since=1_000, elapsed_ns=SELDOM_NS) == 1_000
    assert granted(sampling, site, since=1, elapsed_ns=SELDOM_NS) == MAX_GRANT
    assert granted(sampling, site, since=MAX_GRANT, elapsed_ns=1_000) == MOST_GRANTED


def test_looks_are_paid_for(sampling: Sampling, site: Site) -> None:
    """Looks that use their share of the time up become seldom ones."""
    found = {granted(sampling, site, since=1, elapsed_ns=LOOK_NS) for _ in range(10_000)}
    assert found == {1, MAX_GRANT}


def test_a_clock_that_stands_still_is_no_error(sampling: Sampling, site: Site) -> None:
    """Two looks at one moment are as those of a very busy site."""
    assert granted(sampling, site, since=1, elapsed_ns=0) == MAX_GRANT
