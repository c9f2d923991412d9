"""Feeds from suppliers: CSV and text files in whatever shape they arrive."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from prunella import heal


@heal
def decode_feed(raw: bytes) -> str:
    """Return the text of a stock feed. Suppliers send UTF-8, the older ones Windows-1252."""
    return raw.decode("utf-8").replace("\r\n", "\n")


def decode_addresses(raw: bytes) -> str:
    """Return the text of the carrier's address file, UTF-8 or Windows-1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252")


@heal
def parse_price(text: str) -> Decimal:
    """Return a price such as ``"1,249.90"``; an empty cell is 0."""
    text = text.strip().replace(",", "")
    if not text:
        return Decimal(0)
    return Decimal(text)


@heal
def parse_quantity(text: str) -> int:
    """Return the number of pieces in a cell; an empty cell is 0."""
    return int(text)


@heal
def parse_weight(text: str) -> float:
    """Return a weight in grams, such as ``"350"`` or ``"1,250.5"``."""
    return float(text)


@heal
def stock_rows(text: str) -> Iterator[tuple[str, int]]:
    """Yield product and number of pieces of each line of a stock feed, ``FERN-12;40``.

    Lines that begin with ``#`` and blank ones are left out.
    """
    for line in text.split("\n"):
        if line.startswith("#"):
            continue
        sku, pieces = line.split(";")
        yield sku.strip(), int(pieces)


def read_catalog(text: str) -> list[dict]:
    """Return the products of a supplier's price list (CSV with a header)."""
    return [
        {
            "sku": row["sku"].strip(),
            "price": parse_price(row["price"]),
            "pack": parse_quantity(row["pack"]),
            "weight_g": parse_weight(row["weight"]),
        }
        for row in csv.DictReader(io.StringIO(text))
    ]
