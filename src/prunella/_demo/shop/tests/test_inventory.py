import pytest

from shop.inventory import Inventory, OutOfStock, breadcrumbs


def test_reserved_pieces_leave_the_shelf():
    inventory = Inventory()
    inventory.receive("FERN-12", 5)
    assert inventory.reserve("FERN-12", 3) == 2


def test_nobody_gets_more_than_there_is():
    inventory = Inventory({"FERN-12": 1})
    with pytest.raises(OutOfStock, match="2 wanted, 1 there"):
        inventory.reserve("FERN-12", 2)
    assert inventory.stock == {"FERN-12": 1}


def test_breadcrumbs_lead_from_the_front_page():
    parents = {"ferns": "indoor", "indoor": "plants"}
    assert breadcrumbs(parents, "ferns") == ["plants", "indoor", "ferns"]
    assert breadcrumbs(parents, "plants") == ["plants"]
