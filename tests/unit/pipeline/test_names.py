"""What a person types, and which incident or site they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from builders import AT, incident, site
from prunella.model.errors import AmbiguousName, NothingToHeal, UnknownName
from prunella.model.incidents import Incident, IncidentStatus, Location
from prunella.model.records import Site
from prunella.pipeline.names import find_incidents, find_site, worst_first

BEFORE = AT - timedelta(minutes=60)


@dataclass
class Known:
    """The part of a store that names are looked up in."""

    known_sites: Sequence[Site] = ()
    known_incidents: Sequence[Incident] = ()

    def sites(self) -> Sequence[Site]:
        return self.known_sites

    def site(self, site_id: str) -> Site | None:
        return next((item for item in self.known_sites if item.site_id == site_id), None)

    def incidents(self) -> Sequence[Incident]:
        return self.known_incidents

    def incident(self, incident_id: str) -> Incident:
        return next(item for item in self.known_incidents if item.incident_id == incident_id)


def place(module: str, qualname: str) -> Location:
    return Location(file="a.py", module=module, qualname=qualname, first_line=1, line=2)


SITES = [
    site(site_id="shop.orders:Order.total", module="shop.orders", qualname="Order.total"),
    site(site_id="shop.prices:total", module="shop.prices", qualname="total"),
    site(site_id="shop.prices:average"),
]


@pytest.mark.parametrize(
    ("name", "site_id"),
    [
        ("shop.prices:total", "shop.prices:total"),
        ("shop.prices.total", "shop.prices:total"),
        ("total", "shop.prices:total"),
        ("Order.total", "shop.orders:Order.total"),
        ("average", "shop.prices:average"),
    ],
)
def test_nearest_reading_of_a_name_wins(name: str, site_id: str) -> None:
    """A full name wins over a qualified one, which wins over a last part."""
    assert find_site(Known(SITES), name).site_id == site_id


def test_ambiguous_name_lists_its_choices() -> None:
    """Two functions that fit equally well are both named."""
    sites = [SITES[1], site(site_id="shop.tax:total", module="shop.tax", qualname="total")]
    with pytest.raises(AmbiguousName, match=r"shop\.prices:total, shop\.tax:total") as caught:
        find_site(Known(sites), "total")
    assert caught.value.choices == ("shop.prices:total", "shop.tax:total")


def test_unknown_name_suggests_the_nearest() -> None:
    """A typing error is answered with the name that was probably meant."""
    with pytest.raises(UnknownName, match=r"Did you mean shop\.prices:average"):
        find_site(Known(SITES), "shop.prices:avrage")


def test_empty_store_says_that_nothing_was_recorded() -> None:
    """Before the first recording the message says how to begin."""
    with pytest.raises(UnknownName, match="Decorate functions with @heal"):
        find_site(Known(), "total")


def test_incidents_are_found_by_site_and_by_the_function_that_failed() -> None:
    """Both the decorated function and the one inside it that failed lead to the incident."""
    inner = incident(location=place("shop.money", "parse"))
    store = Known(SITES, [inner])
    for name in ("average", "shop.prices:average", "parse", "inc_1"):
        assert find_incidents(store, name, since=BEFORE) == (inner,) or find_incidents(
            store, name, since=BEFORE
        ) == [inner]


def test_worst_incident_comes_first() -> None:
    """More failures come first, then later ones."""
    few = incident(incident_id="inc_few", count=1)
    many = incident(incident_id="inc_many", count=9)
    late = incident(incident_id="inc_late", count=1, last_seen_at=AT + timedelta(seconds=1))
    assert worst_first([few, many, late]) == [many, late, few]


def test_old_failure_says_when_it_was() -> None:
    """A function that failed before the window is not an unknown one."""
    with pytest.raises(NothingToHeal, match="look back further"):
        find_incidents(Known(SITES, [incident()]), "average", since=AT + timedelta(minutes=1))


def test_ignored_incident_is_not_healed() -> None:
    """An ignored incident is named as such and not returned."""
    store = Known(SITES, [incident(status=IncidentStatus.IGNORED)])
    with pytest.raises(NothingToHeal, match="ignored"):
        find_incidents(store, "average", since=BEFORE)


def test_function_that_never_failed_is_said_so() -> None:
    """A known function without a failure has nothing to heal."""
    with pytest.raises(NothingToHeal, match=r"no failure of shop\.prices:total"):
        find_incidents(Known(SITES, [incident()]), "total", since=BEFORE)


def test_name_in_two_functions_is_ambiguous() -> None:
    """A name that fits the failing functions of two modules is not guessed."""
    store = Known(
        SITES,
        [
            incident(location=place("shop.a", "parse")),
            incident(incident_id="inc_2", location=place("shop.b", "parse")),
        ],
    )
    with pytest.raises(AmbiguousName, match=r"shop\.a:parse, shop\.b:parse"):
        find_incidents(store, "parse", since=BEFORE)
