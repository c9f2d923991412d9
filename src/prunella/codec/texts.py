"""Names with their values (arguments, locals) as JSON text, in one pass where they are simple.

The text is that of `encode_mapping`'s tree. Scalars, and short lists, tuples and dicts of them,
which is what most calls are given, become text without a tree in between; of any other value its
own tree is made. Only where names are secret, or values share something, is there one of them all.
"""

from collections.abc import Callable, Iterable, Mapping
from json import encoder
from typing import TYPE_CHECKING, Any, TypeAlias

from prunella.codec.encode import encode, encode_mapping, harmless_names
from prunella.codec.encoder import (
    BIG,
    HEAD_ITEMS,
    INF,
    MINUS_BIG,
    MINUS_INF,
    MINUS_SMALL,
    SMALL,
    Encoder,
)
from prunella.codec.limits import DEFAULT_LIMITS, Limits
from prunella.model.interruption import pass_on
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor

#: Longer strings, and containers of more items, take the way of trees, which has their bounds.
MAX_LENGTH = 64
MAX_ITEMS = 16


#: The JSON text of a value's tree, and whether it is complete as in `prunella.codec.Encoded`; no class
#: of its own, because making one takes as long as a scalar's text.
Text: TypeAlias = tuple[str, bool]
#: Ids of short containers to these (so that no other gets the id) and their texts.
Known: TypeAlias = dict[int, tuple[Any, str]]


def _default(value: Any) -> Any:
    raise TypeError(f"a record holds a {type(value)}, which JSON doesn't have")


quote: Callable[[str], str] = encoder.encode_basestring_ascii
_join = "".join
_c_maker: Any = getattr(encoder, "c_make_encoder", None)
if _c_maker is not None:
    # What `JSONEncoder.encode` makes anew for every text, which takes longer than most of them.
    _chunks = _c_maker(None, _default, quote, None, ":", ",", False, False, True)

    def _encode(tree: Any) -> str:
        return _join(_chunks(tree, 0))

else:  # another interpreter than CPython
    _maker = encoder.JSONEncoder(separators=(",", ":"), check_circular=False)

    def _encode(tree: Any) -> str:
        return _maker.encode(tree)


def to_json(tree: Any) -> str:
    """Return a tree, or a record of dicts and lists, as JSON text on one line."""
    if tree is None:
        return "null"
    return int.__repr__(tree) if type(tree) is int else _encode(tree)


def text_of(value: Any, redactor: "Redactor") -> Text:
    """Return `value` as `encode` does, as text. Never raises."""
    kind = type(value)
    if kind is int and MINUS_SMALL < value < SMALL:
        return int.__repr__(value), True
    if value is None:
        return "null", True
    if kind is str and len(value) < redactor.shortest:
        return quote(value), True
    if (kind is list or kind is tuple) and len(value) > DEFAULT_LIMITS.max_items:
        text = _head(value, kind, redactor.shortest)
        if text is not None:
            return text, False
    tree, complete = encode(value, redactor=redactor)
    return to_json(tree), complete


def form_of(names: Iterable[str], redactor: "Redactor") -> str | None:
    """Return what the texts of values go into, if nothing in `names` is a secret; else ``None``."""
    harmless = harmless_names(names, redactor)
    if harmless is None:
        return None
    parts = ['"d"', *(f"{quote(name).replace('%', '%%')},%s" for name in harmless)]
    return f"[{','.join(parts)}]"


def values_text(
    form: str | None, names: tuple[str, ...], values: tuple[Any, ...], redactor: "Redactor"
) -> Text:
    """Return names with their values as `encode_mapping` does, as text. Never raises.

    `form` is that of the names, if there is one: it spares looking at each of them again.
    """
    if form is not None:
        try:
            texts, complete = _texts(values, redactor, DEFAULT_LIMITS)
            return form % tuple(texts), complete
        except Exception as error:  # noqa: BLE001 - shared, or changed meanwhile: then as one tree
            pass_on(error)
    tree, complete = encode_mapping(dict(zip(names, values, strict=True)), redactor=redactor)
    return to_json(tree), complete


