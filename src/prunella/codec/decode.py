"""Trees back to values. For use inside the sandbox: it imports what the tree names.

A tree is untrusted. No constructor, ``__setstate__`` or ``__reduce__`` runs: instances come from
the ``__new__`` of their built-in base and get their attributes written past properties. Whatever
is wrong with a tree raises `RecordError`.

Mutable things are made empty and filled later, so that cycles close; an element of a set and a key
of a dict is filled at once, because it is going to be hashed.
"""

from collections.abc import Callable
from typing import Any

from prunella.codec import classes
from prunella.codec.build import BUILDERS
from prunella.codec.classes import import_by_path
from prunella.codec.nodes import malformed, tagged, text
from prunella.model.errors import RecordError
from prunella.model.tree import Tree

Resolve = Callable[[str], Any]
#: An encoder writes three lists a level at the most: ``&``, ``o``, ``d``.
_MAX_DEPTH = 350


def decode(tree: Tree, *, resolve: Resolve = import_by_path) -> Any:
    """Return the value of `tree`; what `encode` called complete comes back equal, type for type.

    `resolve` turns ``module:qualname`` into the class or function. Raises `RecordError` for a
    malformed tree, for one with opaque, cut or redacted parts, and for names that are gone.
    """
    try:
        decoder = Decoder(resolve)
        decoder.find_definitions(tree)
        value = decoder.whole(tree)
    except RecordError:
        raise
    except Exception as error:
        raise RecordError(f"encoded value can't be rebuilt: {_reason(error)}") from error
    return value


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


class Decoder:
    """The state of one decoding."""

    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve
        #: Number → node that has it, and → the value as soon as it exists.
        self._definitions: dict[int, Tree] = {}
        self._known: dict[int, Any] = {}
        self._building: set[int] = set()
        self._pending: list[Callable[[], None]] = []
        self._depth = 0

    def find_definitions(self, tree: Tree) -> None:
        """Note every ``["&", n, node]``, wherever it stands."""
        stack: list[tuple[Tree, int]] = [(tree, 0)]
        while stack:
            node, depth = stack.pop()
            if type(node) is not list:
                continue
            if depth > _MAX_DEPTH:
                raise RecordError(f"encoded value is more than {_MAX_DEPTH} lists deep")
            if len(node) == 3 and node[0] == "&":
                if type(node[1]) is not int or node[1] in self._definitions:
                    raise malformed(node)
                self._definitions[node[1]] = node[2]
            stack += [(item, depth + 1) for item in node]

    def whole(self, node: Tree) -> Any:
        """Return the value of `node`, filled through and through."""
        outer, self._pending = self._pending, []
        try:
            value = self.value(node)
            while self._pending:
                self._pending.pop()()
        finally:
            self._pending = outer
        return value

    def value(self, node: Tree) -> Any:
        """Return the value of `node`; mutable parts of it may be filled later."""
        if type(node) is not list:
            if node is None or type(node) in (bool, int, float, str):
                return node
            raise RecordError(f"encoded value holds a {type(node).__name__}")
        build = BUILDERS.get(node[0]) if node and type(node[0]) is str else None
        if build is None:
            raise malformed(node)
        return build(self, node)

    def values(self, nodes: list[Tree]) -> list[Any]:
        """Return the value of each of `nodes`."""
        return [self.value(node) for node in nodes]

    def later(self, fill: Callable[[], None]) -> None:
        """Have `fill` called before the value is handed out."""
        self._pending.append(fill)

    # --- shared

    def referred(self, number: Any) -> Any:
        """Return the value of the node of that number."""
        if type(number) is not int or number not in self._definitions:
            raise RecordError(f"encoded value refers to unknown part {number!r:.40}")
        if number not in self._known:
            if number in self._building:
                raise RecordError(f"encoded value: immutable part {number} contains itself")
            self._building.add(number)
            self._known[number] = self.value(self._definitions[number])
        return self._known[number]

    # --- classes

    def a_class(self, path: Tree) -> type:
        """Return the class of an import path."""
        found = self.resolve(text(path))
        if not classes.derives(type(found), type):
            raise RecordError(f"{path!r:.200} is no class")
        cls: type = found
        return cls

    def instance(self, path: Tree, base: type, *arguments: Any, **named: Any) -> Any:
        """Return a new instance of a class, whose built-in base has to be `base`."""
        cls = self.a_class(path)
        obstacle = classes.obstacle(cls)
        if obstacle:
            raise RecordError(f"{path!r:.200} {obstacle}")
        maker: Any = classes.base_of(cls)
        if not (classes.is_plain(maker) if base is object else classes.derives(maker, base)):
            raise RecordError(f"{path!r:.200} is no kind of {base.__name__} any more")
        return maker.__new__(cls, *arguments, **named)

    def set_state(self, value: Any, node: Tree) -> None:
        """Write the attributes in a ``d`` node, or none for ``None``, onto `value`, later."""
        if node is None:
            return
        tagged(node, "d")

        def fill() -> None:
            cls = type(value)
            members = classes.slots(cls)
            get_dict = classes.instance_dict(cls)
            for name, item in self.named(node):
                member = members.get(name) or classes.built_in_field(cls, name)
                if member is not None:
                    member.__set__(value, item)
                elif get_dict is not None:
                    get_dict(value)[name] = item
                else:
                    raise RecordError(f"{classes.path_of(cls)} has no attribute {name!r:.80}")

        self.later(fill)

    def named(self, node: Tree) -> list[tuple[str, Any]]:
        """Return the names and values of a ``d`` node."""
        items = tagged(node, "d")[1:]
        if len(items) % 2:
            raise malformed(node)
        return [(text(items[at]), self.value(items[at + 1])) for at in range(0, len(items), 2)]

    # --- containers

    def fill_list(self, value: Any, nodes: list[Tree], extend: Callable[..., Any]) -> Any:
        """Put items into a sequence, later."""
        self.later(lambda: extend(value, self.values(nodes)))
        return value

    def fill_set(self, value: Any, nodes: list[Tree]) -> Any:
        """Put elements into a set, later."""
        self.later(lambda: set.update(value, [self.whole(node) for node in nodes]))
        return value

    def fill_dict(self, value: Any, nodes: list[Tree]) -> Any:
        """Put keys and values into a mapping, later."""
        if len(nodes) % 2:
            raise RecordError("encoded mapping has a key without a value")
        base = classes.base_of(type(value))
        holder: Any = base if base.__name__ == "OrderedDict" else dict

        def fill() -> None:
            for at in range(0, len(nodes), 2):
                holder.__setitem__(value, self.whole(nodes[at]), self.value(nodes[at + 1]))

        self.later(fill)
        return value
