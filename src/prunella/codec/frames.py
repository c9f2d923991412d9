"""Trees of pandas' frames, series, indexes and scalars.

A frame is its columns: arrays as numpy's are, text and objects as lists, so that secrets are looked
for in them. A column whose label names a secret doesn't get there. Only the exact classes of pandas
are read; what isn't known here (columns of Arrow's own types, of other libraries) is opaque.
"""

from typing import Any

from prunella.codec import classes
from prunella.codec.encoder import HEAD_ITEMS, Encoder, Handler
from prunella.model.tree import Tree

_MAX_COLUMNS = 256
_CELL_BYTES = 8
_WITH_FREQUENCY = frozenset({"DatetimeIndex", "TimedeltaIndex"})
_PLAIN_INDEXES = _WITH_FREQUENCY | {"Index", "CategoricalIndex", "PeriodIndex", "IntervalIndex"}


def _frame(encoder: Encoder, value: Any, depth: int) -> Tree:
    if len(value.columns) > _MAX_COLUMNS:
        return encoder.opaque(type(value), f"has more than {_MAX_COLUMNS} columns")
    return _table(encoder, value, "DataFrame", len(value.columns), depth)


def _series(encoder: Encoder, value: Any, depth: int) -> Tree:
    return _table(encoder, value, "Series", 1, depth)


def _table(encoder: Encoder, value: Any, kind: str, columns: int, depth: int) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    if depth <= 0:
        return encoder.opaque(type(value), "too deep")
    if value.attrs:
        return encoder.opaque(type(value), "has attrs")
    node: list[Tree] = ["pd", kind]
    encoder.memo[id(value)] = (value, node)
    rows = len(value)
    column_bytes = rows * _CELL_BYTES
    fits = column_bytes <= encoder.max_string_length and encoder.admits(columns, depth)
    if fits and column_bytes * columns <= encoder.bytes_left:
        node += _contents(encoder, value, kind, depth - 1)
    else:
        encoder.lose()
        head = ["pd", kind, *_contents(encoder, value.iloc[:HEAD_ITEMS], kind, depth - 1)]
        node[:] = encoder.cut(rows, head)
    return node


def _contents(encoder: Encoder, value: Any, kind: str, depth: int) -> list[Tree]:
    index = _index(encoder, value.index, depth)
    if kind == "Series":
        return [index, _columns(encoder, [(value.name, value.array)], depth, told=True), None]
    pairs = [(name, column.array) for name, column in value.items()]
    columns = _columns(encoder, pairs, depth, told=value.columns.is_unique)
    return [index, columns, _index(encoder, value.columns, depth)]


def _columns(encoder: Encoder, pairs: list[tuple[Any, Any]], depth: int, *, told: bool) -> Tree:
    """Return a ``d`` node; where labels alone are not `told` apart, with the column's number."""
    node: list[Tree] = ["d"]
    for number, (name, array) in enumerate(pairs):
        place = len(node)
        if not encoder.hides(node, name, array, depth):
            node.append(_column(encoder, array, depth))
        if not told:
            node[place] = ["t", node[place], number]
    return node


def _column(encoder: Encoder, array: Any, depth: int) -> Tree:
    """Return the tree of one of pandas' arrays."""
    kind = type(array).__name__
    if kind in ("NumpyExtensionArray", "PandasArray"):
        return _values(encoder, array.to_numpy(), depth)
    if kind in ("StringArray", "ArrowStringArray"):
        items = [None if gone else item for item, gone in zip(array, array.isna(), strict=True)]
        return ["pa", str(array.dtype), encoder.items_part(["l"], len(items), items, depth)]
    if kind in ("IntegerArray", "FloatingArray", "BooleanArray"):
        mask = array.isna()
        filled = array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=array.dtype.type(0))
        return ["pm", str(array.dtype), *(_values(encoder, part, depth) for part in (filled, mask))]
    if kind == "Categorical":
        categories = _column(encoder, array.categories.array, depth)
        return ["pc", _values(encoder, array.codes, depth), categories, bool(array.ordered)]
    if kind in ("DatetimeArray", "TimedeltaArray"):
        zone = encoder.node(getattr(array, "tz", None), depth - 1)
        return ["pt", _values(encoder, _moments(array), depth), zone]
    return _rarer_column(encoder, array, kind, depth)


