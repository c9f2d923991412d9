"""Names with their values (arguments, locals) as JSON text, in one pass where they are simple.

The text is that of `encode_mapping`'s tree. Scalars, and short lists, tuples and dicts of them,
which is what most calls are given, become text without a tree in between; with anything else among
them the tree is made.
"""

from collections.abc import Callable, Iterable, Mapping
from json import encoder
from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.codec.encode import encode, encode_mapping, harmless_names
from prunella.codec.encoder import BIG, INF, MINUS_BIG, MINUS_INF, MINUS_SMALL, SMALL
from prunella.codec.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor

#: Longer strings, and containers of more items, take the way of trees, which has their bounds.
MAX_LENGTH = 64
MAX_ITEMS = 16


class Text(NamedTuple):
    """A value as the JSON text of its tree."""

    text: str
    #: As in `prunella.codec.Encoded`.
    complete: bool


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
        return _made(Text, (int.__repr__(value), True))
    if value is None:
        return _NONE
    if kind is str and len(value) < redactor.shortest:
        return _made(Text, (quote(value), True))
    tree, complete = encode(value, redactor=redactor)
    return _made(Text, (to_json(tree), complete))


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
            return _made(Text, (form % tuple(_texts(values, redactor)), True))
        except Exception:  # noqa: BLE001, S110 - not simple, or changed meanwhile: then as a tree
            pass
    tree, complete = encode_mapping(dict(zip(names, values, strict=True)), redactor=redactor)
    return _made(Text, (to_json(tree), complete))


def mapping_text(
    values: Mapping[str, Any], *, redactor: "Redactor", limits: Limits = DEFAULT_LIMITS
) -> Text:
    """Return `values` as `encode_mapping` does, as text. Never raises."""
    try:
        if len(values) <= limits.max_items:
            texts = _texts(values.values(), redactor)
            return _made(Text, (_joined(values, texts, redactor), True))
    except Exception:  # noqa: BLE001, S110 - as above
        pass
    tree, complete = encode_mapping(values, limits=limits, redactor=redactor)
    return _made(Text, (to_json(tree), complete))


# --- simple values ------------------------------------------------------------------------------


class _NotSimple(Exception):
    """A value that has to become a tree first."""


def _texts(items: Iterable[Any], redactor: "Redactor") -> list[Any]:
    """Return what formatting turns into the texts of values: strings, integers and floats."""
    short = redactor.shortest
    seen: list[int] = []
    found: list[Any] = []
    append = found.append
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
            append(_text(item, kind, redactor, seen))
    return found


def _text(item: Any, kind: type, redactor: "Redactor", seen: list[int]) -> str:
    """Return the text of what is no short scalar; `seen` are the ids of containers so far."""
    if (kind is list or kind is tuple or kind is dict) and len(item) <= MAX_ITEMS:
        if id(item) in seen:  # what is shared is referred to, which takes a tree
            raise _NotSimple
        if kind is dict:
            seen.append(id(item))
            return _pairs(item, redactor)
        if kind is list:
            seen.append(id(item))
            return _items('["l"', item, redactor)
        return _items('["t"', item, redactor)
    if kind is str:
        if len(item) <= MAX_LENGTH and redactor.text(item) is item:
            return quote(item)
    elif kind is int and MINUS_BIG < item < BIG:
        return int.__repr__(item)
    elif kind is float:
        return f'["f","{float.__repr__(item)}"]'
    raise _NotSimple


def _items(start: str, items: Any, redactor: "Redactor") -> str:
    found = [start]
    _scalars(found, items, redactor.shortest)
    text = ",".join(found)
    # Pairs may be a header and its secret, and what begins with a dash an option before one.
    if (len(found) == 3 and found[2][0] == '"') or '"-' in text:
        raise _NotSimple
    return f"{text}]"


def _pairs(items: dict[Any, Any], redactor: "Redactor") -> str:
    items = items.copy()  # at once, so that names and values belong together
    if not _STRINGS.issuperset(map(id, map(type, items))):
        raise _NotSimple
    texts: list[str] = []
    _scalars(texts, items.values(), redactor.shortest)
    return _joined(items, texts, redactor)


def _joined(names: Iterable[str], texts: list[Any], redactor: "Redactor") -> str:
    """Return a ``d`` node of names, none of which is secret, with the texts of their values."""
    quoted = redactor.quoted
    pairs = zip(names, texts)  # noqa: B905 - asking for it takes longer than a pair
    parts = [f"{quoted[name]}{text}" for name, text in pairs]
    return f'["d",{",".join(parts)}]' if parts else '["d"]'


def _scalars(out: list[str], items: Iterable[Any], short: int) -> None:
    """Append the texts of scalars, none of which needs a second look."""
    for item in items:
        kind = type(item)
        if kind is str and len(item) < short:
            out.append(quote(item))
        elif (kind is int and MINUS_SMALL < item < SMALL) or (
            kind is float and MINUS_INF < item < INF
        ):
            out.append(f"{item}")
        elif item is None:
            out.append("null")
        elif kind is bool:
            out.append("true" if item else "false")
        else:
            raise _NotSimple


_STRINGS = frozenset({id(str)})
_made = tuple.__new__  # as `Text(…)`, in half the time
_NONE = Text("null", complete=True)
