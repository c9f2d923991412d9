"""How the inputs of failing calls differ from those of passing ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from prunella.codec import type_name
from prunella.diagnose.values import Scope, Unknown
from prunella.model.tree import Tree

_ITEMS, _KEYS, _DEPTH, _TEXT_CHARS = 50, 20, 3, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """Something that holds of the inputs of a call."""

    #: The parameter that it is about.
    parameter: str
    #: Said of the call, with the place in back quotes: "`rows` is empty".
    statement: str
    #: The same denied: "`order` lacks the key 'total'".
    denial: str
    #: What sort of fact; the telling ones first: see `_WORTH`.
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A trait (or its denial) with how many failing and passing calls have it."""

    parameter: str
    statement: str
    kind: str
    failing: int
    of_failing: int
    passing: int
    of_passing: int

    @property
    def clean(self) -> bool:
        """It holds in every failing call and in no passing one, and both exist."""
        return self.failing == self.of_failing and not self.passing and self.of_passing > 0

    @property
    def separation_ratio(self) -> float:
        """Share of failing calls that have it minus the share of passing ones."""
        return self.failing / self.of_failing - (
            self.passing / self.of_passing if self.of_passing else 0.0
        )

    def sentence(self) -> str:
        """Return it with its numbers: "`rows` is empty in all 3 failing calls, in none of …"."""
        if not self.of_passing:
            return f"{self.statement} in {_share(self.failing, self.of_failing, 'failing call')}"
        passing = f"none of the {self.of_passing} passing ones"
        if self.of_passing == 1:
            passing = "the passing one" if self.passing else "not in the passing one"
        elif self.passing:
            passing = f"{self.passing} of the {self.of_passing} passing ones"
        joint = ", " if passing.startswith("not") else ", in "
        failing = _share(self.failing, self.of_failing, "failing call")
        return f"{self.statement} in {failing}{joint}{passing}"


#: Kinds that may explain a failure of any sort; the others only where they fit it.
GENERAL = frozenset({"none", "empty", "zero", "negative", "text", "type"})
#: Kinds of traits, the most telling first.
_WORTH = ("none", "empty", "zero", "negative", "text", "key", "type", "bound", "value", "extra")


def contrast(
    failing: Sequence[Tree], passing: Sequence[Tree], *, least_ratio: float = 0.5
) -> list[Contrast]:
    """Return what separates the failing inputs from the passing ones, the clearest first.

    `failing` and `passing` are inputs trees; those that weren't recorded (``None``) don't count.
    """
    bad = [_traits_of(tree) for tree in failing if tree is not None]
    good = [_traits_of(tree) for tree in passing if tree is not None]
    if not bad:
        return []
    known = {trait for traits in (*bad, *good) for trait in traits}
    found = []
    for trait in known:
        counts = _count(trait, bad), _count(trait, good)
        kind = "extra" if trait.kind == "key" else trait.kind
        found.append(_contrast(trait, trait.statement, kind, *counts, len(bad), len(good)))
        if trait.denial:
            denied = len(bad) - counts[0], len(good) - counts[1]
            found.append(_contrast(trait, trait.denial, trait.kind, *denied, len(bad), len(good)))
    found.extend(_bounds(failing, passing))
    kept = [item for item in found if item.separation_ratio >= least_ratio and item.failing]
    if not good:  # nothing to compare with: only what is remarkable by itself
        kept = [item for item in kept if item.kind in ("none", "empty", "zero", "negative")]
    kept.sort(key=lambda item: (-item.separation_ratio, _WORTH.index(item.kind), item.statement))
    return kept


def _count(trait: Trait, calls: Sequence[frozenset[Trait]]) -> int:
    return sum(1 for traits in calls if trait in traits)


def _contrast(
    trait: Trait,
    statement: str,
    kind: str,
    failing: int,
    passing: int,
    of_failing: int,
    of_passing: int,
) -> Contrast:
    return Contrast(
        parameter=trait.parameter,
        statement=statement,
        kind=kind,
        failing=failing,
        of_failing=of_failing,
        passing=passing,
        of_passing=of_passing,
    )


def _traits_of(inputs: Tree) -> frozenset[Trait]:
    scope = Scope.of(inputs)
    return frozenset(
        trait
        for name, value in scope.names.items()
        for trait in _traits(scope, name, name, value, _DEPTH)
    )


def _traits(scope: Scope, parameter: str, place: str, value: Tree, depth: int) -> Iterator[Trait]:
    node = scope.resolve(value)
    where = _named(place)

    def trait(kind: str, said: str) -> Trait:
        return Trait(parameter=parameter, kind=kind, statement=f"{where} {said}", denial="")

    if node is None:
        yield trait("none", "is None")
        return
    yield trait("type", f"is of type {type_name(node)}")
    length = scope.length(node)
    if length == 0:
        yield trait("empty", "is empty")
    for kind, said in _scalar_traits(node):
        yield trait(kind, said)
    if depth:
        yield from _inner_traits(scope, parameter, place, node, depth - 1)


