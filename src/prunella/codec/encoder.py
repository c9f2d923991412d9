"""The state of one encoding: what is shared, what is left of the bounds, what got lost.

Runs inside other people's programs, at the moment a function is called: exact built-in types take
a short way through comparisons by identity, a container is registered before its items are
encoded (so cycles end), and nothing here raises into the host.
"""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from time import thread_time_ns
from typing import TYPE_CHECKING, Any, TypeAlias

from prunella.codec.classes import path_of
from prunella.codec.limits import SHORT, Encoded, Limits
from prunella.codec.names import UNCLEAN, WEAK, Secrecies
from prunella.codec.redacted import redacted_node
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor

#: Integers within stand for themselves; JSON readers and `int` itself refuse very long ones.
BIG = 1 << 1_000
MINUS_BIG = -BIG
#: The interpreter compares integers below this in one step.
SMALL = 1 << 29
MINUS_SMALL = -SMALL
INF = float("inf")
MINUS_INF = -INF
#: Items and characters that are kept of what is too long.
HEAD_ITEMS = 10
HEAD_LENGTH = 200
#: Looked at for secrets behind the head of a long string, since one may begin within it.
HEAD_MARGIN = 312
_NODES_PER_CLOCK = 256
#: Items of which it pays to look whether all are alike.
_MANY = 24
#: Once a value can't be replayed any more, it is recorded for people, who read no more than this.
_NODES_FOR_READING = 1_000

Handler: TypeAlias = "Callable[[Encoder, Any, int], Tree]"


class Head:
    """The beginning of a list, a tuple or an array that is too long to be kept, as it once was."""

    __slots__ = ("items", "shape", "size")

    def __init__(self, items: Any, size: int, shape: tuple[int, ...] = ()) -> None:
        #: Of its own type, at most `HEAD_ITEMS`.
        self.items = items
        #: How many there were.
        self.size = size
        #: Of a numpy array.
        self.shape = shape