def _rarer_column(encoder: Encoder, array: Any, kind: str, depth: int) -> Tree:
    if kind == "PeriodArray":
        return ["pp", array.freqstr, _values(encoder, array.asi8, depth)]
    if kind == "IntervalArray":
        sides = [_column(encoder, side.array, depth) for side in (array.left, array.right)]
        return ["pv", *sides, array.closed]
    if kind == "SparseArray":
        dense = _values(encoder, array.to_dense(), depth)
        return ["pz", dense, encoder.node(array.fill_value, depth)]
    return encoder.opaque(type(array), "is a kind of column that isn't recorded")


def _moments(array: Any) -> Any:
    """Return the moments of an array as numpy's, in UTC where it has a zone."""
    moments = array.tz_convert(None) if getattr(array, "tz", None) is not None else array
    return moments.to_numpy()


def _values(encoder: Encoder, array: Any, depth: int) -> Tree:
    if array.dtype.hasobject:
        return encoder.items_part(["l"], len(array), array.tolist(), depth)
    return encoder.node(array, depth)


def _index(encoder: Encoder, value: Any, depth: int) -> list[Tree]:
    """Return ``["pi", class, names, …]``: bounds of a range, or columns."""
    kind = type(value).__name__
    names = encoder.nodes(["l"], value.names, depth)
    if kind == "RangeIndex":
        return ["pi", kind, names, value.start, value.stop, value.step]
    if kind == "MultiIndex":
        levels = zip(value.names, value.levels, value.codes, strict=True)
        node: list[Tree] = ["pi", kind, names]
        for name, level, codes in levels:
            shown = _secretly(encoder, name, level.array, depth)
            node += [shown, _values(encoder, codes, depth)]
        return node
    if kind not in _PLAIN_INDEXES:
        return encoder.opaque(type(value), "is a kind of index that isn't recorded")
    frequency = value.freqstr if kind in _WITH_FREQUENCY else None
    return ["pi", kind, names, _secretly(encoder, value.name, value.array, depth), frequency]


def _secretly(encoder: Encoder, name: Any, array: Any, depth: int) -> Tree:
    secrecy = encoder.secrecy_of(name)
    return encoder.hidden(array, secrecy, depth) if secrecy else _column(encoder, array, depth)


def _any_index(encoder: Encoder, value: Any, depth: int) -> Tree:
    if id(value) in encoder.memo:
        return encoder.again(id(value))
    if (
        len(value) * _CELL_BYTES > encoder.max_string_length
        and type(value).__name__ != "RangeIndex"
    ):
        return encoder.opaque(type(value), f"has {len(value)} labels")
    node = _index(encoder, value, depth)
    encoder.memo[id(value)] = (value, node)
    return node


def _timestamp(encoder: Encoder, value: Any, depth: int) -> Tree:
    return ["ps", encoder.node(value.asm8, depth), encoder.node(value.tzinfo, depth - 1)]


def _timedelta(encoder: Encoder, value: Any, depth: int) -> Tree:
    return ["pl", encoder.node(value.asm8, depth)]


def _period(encoder: Encoder, value: Any, depth: int) -> Tree:
    return ["pq", value.freqstr, encoder.node(value.ordinal, depth)]


def _interval(encoder: Encoder, value: Any, depth: int) -> Tree:
    sides = [encoder.node(side, depth - 1) for side in (value.left, value.right)]
    return ["pw", *sides, value.closed]


def pandas_handler(kind: type) -> "Handler | None":
    """Return the handler of `kind` where it is a class of pandas that is known here."""
    name = kind.__name__
    if classes.find(f"pandas:{name}") is kind:
        return _PUBLIC.get(name)
    for absent in ("pandas:NaT", "pandas:NA"):
        if type(classes.find(absent)) is kind:
            return _singleton(absent)
    return None


def _singleton(path: str) -> Handler:
    return lambda _, __, ___: ["fn", path]


_PUBLIC: dict[str, Handler] = {
    "DataFrame": _frame,
    "Series": _series,
    "Timestamp": _timestamp,
    "Timedelta": _timedelta,
    "Period": _period,
    "Interval": _interval,
    **dict.fromkeys(("RangeIndex", "MultiIndex", *_PLAIN_INDEXES), _any_index),
}
