"""How much of a value is encoded, and what comes out."""

from dataclasses import dataclass
from typing import NamedTuple

from prunella.model.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one encoding. What lies beyond them is marked in the tree, never an error."""

    #: Containers and objects inside each other.
    max_depth: int = 100
    #: Values altogether.
    max_nodes: int = 10_000
    #: Items of one container. A longer one is cut down to its first ten: it can't be replayed
    #: anyhow, and so a huge list costs no more than a small one.
    max_items: int = 1_000
    #: Characters of one string, bytes of one bytes object or array; a longer one is cut likewise.
    max_string_length: int = 65_536
    #: Text and binary data altogether, in characters and bytes.
    max_total_bytes: int = 262_144
    #: Processor time for one encoding, looked at every few hundred values.
    time_budget_ms: float = 20.0


DEFAULT_LIMITS = Limits()

#: Strings below this length hold no secret and are too small to be counted.
SHORT = 8


class Encoded(NamedTuple):
    """A value as a tree."""

    tree: Tree
    #: Nothing is opaque, cut or redacted: `decode` gives back the equal value.
    complete: bool
