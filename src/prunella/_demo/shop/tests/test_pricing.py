from decimal import Decimal

import pytest

from shop.pricing import is_redeemable, loyalty_percent, redeem, to_euro, unit_price

TIERS = [{"from": 1, "percent": 0}, {"from": 10, "percent": 5}, {"from": 50, "percent": 12}]


@pytest.mark.parametrize(("orders_placed", "percent"), [(0, 0), (2, 0), (3, 2), (11, 5), (400, 8)])
def test_loyalty_grows_in_steps(orders_placed, percent):
    assert loyalty_percent(orders_placed) == percent


@pytest.mark.parametrize(
    ("quantity", "price"), [(1, "12.50"), (9, "12.50"), (10, "11.88"), (50, "11.00")]
)
def test_many_pieces_cost_less(quantity, price):
    assert unit_price(Decimal("12.50"), quantity, TIERS) == Decimal(price)


def test_vouchers_need_their_minimum():
    voucher = {"percent": 10, "minimum": 50}
    assert redeem(Decimal("80.00"), voucher) == Decimal("72.00")
    assert redeem(Decimal("49.99"), voucher) == Decimal("49.99")


def test_the_field_is_shown_for_vouchers_without_a_minimum():
    assert is_redeemable(Decimal("1.00"), {"percent": 10})
    assert not is_redeemable(Decimal("1.00"), {"percent": 10, "minimum": 20})


def test_francs_and_pounds_are_converted():
    assert to_euro(Decimal("10.00"), "CHF") == Decimal("10.60")
    assert to_euro(Decimal("10.00"), "GBP") == Decimal("11.70")
    assert to_euro(Decimal("10.00"), "EUR") == Decimal("10.00")
