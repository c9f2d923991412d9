"""What rules ask a tree: its names with their values, its type. Nothing is rebuilt here."""

from prunella.codec.parts import definitions, self_contained, unwrapped
from prunella.model.tree import Tree


def entries(tree: Tree) -> list[tuple[str, Tree]]:
    """Return names and values of an inputs or locals tree, in order; nothing for ``None``.

    Each value can be read on its own: what it shares with others stands in every one of them.
    """
    node = unwrapped(tree)
    if type(node) is not list or not node or node[0] != "d":
        return []
    known = definitions(tree)
    found: list[tuple[str, Tree]] = []
    for at in range(1, len(node) - 1, 2):
        name, value = node[at], node[at + 1]
        if type(name) is str:
            found.append((name, self_contained(value, known)))
    return found


# --- types --------------------------------------------------------------------------------------

_BUILTIN_NAMES = {
    "f": "float",
    "i": "int",
    "c": "complex",
    "b": "bytes",
    "ba": "bytearray",
    "l": "list",
    "t": "tuple",
    "s": "set",
    "fs": "frozenset",
    "d": "dict",
    "range": "range",
    "slice": "slice",
    "bm": "method",
    "mp": "mappingproxy",
    "dec": "decimal.Decimal",
    "frac": "fractions.Fraction",
    "dt": "datetime.datetime",
    "date": "datetime.date",
    "time": "datetime.time",
    "td": "datetime.timedelta",
    "tz": "datetime.timezone",
    "zi": "zoneinfo.ZoneInfo",
    "uuid": "uuid.UUID",
    "re": "re.Pattern",
    "dq": "collections.deque",
    "od": "collections.OrderedDict",
    "dd": "collections.defaultdict",
    "ct": "collections.Counter",
    "arr": "array.array",
    "partial": "functools.partial",
    "log": "logging.Logger",
    "np": "numpy.ndarray",
    "pa": "pandas.array",
    "pm": "pandas.array",
    "pt": "pandas.array",
    "pc": "pandas.Categorical",
    "ps": "pandas.Timestamp",
    "pl": "pandas.Timedelta",
    "pytz": "pytz.timezone",
    "pp": "pandas.arrays.PeriodArray",
    "pq": "pandas.Period",
    "pv": "pandas.arrays.IntervalArray",
    "pw": "pandas.Interval",
    "pz": "pandas.arrays.SparseArray",
}
_WITH_CLASS = frozenset({"o", "x", "nt", "sub", "enum", "flag", "?"})
#: Tag → module of the class that is named behind it.
_WITH_NAME = {"path": "pathlib", "pd": "pandas", "pi": "pandas"}
_SINGLETONS = {"builtins:Ellipsis": "ellipsis", "builtins:NotImplemented": "NotImplementedType"}


def type_name(tree: Tree) -> str:
    """Return the type of the value: ``int``, ``NoneType``, ``decimal.Decimal``, ``shop.Order``."""
    node = unwrapped(tree)
    if type(node) is not list:
        return type(node).__name__
    tag = node[0] if node and type(node[0]) is str else ""
    argument = node[1] if len(node) > 1 else None
    if tag in _BUILTIN_NAMES:
        return _BUILTIN_NAMES[tag]
    if type(argument) is str:
        if tag in _WITH_CLASS:
            return dotted(argument)
        if tag in _WITH_NAME:
            return f"{_WITH_NAME[tag]}.{argument}"
        if tag == "redacted":
            return argument
        if tag == "fn":
            return _SINGLETONS.get(argument, "function")
    if tag == "nps":
        return "numpy.generic"
    if tag == "cut" and len(node) > 2:
        return type_name(node[2])
    return "object"


def dotted(path: str) -> str:
    """Return ``module:qualname`` as people write it; without the module for built-ins."""
    module, _, name = path.partition(":")
    return name if module in ("builtins", "__main__", "") else f"{module}.{name}"
