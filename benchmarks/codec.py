"""What encoding costs: ten small values, a large list, a large string. ``python benchmarks/codec.py``

Each figure is the least of many short runs, so that other load on the machine shows little; the
first line is a yardstick for the machine itself.
"""

import json
import sys
import timeit
from collections.abc import Callable
from typing import Any

from prunella.codec import Redactor, decode, encode, encode_mapping
from prunella.codec.texts import mapping_text

TEN_SMALL: dict[str, Any] = {
    "user_id": 12345,
    "name": "Alice",
    "amount": 12.5,
    "active": True,
    "note": None,
    "tags": ["a", "b", "c"],
    "country": "DE",
    "code": "X-1234-ABCD",
    "count": 3,
    "ratio": 0.25,
}


def _show(what: str, run: Callable[[], Any], number: int = 500) -> None:
    best_us = min(timeit.repeat(run, number=number, repeat=60)) / number * 1e6
    print(f"{what:<52} {best_us:9.2f} us")


def main() -> None:
    """Print the table."""
    redactor = Redactor()
    million = list(range(125_000))
    text = "The quick brown fox jumps over the lazy dog. " * 25_000
    prose = text[:60_000]
    tree = encode_mapping(TEN_SMALL).tree
    print(f"Python {sys.version.split()[0]}")
    _show("yardstick: [i * i for i in range(1000)]", lambda: [i * i for i in range(1000)])
    _show("ten small values", lambda: encode_mapping(TEN_SMALL))
    _show("ten small values, redacted", lambda: encode_mapping(TEN_SMALL, redactor=redactor))
    _show("  as JSON text at once", lambda: mapping_text(TEN_SMALL, redactor=redactor))
    _show("  and their JSON text", lambda: json.dumps(tree))
    _show("  and back again", lambda: decode(tree))
    _show("a list of 1 MB", lambda: encode_mapping({"rows": million}, redactor=redactor))
    _show("a string of 1 MB", lambda: encode_mapping({"text": text}, redactor=redactor))
    _show("a list of 1,000 integers", lambda: encode(million[:1000], redactor=redactor), 50)
    _show("a string of 60 kB of prose", lambda: encode(prose, redactor=redactor), 5)
    _show("redactor.text, 11 characters", lambda: redactor.text("X-1234-ABCD"), 5_000)
    _show("redactor.text, 44 characters", lambda: redactor.text(text[:44]), 5_000)
    _show("redactor.text, a URL", lambda: redactor.text("https://example.org/a?b=c"), 2_000)


if __name__ == "__main__":
    main()
