"""Values to trees: the way in, and the built-in types."""

from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prunella.codec.encoder import (
    BIG,
    BUILTIN,
    HEAD_LENGTH,
    HEAD_MARGIN,
    INF,
    MINUS_BIG,
    MINUS_INF,
    MINUS_SMALL,
    SMALL,
    Encoder,
    encoded,
)
from prunella.codec.limits import DEFAULT_LIMITS, Encoded, Limits
from prunella.codec.names import STRONG
from prunella.model.interruption import pass_on
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor


def encode(
    value: Any, *, limits: Limits = DEFAULT_LIMITS, redactor: "Redactor | None" = None
) -> Encoded:
    """Return `value` as a tree that shares nothing with it. Never raises.

    Runs no code of the value's classes, and takes bounded time and memory whatever the value is.
    """
    kind = type(value)
    if value is None or kind is bool or (kind is int and MINUS_SMALL < value < SMALL):
        return encoded(Encoded, (value, True))  # most results, without any state
    encoder = Encoder(limits, redactor)
    return encoder.finish(encoder.node(value, limits.max_depth))


def encode_mapping(
    values: Mapping[str, Any],
    *,
    limits: Limits = DEFAULT_LIMITS,
    redactor: "Redactor | None" = None,
    names: tuple[str, ...] | None = None,
) -> Encoded:
    """Return names with their values (arguments, locals) as one ``["d", …]`` tree. Never raises.

    References shared between the values survive; what stands under a secret name is redacted.
    `names` are those of `values` in their order, if `harmless_names` has found nothing in them:
    it spares looking at each again.
    """
    tree: list[Tree] = ["d"]
    encoder = Encoder(limits, redactor)
    try:
        if names is not None and len(names) <= limits.max_items:
            nodes = encoder.nodes([], values.values(), limits.max_depth - 1)
            tree = ["d", *names, *names]
            tree[1::2], tree[2::2] = names, nodes
        else:
            encoder.named(tree, tuple(values.items()), limits.max_depth - 1)
    except Exception as error:  # noqa: BLE001 - as in Encoder.node
        pass_on(error)
        encoder.lose()
        tree += ("…", ["?", "builtins:dict", f"unreadable: {type(error).__name__}"])
    return encoder.finish(tree)


def harmless_names(names: Iterable[str], redactor: "Redactor") -> tuple[str, ...] | None:
    """Return `names` if none of them is secret or holds a secret; else ``None``."""
    found = tuple(names)
    return found if all(type(name) is str and redactor.names[name] == 0 for name in found) else None


# --- the built-in types -------------------------------------------------------------------------


def _list(encoder: Encoder, value: list[Any], depth: int) -> Tree:
    if len(value) == 2 and _is_secret_field(encoder, value[0], value[1]):
        return ["l", encoder.node(value[0], depth), encoder.hidden(value[1], STRONG, depth)]
    key = id(value)
    if key in encoder.memo:
        return encoder.again(key)
    out: list[Tree] = ["l"]
    encoder.memo[key] = (value, out)
    size = len(value)
    if depth > 0 and size <= encoder.max_items and encoder.nodes_left - size > encoder.clock_at:
        encoder.nodes_left -= size + 1
        return _without_options(encoder, encoder.nodes(out, value[:size], depth - 1))
    return encoder.items_part(out, size, value, depth)


def _tuple(encoder: Encoder, value: tuple[Any, ...], depth: int) -> Tree:
    if not value:
        return ["t"]
    if len(value) == 2 and _is_secret_field(encoder, value[0], value[1]):
        return ["t", encoder.node(value[0], depth), encoder.hidden(value[1], STRONG, depth)]
    node = encoder.sequence(value, ["t"], len(value), value, depth)
    return _forget_plain(encoder, value, _without_options(encoder, node))