def mapping_text(
    values: Mapping[str, Any],
    redactor: "Redactor",
    limits: Limits = DEFAULT_LIMITS,
    known: "Known | None" = None,
) -> Text:
    """Return `values` as `encode_mapping` does, as text. Never raises.

    `known` are the texts of containers in other mappings of the same moment, with the same limits.
    """
    try:
        if len(values) <= limits.max_items:
            return _named_texts(values, redactor, limits, {} if known is None else known)
    except Exception as error:  # noqa: BLE001 - as above, or a secret name
        pass_on(error)
    tree, complete = encode_mapping(values, limits=limits, redactor=redactor)
    return to_json(tree), complete


# --- value by value -----------------------------------------------------------------------------


class _NotSeparate(Exception):
    """Values that share something, and so can't be encoded one by one."""


def _texts(items: Iterable[Any], redactor: "Redactor", limits: Limits) -> tuple[list[Any], bool]:
    """Return what formatting turns into the texts of values, and whether these are complete.

    Simple values become text at once, all others by one encoder.
    """
    short = redactor.shortest
    found: list[Any] = []
    append = found.append
    seen: list[int] = []
    trees: _Trees | None = None
    for item in items:
        kind = type(item)
        if kind is str and len(item) < short:
            append(quote(item))
        elif (kind is int and MINUS_SMALL < item < SMALL) or (
            kind is float and MINUS_INF < item < INF
        ):
            append(item)
        elif item is None:
            append("null")
        elif kind is bool:
            append("true" if item else "false")
        else:
            text = _simple(item, kind, redactor, limits.max_items, seen)
            if text is None:
                trees = trees or _Trees(limits, redactor)
                if _CUT in seen:
                    trees.encoder.lose()
                trees.nodes[len(found)] = trees.encoder.node(item, trees.depth)
                text = ""
            append(text)
    if trees is None:
        return found, _CUT not in seen
    return found, trees.finish(found, seen) and _CUT not in seen


def _named_texts(
    values: Mapping[str, Any], redactor: "Redactor", limits: Limits, known: Known
) -> Text:
    """As `_texts`, with names, in one ``d`` node; raises `KeyError` if a name is secret."""
    quoted, short = redactor.quoted, redactor.shortest
    parts = ['"d"']
    append = parts.append
    seen: list[int] = []
    trees: _Trees | None = None
    for name, item in values.items():
        kind = type(item)
        if (kind is int and MINUS_SMALL < item < SMALL) or (
            kind is float and MINUS_INF < item < INF
        ):
            append(f"{quoted[name]}{item}")
        elif kind is str and len(item) < short:
            append(f"{quoted[name]}{quote(item)}")
        elif item is None or kind is bool:
            append(f"{quoted[name]}{_CONSTANTS[item]}")
        elif (found := known.get(id(item))) is not None and id(item) not in seen:
            seen.append(id(item))
            append(f"{quoted[name]}{found[1]}")
        else:
            if kind is dict or kind is list or kind is tuple:
                text = _container(item, kind, redactor, limits.max_items, seen)
            else:
                text = _simple(item, kind, redactor, limits.max_items, seen)
            if text is None:
                trees = trees or _Trees(limits, redactor)
                if _CUT in seen:
                    trees.encoder.lose()
                trees.nodes[len(parts)] = trees.encoder.node(item, trees.depth)
                text = ""
            elif seen and seen[-1] == id(item):
                known[id(item)] = item, text
            append(f"{quoted[name]}{text}")
    complete = trees is None or trees.finish(parts, seen)
    return f"[{','.join(parts)}]", complete and _CUT not in seen


class _Trees:
    """The values that need an encoder, by their places; one encoder, since they may share parts."""

    def __init__(self, limits: Limits, redactor: "Redactor") -> None:
        self.encoder = Encoder(limits, redactor)
        self.depth = limits.max_depth - 1
        self.nodes: dict[int, Tree] = {}

    def finish(self, texts: list[Any], seen: list[int]) -> bool:
        """Put their texts behind what stands in their places; tell whether they are complete.

        Raises `_NotSeparate` if one of the containers `seen` beside them is in them too.
        """
        if not self.encoder.memo.keys().isdisjoint(seen):
            raise _NotSeparate
        self.encoder.finish(None)
        for at, node in self.nodes.items():
            texts[at] += to_json(node)
        return self.encoder.complete


