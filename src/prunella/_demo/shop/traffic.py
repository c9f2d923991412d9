"""A day in the shop: what the web site, the nightly imports and the reports ask for.

    python traffic.py [--requests N] [--seed N]

Every request that fails is logged, as the web framework would, and the shop goes on.
"""

import argparse
import asyncio
import inspect
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from shop.customers import Customer
from shop.importer import decode_feed, parse_price, parse_quantity, parse_weight, stock_rows
from shop.inventory import Inventory, breadcrumbs
from shop.orders import Line, Order, merge_lines, next_slot, page
from shop.pricing import loyalty_percent, redeem, to_euro, unit_price
from shop.reports import average_basket, average_rating, best_seller, revenue_by_country
from shop.shipping import Courier, postage

Request = tuple[Callable, tuple]

SKUS = ["FERN-12", "FIG-3", "IVY-7", "MOSS-1", "PALM-40", "SAGE-2"]
NAMES = ["ada", "Grace ", "Linus", "Maja", "Noor", "Øyvind", "Tove"]
CATEGORIES = {"ferns": "indoor", "palms": "indoor", "indoor": "plants", "herbs": "plants"}
TIERS = [
    [{"from": 1, "percent": 0}, {"from": 10, "percent": 5}, {"from": 50, "percent": 12}],
    [{"from": 1, "percent": 3}, {"from": 6, "percent": 8}],
]


