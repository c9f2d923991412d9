"""Finds the documents nearest to a query, by words and by shape, in memory.

Two rankings are merged by reciprocal rank (Cormack, Clarke, Büttcher: Reciprocal Rank Fusion,
SIGIR 2009; score = sum of 1 / (60 + rank)):

- full text: SQLite's FTS5 (BM25), documents with all words of the query first, then those with some;
- vectors: hashed character 3- to 5-grams (feature hashing with signs, Weinberger et al., ICML 2009),
  one numpy product. They find what shares parts of words only: other forms, typos, joined names.

Both see code as people read it: ``parse_price`` and ``parsePrice`` are the words *parse* and
*price* and the name itself.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import lru_cache

from prunella.model.errors import MissingExtra

try:
    import numpy as np
    from numpy.typing import NDArray
except ModuleNotFoundError as error:
    raise MissingExtra("heal", "Searching for similar code and cases") from error

_DIMENSIONS = 4096
_GRAM_LENGTHS = (3, 4, 5)
_FUSION = 60
#: Texts whose vectors are made at once, and their bytes, at most.
_PORTION, _PORTION_BYTES = 16, 32_768
#: Longer texts are compared by their beginning, in characters.
_MAX_DOCUMENT_CHARS = 20_000
_MAX_QUERY_WORDS = 32

_NAME = re.compile(r"\w+")
_PART = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class HybridRetriever:
    """Implements `prunella.ports.Retriever`.

    The similarity it reports is the cosine of the n-gram vectors, cut off at 0: 1 for the same
    words in the same order, about 0.2 to 0.4 for texts of the same subject, near 0 for unrelated
    ones. It doesn't depend on the other documents. The order does: it is that of the merged
    rankings, so that a similarity may be larger than one before it. Documents that share neither a
    word nor an n-gram with the query are left out.
    """

    def rank(
        self, query: str, documents: Sequence[str], *, limit: int
    ) -> Sequence[tuple[int, float]]:
        words = split_words(query)
        if not words or not documents or limit <= 0:
            return []
        texts = [split_words(document) for document in documents]
        similarities = _similarities(words, texts)
        scores = np.zeros(len(documents))
        by_shape = [
            index for index in np.argsort(-similarities, kind="stable") if similarities[index]
        ]
        for ranking in (by_shape, _full_text(words, texts)):
            for place, index in enumerate(ranking, start=1):
                scores[index] += 1 / (_FUSION + place)
        best = np.lexsort((-similarities, -scores))[:limit]
        return [(int(index), float(similarities[index])) for index in best if scores[index]]


def split_words(text: str) -> list[str]:
    """Return the words of a text or of source code in lower case, names also taken apart."""
    return [word for name in _NAME.findall(text[:_MAX_DOCUMENT_CHARS]) for word in _words_of(name)]


@lru_cache(maxsize=50_000)
def _words_of(name: str) -> tuple[str, ...]:
    """Return the parts of a name in lower case, and the name itself where it has several."""
    parts = [part.lower() for hump in _HUMP.split(name) for part in _PART.findall(hump)]
    return (*parts, name.lower()) if len(parts) > 1 else tuple(parts)


def _full_text(query: list[str], texts: list[list[str]]) -> list[int]:
    """Return indices of the documents with words of the query: with all of them first."""
    # A word consists of letters, digits and _ only; in quotes it is never an operator of FTS5.
    wanted = [f'"{word}"' for word in dict.fromkeys(query[:_MAX_QUERY_WORDS])]
    found: dict[int, None] = {}
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(words, tokenize = \"unicode61 tokenchars '_'\")"
        )
        db.executemany(
            "INSERT INTO texts (rowid, words) VALUES (?, ?)",
            enumerate(" ".join(words) for words in texts),
        )
        for operator in (" AND ", " OR "):
            rows = db.execute(
                "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank, rowid",
                (operator.join(wanted),),
            )
            found.update((index, None) for (index,) in rows)
    return list(found)


def _similarities(query: list[str], texts: list[list[str]]) -> NDArray[np.float64]:
    """Return the cosine of each text's vector with the query's; each component is damped by its root."""
    wanted = _sums([_shape(query)])
    wanted = np.sign(wanted) * np.sqrt(np.abs(wanted) / max(float(np.abs(wanted).sum()), 1.0))
    found = []
    for shapes in _portions([_shape(words) for words in texts]):
        sums = _sums(shapes)
        places = np.flatnonzero(sums)
        owners, values = places // _DIMENSIONS, sums[places]
        products = np.sign(values) * np.sqrt(np.abs(values)) * wanted[places % _DIMENSIONS]
        lengths = np.sqrt(np.bincount(owners, weights=np.abs(values), minlength=len(shapes)))
        totals = np.bincount(owners, weights=products, minlength=len(shapes))
        found.append(totals / np.maximum(lengths, 1.0))
    return np.clip(np.concatenate(found), 0.0, 1.0)


def _shape(words: list[str]) -> bytes:
    return f" {' '.join(words)} ".encode("utf-8", "replace")


def _portions(shapes: list[bytes]) -> Iterator[list[bytes]]:
    """Yield the shapes in lists that are small enough for the processor's cache."""
    portion: list[bytes] = []
    size_bytes = 0
    for shape in shapes:
        portion.append(shape)
        size_bytes += len(shape)
        if len(portion) == _PORTION or size_bytes > _PORTION_BYTES:
            yield portion
            portion, size_bytes = [], 0
    if portion:
        yield portion


def _sums(shapes: list[bytes]) -> NDArray[np.float64]:
    """Return the vectors of the character n-grams of `shapes`, one behind the other, not damped yet."""
    data = np.frombuffer(b"".join(shapes), dtype=np.uint8)
    owners = np.repeat(np.arange(len(shapes)), [len(shape) for shape in shapes])
    all_places, all_signs = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for length in _GRAM_LENGTHS:
        if len(data) < length:
            continue
        hashes = np.full(len(data) - length + 1, length, dtype=np.uint64)
        for offset in range(length):
            # Multiplication wraps around, which is what a hash wants.
            hashes = hashes * np.uint64(0x100000001B3) + data[offset : offset + len(hashes)]
        hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(0xBF58476D1CE4E5B9)
        firsts = owners[: len(hashes)]
        signs = 1.0 - 2.0 * (hashes >> np.uint64(63)).astype(np.float64)
        signs[firsts != owners[length - 1 :]] = 0.0  # it reaches into the next one's
        places = ((hashes >> np.uint64(20)) % np.uint64(_DIMENSIONS)).astype(np.int64)
        all_places.append(places + firsts * _DIMENSIONS)
        all_signs.append(signs)
    places, size = np.concatenate(all_places), len(shapes) * _DIMENSIONS
    sums: NDArray[np.float64] = np.zeros(size)
    sums += np.bincount(places, weights=np.concatenate(all_signs), minlength=size)
    return sums
