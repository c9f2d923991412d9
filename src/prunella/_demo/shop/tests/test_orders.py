from datetime import date
from decimal import Decimal

from shop.orders import Line, Order, last_slot, merge_lines, next_slot, page

SLOTS = ["2026-11-24T09:00", "2026-11-23T14:00", "2026-11-23T09:00"]


def test_equal_products_become_one_line():
    lines = [Line("FERN", 1, Decimal(9)), Line("FIG", 1, Decimal(20)), Line("FERN", 2, Decimal(9))]
    assert [(line.sku, line.quantity) for line in merge_lines(lines)] == [("FERN", 3), ("FIG", 1)]


def test_an_order_without_lines_costs_nothing():
    assert Order("o-1", "DE", date(2026, 11, 1)).total == 0


def test_pages_count_from_one():
    order_ids = [f"o-{number}" for number in range(25)]
    assert page(order_ids, 1) == order_ids[:10]
    assert page(order_ids, 3) == order_ids[20:]
    assert page(order_ids, 2, size=20) == order_ids[20:]


def test_the_first_free_slot_is_offered():
    assert next_slot(SLOTS, "2026-11-23T10:00") == "2026-11-23T14:00"
    assert next_slot(SLOTS, "2026-11-23T14:00") == "2026-11-23T14:00"


def test_a_week_without_slots_has_no_last_one():
    assert last_slot(SLOTS) == "2026-11-24T09:00"
    assert last_slot([]) is None
