from decimal import Decimal

from shop.importer import (
    decode_addresses,
    decode_feed,
    parse_price,
    parse_quantity,
    parse_weight,
    read_catalog,
    stock_rows,
)


def test_feeds_are_decoded():
    assert decode_feed("Säntis;4\r\nFern;2".encode()) == "Säntis;4\nFern;2"


def test_addresses_come_in_two_encodings():
    assert decode_addresses("Zürich".encode()) == "Zürich"
    assert decode_addresses("Zürich".encode("cp1252")) == "Zürich"


def test_cells_are_read():
    assert parse_price(" 1,249.90 ") == Decimal("1249.90")
    assert parse_price("") == 0
    assert parse_quantity("12") == 12
    assert parse_weight("350") == 350.0


def test_comments_are_left_out():
    assert list(stock_rows("# week 47\nFERN-12;40\nFIG-3 ;7")) == [("FERN-12", 40), ("FIG-3", 7)]


def test_a_price_list_becomes_products():
    text = "sku,price,pack,weight\nFERN-12 ,9.90,6,350\n"
    assert read_catalog(text) == [
        {"sku": "FERN-12", "price": Decimal("9.90"), "pack": 6, "weight_g": 350.0}
    ]