def _simple(
    item: Any, kind: type, redactor: "Redactor", max_items: int, seen: list[int]
) -> str | None:
    """Return the text of a value that needs no encoder, else ``None``.

    `seen` are the ids of the containers so far; raises `_NotSeparate` for one of them.
    """
    if kind is dict or kind is list or kind is tuple:
        return _container(item, kind, redactor, max_items, seen)
    if kind is str:
        if len(item) <= MAX_LENGTH and redactor.text(item) is item:
            return quote(item)
    elif kind is int and MINUS_BIG < item < BIG:
        return int.__repr__(item)
    elif kind is float:
        return f'["f","{float.__repr__(item)}"]'
    return None


def _container(
    item: Any, kind: type, redactor: "Redactor", max_items: int, seen: list[int]
) -> str | None:
    """As `_simple`, for a list, a tuple or a dict."""
    if id(item) in seen:  # what is shared is referred to
        raise _NotSeparate
    if len(item) <= MAX_ITEMS:
        if kind is tuple:
            return _items('"t"', item, redactor.shortest)
        text = _pairs(item, redactor) if kind is dict else _items('"l"', item, redactor.shortest)
        if text is not None:
            seen.append(id(item))
        return text
    if kind is dict or len(item) <= max_items:
        return None
    text = _head(item, kind, redactor.shortest)
    if text is not None:
        seen += (id(item), _CUT)
    return text


def _head(items: Any, kind: type, short: int) -> str | None:
    """Return the text of a list or tuple that is too long, as `Encoder.cut_into` makes it."""
    size = len(items)
    texts = _scalars(items[:HEAD_ITEMS], short)
    if not texts:  # or emptied meanwhile
        return None
    return f'["cut",{size},["{"l" if kind is list else "t"}",{",".join(texts)}]]'


def _items(tag: str, items: Any, short: int) -> str | None:
    texts = _scalars(items, short)
    if not texts:
        return None if texts is None else f"[{tag}]"
    text = ",".join(texts)
    # Pairs may be a header and its secret, and what begins with a dash an option before one.
    if (len(texts) == 2 and texts[0][0] == '"') or '"-' in text:
        return None
    return f"[{tag},{text}]"


def _pairs(items: dict[Any, Any], redactor: "Redactor") -> str | None:
    short, quoted = redactor.shortest, redactor.quoted
    parts = ['"d"']
    try:
        for name, item in items.copy().items():  # at once, so that names and values belong together
            kind = type(item)
            if type(name) is not str:
                return None
            if (kind is int and MINUS_SMALL < item < SMALL) or (
                kind is float and MINUS_INF < item < INF
            ):
                parts.append(f"{quoted[name]}{item}")
            elif kind is str and len(item) < short:
                parts.append(f"{quoted[name]}{quote(item)}")
            elif item is None or kind is bool:
                parts.append(f"{quoted[name]}{_CONSTANTS[item]}")
            else:
                return None
    except KeyError:  # a secret name
        return None
    return f"[{','.join(parts)}]"


def _scalars(items: Iterable[Any], short: int) -> list[str] | None:
    """Return the texts of scalars, ``None`` if one of them needs a second look."""
    found: list[str] = []
    for item in items:
        kind = type(item)
        if kind is str and len(item) < short:
            found.append(quote(item))
        elif (kind is int and MINUS_SMALL < item < SMALL) or (
            kind is float and MINUS_INF < item < INF
        ):
            found.append(f"{item}")
        elif item is None:
            found.append("null")
        elif kind is bool:
            found.append("true" if item else "false")
        else:
            return None
    return found


#: Stands among the ids of containers once one was cut; no id is 0.
_CUT = 0
_CONSTANTS = {None: "null", True: "true", False: "false"}