class Encoder:
    """The state of one encoding."""

    # Defaults of the class, not assignments: what is used seldom costs nothing to make.
    complete = True
    deadline_ns = 0.0  # from the first look at the clock on

    def __init__(self, limits: Limits, redactor: "Redactor | None") -> None:
        self._limits = limits
        self.bytes_left = limits.max_total_bytes
        self.nodes_left = nodes_left = limits.max_nodes
        self.clock_at = nodes_left - _NODES_PER_CLOCK if nodes_left > _NODES_PER_CLOCK else 0
        self.max_items = limits.max_items
        self.max_string_length = limits.max_string_length
        #: Id of a container → the container (kept alive, so that its id isn't reused) and its node.
        self.memo: dict[int, tuple[Any, list[Any]]] = {}
        #: Id of a container met again → its number.
        self.shared: dict[int, int] = {}
        self.redactor = redactor
        if redactor is None:
            self.names, self.short = _NO_SECRETS, SHORT
        else:
            self.names, self.short = redactor.names, redactor.shortest

    # --- one value

    def node(self, value: Any, depth: int) -> Tree:
        """Return the tree of `value`, which may be `depth` levels deep."""
        kind = type(value)
        if kind is float and MINUS_INF < value < INF:
            scalar: float = value
            return scalar
        try:
            handler = BUILTIN.get(id(kind))
            if handler is None:
                handler = _chooser()(kind)
            return handler(self, value, depth)
        except Exception as error:  # noqa: BLE001 - whatever it is, the host must not see it
            return self.broken(value, error)

    def nodes(self, out: list[Tree], items: Iterable[Any], depth: int) -> list[Tree]:
        """Append the trees of `items` to `out`, and return it."""
        append, short = out.append, self.short
        if type(items) is list and len(items) >= _MANY and _are_small(items, short):
            out += items
            return out
        for item in items:
            kind = type(item)
            if (  # the commonest scalars, without a call
                (kind is int and item < SMALL and item > MINUS_SMALL)
                or (kind is str and len(item) < short)
                or item is None
                or kind is bool
                or (kind is float and MINUS_INF < item < INF)
            ):
                append(item)
            else:
                append(self.node(item, depth))
        return out

    def named(self, out: list[Tree], items: Iterable[tuple[Any, Any]], depth: int) -> list[Tree]:
        """Append keys and values to `out`; what a key says is secret doesn't get there."""
        names = self.names
        append, short = out.append, self.short
        for key, item in items:
            if type(key) is str and names[key] == 0:
                append(key)
            elif self.hides(out, key, item, depth):
                continue
            kind = type(item)
            if (
                (kind is int and item < SMALL and item > MINUS_SMALL)
                or (kind is str and len(item) < short)
                or item is None
                or kind is bool
                or (kind is float and MINUS_INF < item < INF)
            ):
                append(item)
            else:
                append(self.node(item, depth))
        return out

    def hides(self, out: list[Tree], key: Any, item: Any, depth: int) -> bool:
        """Append the tree of `key`; if it names a secret, append the mark for `item` and say so."""
        secrecy = self.secrecy_of(key)
        out.append(self.node(key, depth))
        if not secrecy:
            return False
        out.append(self.hidden(item, secrecy, depth))
        return True

    def text(self, value: str) -> Tree:
        """Return the tree of a string: without secrets, and cut if it is too long."""
        size = len(value)
        if size > self.max_string_length or size > self.bytes_left:
            head = value[: HEAD_LENGTH + HEAD_MARGIN]
            if self.redactor is not None:
                head = self.redactor.text(head)
            return self.cut(size, head[:HEAD_LENGTH])
        self.bytes_left -= size
        if self.redactor is None:
            return value
        clean = self.redactor.text(value)
        if clean is value:
            return value
        self.lose()
        return redacted_node(value) if self.redactor.is_all_secret(clean) else clean

    def binary(self, value: bytes) -> bytes | None:
        """Return `value` without secrets, or ``None`` if it is too long."""
        if len(value) > self.max_string_length or len(value) > self.bytes_left:
            return None
        self.bytes_left -= len(value)
        if self.redactor is None or len(value) < self.short:
            return value
        text = value.decode("latin-1")
        clean = self.redactor.text(text)
        if clean is text:
            return value
        self.lose()
        return clean.encode("latin-1", "replace")

    def big(self, value: int) -> Tree:
        """Return the tree of an integer of a great many digits: hexadecimal, which is linear."""
        if value.bit_length() // 4 > min(self.max_string_length, self.bytes_left):
            return self.opaque(int, f"too long: {value.bit_length()} bits")
        self.bytes_left -= value.bit_length() // 4
        return ["i", hex(value)]

    # --- containers

    def again(self, key: int) -> list[Tree]:
        """Refer to the container of id `key`, which is encoded elsewhere in the tree."""
        number = self.shared.get(key)
        if number is None:
            number = self.shared[key] = len(self.shared)
        return ["*", number]

    def sequence(
        self, value: Any, out: list[Tree], size: int, items: Any, depth: int
    ) -> list[Tree]:
        """Encode a container of `size` items that `items` iterates over into `out`."""
        key = id(value)
        if key in self.memo:
            return self.again(key)
        self.memo[key] = (value, out)
        return self.items_part(out, size, items, depth)

    def items_part(self, out: list[Tree], size: int, items: Any, depth: int) -> list[Tree]:
        """As `sequence`, without giving the container an identity."""
        if self.admits(size, depth):
            return self.nodes(out, list(islice(items, size)), depth - 1)
        return self.cut_into(out, size, self.nodes, items, depth)

    def admits(self, size: int, depth: int) -> bool:
        """Account for a container of `size` items; tell whether the limits leave room for it."""
        if depth <= 0 or size > self.max_items:
            return False
        self.nodes_left -= size + 1
        return self.nodes_left >= self.clock_at or self.has_time()

    def has_time(self) -> bool:
        """Look at the clock and at what is left, which is done every few hundred values."""
        self.clock_at = max(0, self.nodes_left - _NODES_PER_CLOCK)
        now_ns = thread_time_ns()  # waiting for the processor isn't the encoder's cost
        if self.deadline_ns == 0:
            self.deadline_ns = now_ns + self._limits.time_budget_ms * 1_000_000
        elif now_ns > self.deadline_ns:
            self.nodes_left = -1
        return self.nodes_left >= 0

    def cut_into(
        self,
        out: list[Tree],
        size: int,
        append: Callable[[list[Tree], Any, int], list[Tree]],
        items: Any,
        depth: int,
    ) -> list[Tree]:
        """Make `out` a mark with the first items, or with none where the limits are used up."""
        head = out[:]
        if size > self.max_items and self.admits(HEAD_ITEMS, depth):
            append(head, list(islice(items, HEAD_ITEMS)), depth - 1)
        out[:] = self.cut(size, head)
        return out

    def pairs(self, value: Any, out: list[Tree], size: int, items: Any, depth: int) -> Tree:
        """As `sequence`, for a mapping: `items` iterates over keys with values."""
        key = id(value)
        if key in self.memo:
            return self.again(key)
        self.memo[key] = (value, out)
        return self.pairs_part(out, size, items, depth)

    def pairs_part(self, out: list[Tree], size: int, items: Any, depth: int) -> Tree:
        """As `pairs`, without giving the container an identity."""
        if self.admits(size, depth):
            return self.named(out, list(islice(items, size)), depth - 1)
        return self.cut_into(out, size, self.named, items, depth)

    # --- secrets

    def secrecy_of(self, name: Any) -> int:
        """Return the secrecy of a key or a label of any type: 0, `WEAK` or `STRONG`."""
        if type(name) is bytes and len(name) <= 64:
            name = name.decode("latin-1")
        if type(name) is not str:
            return 0
        secrecy = self.names[name]
        return 0 if secrecy == UNCLEAN else secrecy

    def hidden(self, value: Any, secrecy: int, depth: int) -> Tree:
        """Return the redacted mark for the value of a secret name, or the value if it is harmless.

        Whether there is a secret (``None``, a flag) isn't one; numbers are none under weak names.
        """
        kind = type(value)
        if value is None or kind is bool or (secrecy == WEAK and kind in (int, float)):
            return self.node(value, depth)
        self.lose()
        return redacted_node(value)

    # --- what is lost

    def lose(self) -> None:
        """Note that the tree is not whole."""
        if self.complete:
            self.complete = False
            if self.nodes_left > _NODES_FOR_READING:
                self.nodes_left = _NODES_FOR_READING
                self.clock_at = _NODES_FOR_READING

    def opaque(self, kind: type, reason: str) -> list[Tree]:
        """Return the mark of a value that isn't encoded."""
        self.lose()
        return ["?", path_of(kind), reason]

    def cut(self, size: int, head: Tree) -> list[Tree]:
        """Return the mark of a value of `size` items, characters or bytes that begins with `head`."""
        self.lose()
        return ["cut", size, head]

    def broken(self, value: Any, error: Exception) -> Tree:
        """Return what there is of a value whose encoding failed."""
        self.lose()
        kept = self.memo.get(id(value))
        if kept is None:
            return self.opaque(type(value), f"unreadable: {type(error).__name__}")
        node = kept[1]  # others refer to it, and to what is in it: it has to stay
        node[:] = ["cut", len(node) - 1, node[:]]
        return node

    def finish(self, tree: Tree) -> Encoded:
        """Number the nodes that others refer to."""
        if self.shared:
            for key, number in self.shared.items():
                node = self.memo[key][1]
                node[:] = ["&", number, node[:]]
        return encoded(Encoded, (tree, self.complete))


def _are_small(items: list[Any], short: int) -> bool:
    """Tell whether all are scalars of one type that stand for themselves; without a loop in Python."""
    kinds = {*map(id, map(type, items))}
    if len(kinds) > 1:
        return False
    kind = kinds.pop()
    if kind == id(int):
        return bool(max(items) < SMALL and min(items) > MINUS_SMALL)
    if kind == id(float):
        return bool(MINUS_INF < sum(items) < INF)
    return kind == id(str) and len(max(items, key=len)) < short


#: ``encoded(Encoded, (tree, complete))`` is as ``Encoded(…)``, in half the time.
encoded = tuple.__new__
_NO_SECRETS = Secrecies(lambda _: 0)
#: Id of a built-in type → what encodes its instances; filled by `prunella.codec.encode`.
BUILTIN: dict[int, Handler] = {}


@cache
def _chooser() -> Callable[[type], Handler]:
    """Return what finds the handler of a class: loaded with the first value that has one."""
    from prunella.codec.objects import handler_of

    return handler_of
