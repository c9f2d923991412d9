"""What the owners read on Monday."""

from collections import defaultdict
from decimal import Decimal

from prunella import heal

from shop.orders import Order


@heal
def average_rating(stars: list[int]) -> float:
    """Return the mean of the ratings of a product, 0.0 before the first one."""
    if not stars:
        return 0.0
    return round(sum(stars) / len(stars), 1)


@heal
def average_basket(totals: list[float]) -> float:
    """Return the mean order value of a day."""
    return round(sum(totals) / len(totals), 2)


@heal
def revenue_by_country(orders: list[Order]) -> dict[str, Decimal]:
    """Return the revenue of each country that bought something."""
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        revenue[order.country] += order.total
    return dict(revenue)


@heal
def best_seller(pieces_sold: dict[str, int]) -> str | None:
    """Return the product that sold most often, ``None`` for a day without sales."""
    return max(pieces_sold, key=lambda sku: pieces_sold[sku])


def slow_seller(pieces_sold: dict[str, int]) -> str | None:
    """Return the product that sold least often, ``None`` for a day without sales."""
    return min(pieces_sold, key=lambda sku: pieces_sold[sku], default=None)
