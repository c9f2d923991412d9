import sqlite3
from collections import Counter
from contextlib import closing
from math import copysign, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.adapters.retrieval import (
    HybridRetriever,
    _by_words,
    _similarities,
    split_words,
)

CODE = [
    "def parse_price(text):\n    return Decimal(text.strip())",
    "def total_weight(items):\n    return sum(item.weight for item in items)",
    "class OrderBook:\n    def addOrder(self, order): self.orders.append(order)",
    "def read_config(path):\n    with open(path) as file:\n        return json.load(file)",
]
RETRIEVER = HybridRetriever()


def first(query, documents=CODE):
    return RETRIEVER.rank(query, documents, limit=1)[0][0]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("parsePrice", 0),
        ("price parsing failed", 0),
        ("decimal.InvalidOperation in parse_price", 0),
        ("weights of items", 1),
        ("add_order", 2),
        ("JSONDecodeError while reading configuration", 3),
    ],
)
def test_code_is_found_by_how_people_speak_of_it(query, index):
    """Names are found in other spellings, by their parts and by other forms of a word."""
    assert first(query) == index


def test_all_words_come_before_some():
    """A document with every word of the query goes before one that repeats one of them."""
    documents = ["price price price price", "the price of an order", "order"]
    assert first("order price", documents) == 1


@given(st.text(min_size=1, max_size=200))
def test_similarity_to_itself_is_one(text):
    """The same words have similarity 1; a text without words has no neighbours."""
    found = RETRIEVER.rank(text, [text], limit=1)
    assert found == ([(0, pytest.approx(1.0, abs=1e-5))] if split_words(text) else [])


@given(st.text(max_size=100), st.lists(st.text(max_size=100), max_size=8), st.integers(-1, 9))
def test_any_text_is_ranked(query, documents, limit):
    """Query and documents are untrusted: each document comes once at most, within 0 and 1."""
    found = RETRIEVER.rank(query, documents, limit=limit)
    assert len(found) <= max(limit, 0)
    assert len({index for index, _ in found}) == len(found)
    assert all(0 <= similarity <= 1 for _, similarity in found)


@pytest.mark.parametrize(
    "query",
    [
        'price" OR "',
        "NEAR(price order, 2)",
        "words : price",
        "price AND NOT order",
        "^price*",
        "'; DROP TABLE texts; --",
        "AND",
        "price\x00order",
        "{price order} - + ( )",
    ],
)
def test_queries_are_words_never_operators(query):
    """Full-text syntax in an error message is text like any other."""
    documents = ["the price of AND near words texts", "order"]
    assert len(RETRIEVER.rank(query, documents, limit=5)) <= 2


def test_similarity_does_not_depend_on_the_others():
    """A document's similarity is the same alone and among others."""
    alone = RETRIEVER.rank("parse the price", CODE[:1], limit=1)[0][1]
    among = dict(RETRIEVER.rank("parse the price", CODE, limit=9))[0]
    assert alone == pytest.approx(among)


def full_text(words, texts):
    """Return what FTS5 finds: indices of the texts with all words, then with some."""
    wanted = [f'"{word}"' for word in dict.fromkeys(words[:32])]
    found = {}
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(words, tokenize = \"unicode61 tokenchars '_'\")"
        )
        db.executemany(
            "INSERT INTO texts (rowid, words) VALUES (?, ?)", enumerate(map(" ".join, texts))
        )
        for operator in (" AND ", " OR "):
            rows = db.execute(
                "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank, rowid",
                (operator.join(wanted),),
            )
            found.update((index, None) for (index,) in rows)
    return list(found)


def vector(words):
    """Return the damped components of a text's vector, one gram after the other."""
    data = f" {' '.join(words)} ".encode()
    sums = Counter()
    for length in (3, 4, 5):
        for begin in range(len(data) - length + 1):
            number = length
            for byte in data[begin : begin + length]:
                number = (number * 0x100000001B3 + byte) % 2**64
            number = (number ^ number >> 29) * 0xBF58476D1CE4E5B9 % 2**64
            sums[(number >> 20) % 4096] += -1 if number >> 63 else 1
    size = sqrt(sum(map(abs, sums.values()))) or 1.0
    return {place: copysign(sqrt(abs(total)), total) / size for place, total in sums.items()}


WORDS = st.text("abcé_ß1 ", max_size=60).map(split_words)


@given(WORDS.filter(bool), st.lists(WORDS, max_size=12))
def test_words_are_ranked_as_sqlite_does(query, texts):
    """The order by words is that of a full-text index, which people know."""
    assert _by_words(query, texts) == full_text(query, texts)


@given(WORDS, st.lists(st.text(max_size=60).map(split_words), min_size=1, max_size=9))
def test_similarity_is_the_cosine_of_two_vectors(query, texts):
    """Texts whose vectors are made at once are compared as each alone would be."""
    wanted = vector(query)
    for words, similarity in zip(texts, _similarities(query, texts), strict=True):
        other = vector(words)
        product = sum(value * other.get(place, 0.0) for place, value in wanted.items())
        assert similarity == pytest.approx(min(max(product, 0.0), 1.0), abs=1e-9)


def test_unrelated_documents_are_far():
    """The numbers mean something: the same subject is nearer than another one."""
    found = dict(
        RETRIEVER.rank(
            "division by zero in average of prices",
            [
                "ZeroDivisionError: division by zero in average_weight",
                "UnicodeDecodeError: utf-8 codec can't decode byte 0xff",
            ],
            limit=2,
        )
    )
    assert found[0] > 0.25 > found.get(1, 0.0)


def test_nothing_asked_nothing_found():
    """No query, no documents or no limit give no answer, not an error."""
    assert RETRIEVER.rank("", CODE, limit=3) == []
    assert RETRIEVER.rank("price", [], limit=3) == []
    assert RETRIEVER.rank("price", ["", "…"], limit=3) == []
    assert RETRIEVER.rank("price", CODE, limit=0) == []


def test_huge_documents_are_bounded():
    """A document of a megabyte is compared by its beginning."""
    assert first("price", ["x" * 1_000_000, "price " * 200_000]) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parse_price", ["parse", "price", "parse_price"]),
        ("parsePrice2", ["parse", "price", "2", "parseprice2"]),
        ("HTTPServer", ["http", "server", "httpserver"]),
        ("plain words", ["plain", "words"]),
        ("Größe_über", ["größe", "über", "größe_über"]),
        ("__init__", ["init"]),
        ("…", []),
    ],
)
def test_words_of_code(text, words):
    """A name is its parts and itself."""
    assert split_words(text) == words
