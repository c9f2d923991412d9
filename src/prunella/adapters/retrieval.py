"""Finds the documents nearest to a query, by words and by shape, in memory.

Two rankings are merged by reciprocal rank (Cormack, Clarke, Büttcher: Reciprocal Rank Fusion,
SIGIR 2009; score = sum of 1 / (60 + rank)):

- words: BM25 in the form of SQLite's FTS5, documents with all words of the query first, then those
  with some. It is worked out here because an index that is asked once costs more than all the rest;
- vectors: hashed character 3- to 5-grams (feature hashing with signs, Weinberger et al., ICML 2009).
  They find what shares parts of words only: other forms, typos, joined names.

Both see code as people read it: ``parse_price`` and ``parsePrice`` are the words *parse* and
*price* and the name itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import log
from unicodedata import combining, normalize

from prunella.model.errors import MissingExtra

try:
    import numpy as np
    from numpy.typing import NDArray
except ModuleNotFoundError as error:
    raise MissingExtra("heal", "Searching for similar code and cases") from error

_DIMENSIONS = 4096
_GRAM_LENGTHS = (3, 4, 5)
_FUSION = 60
#: Vectors are made at once of texts of so many bytes, or of one that is longer.
_PORTION_BYTES = 8_192
#: What hashes are multiplied by for each byte.
_FACTOR = 0x100000001B3
#: How much more often a word counts little more (k1), and how much less in a long document (b).
_SATURATION, _LENGTH_WEIGHT = 1.2, 0.75
#: Longer texts are compared by their beginning, in characters.
_MAX_DOCUMENT_CHARS = 20_000
_MAX_QUERY_WORDS = 32

_Numbers = NDArray[np.intp]

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
        by_shape = np.argsort(-similarities, kind="stable")[: np.count_nonzero(similarities)]
        scores = np.zeros(len(documents))
        for ranking in (by_shape, np.array(_by_words(words, texts), dtype=np.intp)):
            scores[ranking] += 1 / (_FUSION + np.arange(1, len(ranking) + 1))
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


def _by_words(query: list[str], texts: list[list[str]]) -> list[int]:
    """Return indices of the documents with words of the query: with all of them first."""
    wanted = list(dict.fromkeys(_bare(query[:_MAX_QUERY_WORDS])))
    known = frozenset(wanted)
    counted = {}
    for index, words in enumerate(texts):
        here = [word for word in _bare(words) if word in known]
        if here:
            counted[index] = Counter(here)
    if not counted:
        return []
    having = Counter(word for often in counted.values() for word in often)
    # A word that half of the documents have tells next to nothing; still more than none.
    rarity = [
        max(log((len(texts) - having[word] + 0.5) / (having[word] + 0.5)), 0.0) or 1e-6
        for word in wanted
    ]
    mean_words = sum(map(len, texts)) / len(texts)
    order = []
    for index, often in counted.items():
        length = 1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * len(texts[index]) / mean_words
        score = 0.0
        for word, rare in zip(wanted, rarity, strict=True):
            number = float(often[word])
            score += rare * (number * (_SATURATION + 1)) / (number + _SATURATION * length)
        order.append((len(often) < len(wanted), -score, index))
    return [index for *_, index in sorted(order)]


def _bare(words: list[str]) -> list[str]:
    """Return words without their accents, which people leave out."""
    if "".join(words).isascii():
        return words
    return [
        "".join(char for char in normalize("NFD", word) if not combining(char)) for word in words
    ]


def _similarities(query: list[str], texts: list[list[str]]) -> NDArray[np.float64]:
    """Return the cosine of each text's vector with the query's; each component is damped by its root."""
    _, places, sums = _vectors([_shape(query)])
    total = max(float(np.abs(sums).sum()), 1.0)
    wanted = np.zeros(_DIMENSIONS)
    wanted[places] = np.sign(sums) * np.sqrt(np.abs(sums) / total)
    found = []
    for shapes in _portions([_shape(words) for words in texts]):
        owners, places, sums = _vectors(shapes)
        sizes = np.abs(sums)
        lengths = np.sqrt(np.bincount(owners, weights=sizes, minlength=len(shapes)))
        shared = np.flatnonzero(wanted[places])
        products = np.sign(sums[shared]) * np.sqrt(sizes[shared]) * wanted[places[shared]]
        totals = np.bincount(owners[shared], weights=products, minlength=len(shapes))
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
        if size_bytes > _PORTION_BYTES:
            yield portion
            portion, size_bytes = [], 0
    if portion:
        yield portion


def _vectors(shapes: list[bytes]) -> tuple[_Numbers, _Numbers, NDArray[np.float64]]:
    """Return the vectors of the character n-grams of `shapes`, not damped yet.

    Three arrays have an item for each component with a gram, by shape and place: the index of its shape,
    its place in the vector, and its value.
    """
    keys = np.sort(np.concatenate([np.zeros(0, dtype=np.uint32), *_grams(shapes)]))
    components = keys >> np.uint32(1)
    is_first = np.concatenate(([True], components[1:] != components[:-1]))[: len(keys)]
    begins = np.flatnonzero(is_first)
    until = np.concatenate(([0.0], np.cumsum(1.0 - 2.0 * (keys & np.uint32(1)))))
    values = np.diff(until[np.append(begins, len(keys))])
    owners, places = np.divmod(components[begins], np.uint32(_DIMENSIONS))
    return owners.astype(np.intp), places.astype(np.intp), values


def _grams(shapes: list[bytes]) -> Iterator[NDArray[np.uint32]]:
    """Yield the grams of each length, as one number each: index of the shape, place, whether negative."""
    data = np.frombuffer(b"".join(shapes), dtype=np.uint8)
    owners = np.repeat(np.arange(len(shapes), dtype=np.uint32), [len(shape) for shape in shapes])
    sums = data.astype(np.uint64)
    for length in range(2, min(_GRAM_LENGTHS[-1], len(data)) + 1):
        # Multiplication wraps around, which is what a hash wants.
        sums = sums[:-1] * np.uint64(_FACTOR) + data[length - 1 :]
        if length not in _GRAM_LENGTHS:
            continue
        hashes = sums + np.uint64(length * _FACTOR**length % 2**64)
        hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(0xBF58476D1CE4E5B9)
        places = (hashes >> np.uint64(20)).astype(np.uint32) % np.uint32(_DIMENSIONS)
        negative = (hashes >> np.uint64(63)).astype(np.uint32)
        firsts = owners[: len(hashes)]
        keys = (firsts * np.uint32(_DIMENSIONS) + places) * np.uint32(2) + negative
        yield keys[firsts == owners[length - 1 :]]  # others reach into the next shape
