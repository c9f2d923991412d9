"""What things cost: volume prices, loyalty, vouchers, currencies."""

from decimal import ROUND_HALF_UP, Decimal

from prunella import heal

CENT = Decimal("0.01")

#: Orders a customer has placed, and the discount in percent that comes with them.
LOYALTY = ((3, 2), (10, 5), (25, 8))

#: Euros for one unit of a currency. Accounting updates them on the first of the month.
EURO_RATES = {
    "EUR": Decimal(1),
    "CHF": Decimal("1.06"),
    "GBP": Decimal("1.17"),
    "USD": Decimal("0.92"),
}


def to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@heal
def loyalty_percent(orders_placed: int) -> int:
    """Return the discount that a customer has earned, 0 below the first step."""
    percent = 0
    for orders_needed, granted in LOYALTY:
        if orders_placed >= orders_needed:
            percent = granted
    return percent


@heal
def unit_price(list_price: Decimal, quantity: int, tiers: list[dict]) -> Decimal:
    """Return the price of one piece when `quantity` pieces are bought together.

    `tiers` are the volume discounts of the product in ascending order, such as
    ``[{"from": 1, "percent": 0}, {"from": 10, "percent": 5}]``. The last one that the quantity
    reaches counts; below the first one the list price holds.
    """
    for tier in tiers:
        if quantity >= tier["from"]:
            percent = tier["percent"]
    return to_cents(list_price * (100 - percent) / 100)


def is_redeemable(total: Decimal, voucher: dict) -> bool:
    """Tell whether the checkout shows the field for this voucher."""
    return total >= voucher.get("minimum", 0)


@heal
def redeem(total: Decimal, voucher: dict) -> Decimal:
    """Return what is left to pay after a voucher.

    A voucher changes nothing while the total is below its minimum. Vouchers without a minimum are
    good for every order.
    """
    if total < voucher["minimum"]:
        return total
    return to_cents(total * (100 - voucher["percent"]) / 100)


@heal
def to_euro(amount: Decimal, currency: str) -> Decimal:
    """Return an amount in euros, at the rate of this month."""
    return to_cents(amount * EURO_RATES[currency])