def _without_options(encoder: Encoder, node: list[Tree]) -> list[Tree]:
    """Return a command line, ``["mysql", "--password", "…"]``, without the secrets in it."""
    if len(node) > 3 and type(node[1]) is str and node[0] in ("l", "t"):
        for at, option in enumerate(node):  # comparisons cost less than looking at a beginning
            if type(option) is str and option < "." and option >= "-" and at + 1 < len(node):
                value = node[at + 1]
                if type(value) is str and value[:1] != "-" and encoder.secrecy_of(option):
                    node[at + 1] = encoder.hidden(value, STRONG, 0)
    return node


def _is_secret_field(encoder: Encoder, name: Any, value: Any) -> bool:
    """Tell a header or form field, ``(b"authorization", b"…")``, from other pairs."""
    return type(value) in (str, bytes) and encoder.secrecy_of(name) != 0


def _set(encoder: Encoder, value: set[Any], depth: int) -> Tree:
    return encoder.sequence(value, ["s"], len(value), value, depth)


def _frozenset(encoder: Encoder, value: frozenset[Any], depth: int) -> Tree:
    node = encoder.sequence(value, ["fs"], len(value), value, depth)
    return _forget_plain(encoder, value, node)


def _forget_plain(encoder: Encoder, value: Any, node: list[Tree]) -> list[Tree]:
    """Forget an immutable container of scalars: whether two of them are one makes no difference."""
    if id(value) not in encoder.shared and all(type(item) is not list for item in node):
        encoder.memo.pop(id(value), None)
    return node


def _dict(encoder: Encoder, value: dict[Any, Any], depth: int) -> Tree:
    return encoder.pairs(value, ["d"], len(value), value.items(), depth)


def _bytes(encoder: Encoder, value: bytes, _: int) -> Tree:
    return binary_node(encoder, "b", value)


def _bytearray(encoder: Encoder, value: bytearray, _: int) -> Tree:
    key = id(value)
    if key in encoder.memo:
        return encoder.again(key)
    if len(value) > encoder.max_string_length:
        node = encoder.cut(len(value), ["ba", base64_text(bytes(value[:HEAD_LENGTH]))])
    else:
        node = binary_node(encoder, "ba", bytes(value))
    encoder.memo[key] = (value, node)
    return node


def binary_node(encoder: Encoder, tag: str, value: bytes) -> list[Tree]:
    """Return the node of bytes under `tag`."""
    kept = encoder.binary(value)
    if kept is not None:
        return [tag, base64_text(kept)]
    head = value[: HEAD_LENGTH + HEAD_MARGIN]
    if encoder.redactor is not None:
        head = encoder.redactor.text(head.decode("latin-1")).encode("latin-1", "replace")
    return encoder.cut(len(value), [tag, base64_text(head[:HEAD_LENGTH])])


def base64_text(data: bytes) -> str:
    """Return `data` in base64."""
    return b2a_base64(data, newline=False).decode("ascii")


def _none(_: Encoder, __: None, ___: int) -> Tree:
    return None


def _bool(_: Encoder, value: bool, __: int) -> Tree:
    return value


def _int(encoder: Encoder, value: int, _: int) -> Tree:
    return value if MINUS_BIG < value < BIG else encoder.big(value)


def _float(_: Encoder, value: float, __: int) -> Tree:
    return value if MINUS_INF < value < INF else ["f", float.__repr__(value)]


def _str(encoder: Encoder, value: str, _: int) -> Tree:
    return value if len(value) < encoder.short else encoder.text(value)


def _complex(encoder: Encoder, value: complex, depth: int) -> Tree:
    return ["c", _float(encoder, value.real, depth), _float(encoder, value.imag, depth)]


BUILTIN.update(
    {
        id(type(None)): _none,
        id(bool): _bool,
        id(int): _int,
        id(float): _float,
        id(str): _str,
        id(list): _list,
        id(tuple): _tuple,
        id(dict): _dict,
        id(set): _set,
        id(frozenset): _frozenset,
        id(bytes): _bytes,
        id(bytearray): _bytearray,
        id(complex): _complex,
    }
)