def _scalar_traits(node: Tree) -> Iterator[tuple[str, str]]:
    if isinstance(node, bool):
        yield "text", f"is {node}"
    elif isinstance(node, (int, float)):
        if node == 0:
            yield "zero", "is 0"
        elif node < 0:
            yield "negative", "is negative"
    elif isinstance(node, str) and node:
        if not node.strip():
            yield "text", "is blank"
        elif not _is_number(node):
            yield "text", "is not written as a number"
        if len(node) <= _TEXT_CHARS:
            yield "value", f"is {node!r}"


def _named(place: str) -> str:
    return f"some `{place}`" if "[…]" in place else f"`{place}`"


def _inner_traits(
    scope: Scope, parameter: str, place: str, node: Tree, depth: int
) -> Iterator[Trait]:
    for key, value in _keyed(scope, node):
        yield Trait(
            parameter=parameter,
            kind="key",
            statement=f"{_named(place)} has the key {key}",
            # "not some item has it" is "no item has it", which is never why a lookup fails
            denial="" if "[…]" in place else f"`{place}` lacks the key {key}",
        )
        yield from _traits(scope, parameter, f"{place}[{key}]", value, depth)
    attributes = scope.attributes(node)
    if not isinstance(attributes, Unknown):
        for name, value in list(attributes.items())[:_KEYS]:
            yield from _traits(scope, parameter, f"{place}.{name:.60}", value, depth)
    items = scope.items(node)
    if not isinstance(items, Unknown):
        for item in items[:_ITEMS]:
            yield from _traits(scope, parameter, f"{place}[…]", item, depth)
        yield from _shared_keys(scope, parameter, place, items[:_ITEMS])


def _shared_keys(
    scope: Scope, parameter: str, place: str, items: Sequence[Tree]
) -> Iterator[Trait]:
    """Yield the keys that every item has, so that their absence in one shows."""
    shared: set[str] = set()
    for index, item in enumerate(items):
        keys = {key for key, _ in _keyed(scope, item)}
        shared = shared & keys if index else keys
    for key in sorted(shared):
        yield Trait(
            parameter=parameter,
            kind="key",
            statement=f"every `{place}[…]` has the key {key}",
            denial=f"some `{place}[…]` lacks the key {key}",
        )


def _keyed(scope: Scope, node: Tree) -> Iterator[tuple[str, Tree]]:
    pairs = scope.pairs(node)
    if not isinstance(pairs, Unknown):
        for key, value in pairs[:_KEYS]:
            if isinstance(key, str) or _is_plain_number(key):
                yield f"{key!r:.60}", value


def _is_plain_number(node: Tree) -> TypeGuard[float]:
    """Tell whether it is a number that can be compared and shown: no flag, not endless."""
    return isinstance(node, (int, float)) and not isinstance(node, bool) and abs(node) < 10**18


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# --- bounds: a number or a length that lies beyond all passing ones


def _bounds(failing: Sequence[Tree], passing: Sequence[Tree]) -> Iterator[Contrast]:
    bad = [_sizes(tree) for tree in failing if tree is not None]
    good = [_sizes(tree) for tree in passing if tree is not None]
    if len(good) < 2:
        return
    for key in set(bad[0]).intersection(*bad[1:], *good):
        lowest, highest = min(item[key] for item in bad), max(item[key] for item in bad)
        parameter, what = key
        if highest < min(item[key] for item in good):
            statement = f"{what} is at most {highest:g}"
        elif lowest > max(item[key] for item in good):
            statement = f"{what} is at least {lowest:g}"
        else:
            continue
        yield Contrast(
            parameter=parameter, statement=statement, kind="bound", failing=len(bad),
            of_failing=len(bad), passing=0, of_passing=len(good),
        )  # fmt: skip


def _sizes(inputs: Tree) -> Mapping[tuple[str, str], float]:
    scope = Scope.of(inputs)
    sizes: dict[tuple[str, str], float] = {}
    for name, value in scope.names.items():
        node = scope.resolve(value)
        if _is_plain_number(node):
            sizes[name, f"`{name}`"] = node
        length = scope.length(node)
        if isinstance(length, int):
            sizes[name, f"the length of `{name}`"] = length
    return sizes


def _share(part: int, whole: int, noun: str) -> str:
    if whole == 1:
        return f"the one {noun}"
    if part == whole:
        return f"all {whole} {noun}s" if whole > 2 else f"both {noun}s"
    return f"{part} of the {whole} {noun}s"
