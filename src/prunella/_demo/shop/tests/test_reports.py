from datetime import date
from decimal import Decimal

from shop.orders import Line, Order
from shop.reports import (
    average_basket,
    average_rating,
    best_seller,
    revenue_by_country,
    slow_seller,
)


def test_averages_are_rounded():
    assert average_rating([5, 4, 4]) == 4.3
    assert average_basket([10.0, 20.5, 33.33]) == 21.28


def test_products_without_ratings_have_an_average_of_zero():
    assert average_rating([]) == 0.0


def test_revenue_is_added_up_by_country():
    monday = date(2026, 11, 23)
    orders = [
        Order("o-1", "DE", monday, [Line("FERN", 2, Decimal("9.50"))]),
        Order("o-2", "CH", monday, [Line("FIG", 1, Decimal("20.00"))]),
        Order("o-3", "DE", monday, [Line("FIG", 1, Decimal("20.00"))]),
    ]
    assert revenue_by_country(orders) == {"DE": Decimal("39.00"), "CH": Decimal("20.00")}


def test_sellers_are_told_by_pieces():
    assert best_seller({"FERN": 4, "FIG": 9}) == "FIG"
    assert slow_seller({"FERN": 4, "FIG": 9}) == "FERN"


def test_a_day_without_sales_has_no_slow_seller():
    assert slow_seller({}) is None