def ordinary(rng: random.Random) -> Iterator[Request]:
    """Yield what every hour of every day brings."""
    price = Decimal(rng.randrange(190, 19900)) / 100
    yield unit_price, (price, rng.choice([1, 2, 3, 6, 12, 60]), rng.choice(TIERS))
    yield loyalty_percent, (rng.randrange(40),)
    yield redeem, (price, {"percent": rng.choice([5, 10, 20]), "minimum": rng.choice([0, 25, 50])})
    yield to_euro, (price, rng.choice(["EUR", "CHF", "GBP", "USD"]))
    order_ids = [f"o-{1000 + number}" for number in range(rng.randrange(1, 45))]
    yield page, (order_ids, rng.randint(1, -(-len(order_ids) // 10)))
    slots = [f"2026-11-{day}T{hour:02}:00" for day in (23, 24, 25) for hour in (9, 14)]
    yield next_slot, (rng.sample(slots, 4) + ["2026-11-26T09:00"], rng.choice(slots))
    lines = [Line(rng.choice(SKUS), rng.randint(1, 3), price) for _ in range(rng.randint(0, 4))]
    yield merge_lines, (lines,)
    yield revenue_by_country, ([an_order(rng, price) for _ in range(rng.randint(0, 5))],)
    customer = a_customer(rng, middle_name=rng.choice(["Marie", "lee ", "King"]))
    yield customer.initials, ()
    yield customer.mailing_line, ()
    yield customer.latest_order, ()
    yield Inventory({sku: rng.randint(3, 90) for sku in SKUS}).reserve, (rng.choice(SKUS), 2)
    yield breadcrumbs, (CATEGORIES, rng.choice(["ferns", "palms", "herbs", "plants"]))
    yield decode_feed, (rng.choice(["FERN-12;4\r\nFIG-3;9", "# Gärtnerei Maß\nIVY-7;1"]).encode(),)
    yield parse_price, (rng.choice(["9.90", "1,249.00", "", " 14.50"]),)
    yield parse_quantity, (rng.choice(["1", "6", "12", " 24", "100"]),)
    yield parse_weight, (rng.choice(["350", "1200.5", "75", "0.5"]),)
    yield stock_rows, ("\n".join(f"{sku};{rng.randrange(90)}" for sku in rng.sample(SKUS, 3)),)
    courier = a_courier(rng)
    yield courier.tracking_text, (rng.choice(list(courier.parcels)),)
    yield courier.delivery_note, (rng.choice(["o-1", "o-2", "o-3", "o-404"]),)
    yield (
        postage,
        ([rng.randrange(200, 4000) for _ in range(rng.randint(1, 5))], rng.random() < 0.2),
    )
    yield (
        average_basket,
        ([float(rng.randrange(500, 9000)) / 100 for _ in range(rng.randint(1, 6))],),
    )
    yield average_rating, ([rng.randint(1, 5) for _ in range(rng.randrange(8))],)
    yield best_seller, ({sku: rng.randrange(1, 30) for sku in rng.sample(SKUS, 3)},)


def unusual(rng: random.Random) -> Iterator[Request]:
    """Yield what came up since the last release: a holiday, new suppliers, new customers."""
    price = Decimal(rng.randrange(190, 19900)) / 100
    # The new wholesale products have no price for single pieces.
    yield unit_price, (price, rng.randint(1, 5), [{"from": 6, "percent": 10}])
    # A newsletter voucher, made without filling in the minimum.
    yield redeem, (price, {"percent": 15})
    # The first customer from Sweden.
    yield to_euro, (price, "SEK")
    # Someone edits the page number in the address bar; a new shop has no orders at all.
    yield page, ([f"o-{number}" for number in range(rng.randrange(4) * 10)], 4)
    # The week before the holidays is booked out.
    yield (
        next_slot,
        (["2026-12-21T09:00", "2026-12-21T14:00"], f"2026-12-2{rng.randint(2, 4)}T09:00"),
    )
    # The form asks for a middle name, and most people leave it open.
    yield a_customer(rng, middle_name=None).initials, ()
    # The last ones were sold a minute ago.
    yield Inventory({"FERN-12": rng.randint(0, 2)}).reserve, ("FERN-12", 3)
    # Somebody has put "plants" below "ferns".
    yield breadcrumbs, ({**CATEGORIES, "plants": "ferns"}, "palms")
    # A supplier whose software is from 2003.
    yield decode_feed, (f"# Gärtnerei Maß\nIVY-7;{rng.randint(1, 9)}".encode("cp1252"),)
    # The supplier doesn't know how many are in a pack.
    yield parse_quantity, ("",)
    # A tree.
    yield parse_weight, (f"{rng.randint(1, 9)},{rng.randint(100, 999)}.5",)
    # The file ends with a line break.
    yield stock_rows, (f"{rng.choice(SKUS)};{rng.randrange(90)}\n",)
    # The customer asks before the parcel is packed.
    yield a_courier(rng).tracking_text, (f"o-{rng.randint(500, 600)}",)
    # A day on which the shop was closed.
    yield average_basket, ([],)
    yield best_seller, ({},)


def an_order(rng: random.Random, price: Decimal) -> Order:
    placed_on = date(2026, 11, 1) + timedelta(days=rng.randrange(20))
    lines = [Line(rng.choice(SKUS), rng.randint(1, 4), price)]
    return Order(f"o-{rng.randrange(1000)}", rng.choice(["DE", "AT", "CH"]), placed_on, lines)


def a_customer(rng: random.Random, middle_name: str | None) -> Customer:
    first_name, last_name = rng.sample(NAMES, 2)
    email = rng.choice([None, f"{first_name.strip()}@example.org"])
    order_ids = [f"o-{rng.randrange(1000)}" for _ in range(rng.randrange(3))]
    return Customer(first_name, last_name, middle_name, email, order_ids)


def a_courier(rng: random.Random) -> Courier:
    return Courier(
        {
            "o-1": {"carrier": "DHL", "number": str(rng.randrange(10**6)), "delivered": False},
            "o-2": {"carrier": "GLS", "number": "7781", "delivered": True, "place": "neighbour"},
            "o-3": {"carrier": "DPD", "number": "0034", "delivered": False},
        }
    )


def requests(count: int, rng: random.Random) -> Iterator[Request]:
    """Yield `count` requests: a quiet morning, then about one unusual one in twelve."""
    made = 0
    quiet = count // 4
    while made < count:
        batch = list(ordinary(rng))
        if made >= quiet:
            batch += rng.sample(list(unusual(rng)), 3)
        rng.shuffle(batch)
        for request in batch[: count - made]:
            made += 1
            yield request


def serve(request: Request) -> None:
    function, arguments = request
    answer = function(*arguments)
    if inspect.iscoroutine(answer):
        asyncio.run(answer)
    elif inspect.isgenerator(answer):
        list(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description="Drive a day of requests through the shop.")
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=47)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    failures = Counter()
    for request in requests(options.requests, rng):
        try:
            serve(request)
        except Exception as error:
            function = request[0]
            failures[type(error).__name__] += 1
            print(f"ERROR {function.__module__}.{function.__qualname__}: {error!r:.90}", flush=True)
        time.sleep(0.001)
    print(f"{options.requests} requests, {failures.total()} failed", flush=True)


if __name__ == "__main__":
    main()
