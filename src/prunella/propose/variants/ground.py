"""What the families of variants work on: a function's tree, its text, and the names in it."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from prunella.patching import FunctionSpan, SourceText, locate
from prunella.propose.rules.edits import Edit, Proposal, replacing
from prunella.propose.rules.scene import Scene

_BUILDERS = {
    "set": "set", "frozenset": "set", "list": "list", "dict": "dict", "sorted": "list",
    "deque": "list", "defaultdict": "dict", "OrderedDict": "dict",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One variant: what becomes of a node."""

    proposal: Proposal
    #: Whose line says how suspicious the place is.
    node: ast.expr | ast.stmt


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A function of a module or a method, with all that is inside it."""

    scene: Scene

    @property
    def node(self) -> ast.FunctionDef | ast.AsyncFunctionDef:
        return self.scene.node

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return the exact source of a node."""
        return self.scene.segment(node)

    def parent(self, node: ast.AST) -> ast.AST:
        """Return what a node stands in."""
        return self.scene.parents[node]

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """Everything in the body but docstrings, annotations and the inside of f-strings."""
        return [item for statement in self.statements for item in _below(statement)]

    @cached_property
    def statements(self) -> Sequence[ast.stmt]:
        """The body without its docstring."""
        documented = ast.get_docstring(self.node, clean=False) is not None
        return self.node.body[1:] if documented else self.node.body

    @cached_property
    def expressions(self) -> Sequence[ast.expr]:
        """Every expression that is read."""
        return [
            item
            for item in self.nodes
            if isinstance(item, ast.expr) and isinstance(getattr(item, "ctx", ast.Load()), ast.Load)
        ]

    @cached_property
    def names(self) -> Sequence[str]:
        """Parameters and variables of the function and of those inside it, in order of the text."""
        found: dict[str, None] = {}
        for item in ast.walk(self.node):
            if isinstance(item, ast.arg) and item.arg not in ("self", "cls"):
                found[item.arg] = None
            elif isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
                found[item.id] = None
        return tuple(found)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Names that are bound to a new ``set``, ``list`` or ``dict``."""
        found: dict[str, str] = {}
        for item in self.nodes:
            if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                kind = _kind(item.value)
                if kind:
                    found[item.targets[0].id] = kind
        return found

    def change(
        self, rule: str, node: ast.expr | ast.stmt, new: str, *, weight: float = 1.0
    ) -> Change:
        """Return the variant with `new` in place of a node."""
        return self.edited(
            rule,
            node,
            (replacing(self.scene, node, new),),
            f"Write `{_short(new)}` instead of `{_short(self.text(node))}`",
            weight=weight,
        )

    def edited(
        self,
        rule: str,
        node: ast.expr | ast.stmt,
        edits: tuple[Edit, ...],
        description: str,
        *,
        weight: float = 1.0,
    ) -> Change:
        """Return the variant that `edits` make."""
        proposal = Proposal(
            rule=f"variant.{rule}",
            edits=edits,
            description=description,
            reason=f"the failing tests run line {node.lineno}",
            weight=weight,
        )
        return Change(proposal=proposal, node=node)


def ground(source: bytes, qualname: str, first_line: int) -> Ground:
    """Return the ground of a function; raises `SourceUnavailable` where it isn't there."""
    text = SourceText(source)
    span: FunctionSpan = locate(text, qualname, first_line=first_line)
    parents = {child: node for node in ast.walk(span.node) for child in ast.iter_child_nodes(node)}
    scene = Scene(
        text=text,
        span=span,
        parents=parents,
        failures=(),
        crash=span.node,
        own_calls=False,
        passing_inputs=(),
        passing_results=(),
    )
    return Ground(scene=scene)


def _below(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.JoinedStr):  # positions inside are unreliable before Python 3.12
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args") and not (
            name == "args" and isinstance(value, list)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _below(child)


def _kind(value: ast.expr) -> str:
    if isinstance(value, (ast.List, ast.ListComp)):
        return "list"
    if isinstance(value, (ast.Set, ast.SetComp)):
        return "set"
    if isinstance(value, (ast.Dict, ast.DictComp)):
        return "dict"
    if isinstance(value, ast.Call):
        name = getattr(value.func, "id", getattr(value.func, "attr", ""))
        return _BUILDERS.get(name, "")
    return ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}…"
