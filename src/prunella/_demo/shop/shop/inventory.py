"""What is on the shelves, and in which category."""

from dataclasses import dataclass, field

from prunella import heal


class OutOfStock(Exception):
    """There are fewer pieces than the customer wants."""


@dataclass
class Inventory:
    stock: dict[str, int] = field(default_factory=dict)

    def receive(self, sku: str, quantity: int) -> None:
        self.stock[sku] = self.stock.get(sku, 0) + quantity

    @heal
    def reserve(self, sku: str, quantity: int) -> int:
        """Take pieces off the shelf for an order and return how many are left."""
        left = self.stock.get(sku, 0) - quantity
        if left < 0:
            raise OutOfStock(f"{sku}: {quantity} wanted, {self.stock.get(sku, 0)} there")
        self.stock[sku] = left
        return left


@heal
def breadcrumbs(parents: dict[str, str], category: str) -> list[str]:
    """Return the way from the shop's front page to a category, outermost first."""
    if category not in parents:
        return [category]
    return [*breadcrumbs(parents, parents[category]), category]
