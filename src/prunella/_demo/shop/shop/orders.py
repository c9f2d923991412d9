"""Orders, from the cart to the list in the back office."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from prunella import heal


@dataclass
class Line:
    sku: str
    quantity: int
    price: Decimal


@dataclass
class Order:
    order_id: str
    country: str
    placed_on: date
    lines: list[Line] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))


@heal
def merge_lines(lines: list[Line]) -> list[Line]:
    """Return the lines with equal products put together, in the order of their first mention."""
    merged: dict[str, Line] = {}
    for line in lines:
        if line.sku in merged:
            merged[line.sku].quantity += line.quantity
        else:
            merged[line.sku] = Line(line.sku, line.quantity, line.price)
    return list(merged.values())


@heal
def page(order_ids: list[str], number: int, size: int = 10) -> list[str]:
    """Return one page of the order list; pages count from 1.

    A page behind the last one is empty.
    """
    pages = [order_ids[start : start + size] for start in range(0, len(order_ids), size)]
    return pages[number - 1]


@heal
def next_slot(slots: list[str], earliest: str) -> str | None:
    """Return the first delivery slot from `earliest` on, ``None`` when the week is booked out.

    Slots and `earliest` look like ``2026-11-23T14:00``.
    """
    return next(slot for slot in sorted(slots) if slot >= earliest)


def last_slot(slots: list[str]) -> str | None:
    """Return the last delivery slot of the week, ``None`` when it is booked out."""
    return max(slots, default=None)
