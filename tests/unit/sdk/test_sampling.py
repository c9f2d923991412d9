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


def passed(site: Site) -> int:
    """Return how many calls a site lets pass, as its wrapper and `begin` do."""
    calls = 0
    while site.left.cell_contents > 0 or site.reserve:
        assert site.left.cell_contents <= MAX_GRANT
        if site.left.cell_contents > 0:
            site.left.cell_contents -= 1
        else:
            site.refill()
        calls += 1
    return calls


@pytest.mark.parametrize("calls", [0, 1, MAX_GRANT, MAX_GRANT + 1, 1_000, MOST_GRANTED])
def test_as_many_calls_pass_as_were_granted(site: Site, calls: int) -> None:
    """The countdown never exceeds `MAX_GRANT`, and each call is counted."""
    site.settle()
    before = site.calls
    site.grant(calls)
    assert passed(site) == calls
    site.settle()
    assert site.calls == before + calls


def test_an_armed_site_takes_its_grant_back(site: Site) -> None:
    """Nothing passes any more, and what had passed by then is counted."""
    site.settle()
    before = site.calls
    site.grant(1_000)
    for _ in range(300):
        if site.left.cell_contents > 0:
            site.left.cell_contents -= 1
        else:
            site.refill()
    site.settle()
    site.grant(0)
    assert passed(site) == 0
    assert site.calls == before + 300


def test_a_boundary_has_no_reserve() -> None:
    """Its countdown may be passed over, so that it can't tell when a reserve begins."""

    def function() -> None: ...

    site = site_of(function, boundary=True)
    assert site is not None
    site.grant(1_000)
    assert passed(site) == MAX_GRANT
