"""What holds for every passing call, and whether it holds for a once-failing one that returns now.

Mined from the results of passing calls that reproduced (types, lengths, keys, sign, arguments left
alone), and read from the return annotation where it is simple. A value that the function already
returns by a literal (``return None``, ``return []``) is always allowed: somebody meant it.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prunella.codec import entries, render, type_name
from prunella.model.repair import Baseline, Patch, ReplayEnding, ReplayOutcome
from prunella.model.tree import Tree
from prunella.validate import policy
from prunella.validate.compare import Sameness, compare_values

#: So many passing calls have to agree before anything is learned from them.
_ENOUGH = 3
#: As many for what an ordinary function could break at any moment: the sign of a number.
_ENOUGH_FOR_SIGN = 5
_CONTAINERS = frozenset({"l", "t", "s", "fs", "dq"})
_ANNOTATED = {
    "int": {"int", "bool"},
    "float": {"float", "int", "bool"},
    "complex": {"complex", "float", "int"},
    "List": {"list"},
    "Dict": {"dict"},
    "Set": {"set"},
    "Tuple": {"tuple"},
    "None": {"NoneType"},
    "frozenset": {"frozenset"},
    "Decimal": {"decimal.Decimal"},
    **{name: {name} for name in ("str", "bool", "bytes", "list", "dict", "set", "tuple")},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that holds for every passing call."""

    #: In a few words: ``the type is float``.
    text: str
    #: ``(inputs, outcome)`` → why it doesn't hold, empty when it does.
    violation: Callable[[Tree, ReplayOutcome], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was mined for one function."""

    statements: tuple[Statement, ...]

    @property
    def summary(self) -> str:
        """The statements in one line."""
        return ", ".join(statement.text for statement in self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    """One passing call."""

    inputs: Tree
    result: Tree
    inputs_after: Tree


def mine(baseline: Baseline, patch: Patch) -> Learned:
    """Return what holds for the function that `patch` edits, as far as the baseline shows.

    Passing calls of other sites than the failing ones (a caller of the function) are left out.
    """
    sites = {occurrence.site_id for occurrence, _ in baseline.failing}
    seen = [
        _Observed(inputs=call.inputs, result=outcome.result, inputs_after=outcome.inputs_after)
        for call, outcome in baseline.passing
        if call.site_id in sites
    ]
    function = _function(patch)
    own = any(site.partition(":")[2] == patch.qualname for site in sites)
    literals = _literal_results(function) if function is not None and own else set()
    statements = [*_type(seen, function if own else None, literals)]
    if len(seen) >= _ENOUGH:
        results = [_strip(item.result) for item in seen]
        statements += [
            *_shape(results, literals),
            *_keys(results, literals),
            *_lengths(seen, literals),
            *_sign(results, literals),
            *_untouched(seen),
        ]
    return Learned(statements=tuple(statements))


def violations(learned: Learned, inputs: Tree, outcome: ReplayOutcome) -> list[str]:
    """Return the statements that a returned call breaks, in words."""
    if outcome.ending is not ReplayEnding.RETURNED:
        return []
    found = [statement.violation(inputs, outcome) for statement in learned.statements]
    return [text for text in found if text]


def _function(patch: Patch) -> policy.Function | None:
    try:
        functions = policy.parse(patch).functions
    except (SyntaxError, ValueError):
        return None
    return functions[0] if functions else None


# --- types ---------------------------------------------------------------------------------------


def _type(
    seen: Sequence[_Observed], function: policy.Function | None, literals: set[str]
) -> Iterator[Statement]:
    generates = function is not None and any(
        isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(function)
    )
    annotated = _annotation(function.returns) if function is not None and not generates else None
    mined = {_kind(item.result) for item in seen} if len(seen) >= _ENOUGH else None
    if annotated is not None:
        allowed, source = annotated, "the return annotation allows"
    elif mined is not None and len(mined) <= 3:
        literal_kinds = {kind for text in literals if (kind := _literal_kind(text))}
        allowed, source = mined | literal_kinds, f"{len(seen)} passing calls return"
    else:
        return
    names = " or ".join(sorted(allowed))

    def violation(inputs: Tree, outcome: ReplayOutcome) -> str:
        kind = _kind(outcome.result)
        return "" if kind in allowed else f"it returns {_value(outcome)} ({kind}), {source} {names}"

    yield Statement(text=f"the type is {names}", violation=violation)


def _kind(tree: Tree) -> str:
    return type_name(_strip(tree))


def _annotation(node: ast.expr | None) -> set[str] | None:
    """Return the type names that an annotation allows; ``None`` where it isn't simple."""
    if isinstance(node, ast.Constant):
        if node.value is None:
            return {"NoneType"}
        return _annotation_text(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = _annotation(node.left), _annotation(node.right)
        return None if left is None or right is None else left | right
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value).rpartition(".")[2]
        if name == "Optional":
            inner = _annotation(node.slice)
            return None if inner is None else inner | {"NoneType"}
        return _ANNOTATED.get(name)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _ANNOTATED.get(ast.unparse(node).rpartition(".")[2])
    return None


def _annotation_text(text: object) -> set[str] | None:
    if not isinstance(text, str):
        return None
    try:
        return _annotation(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _literal_results(function: policy.Function) -> set[str]:
    """Return the literals that the function already returns, as source text."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Return):
            if node.value is None:
                found.add("None")
            elif _literal_kind(ast.unparse(node.value)):
                found.add(ast.unparse(node.value))
    return found


def _literal_kind(text: str) -> str:
    try:
        return type(ast.literal_eval(text)).__name__
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ""


# --- shape ---------------------------------------------------------------------------------------


def _shape(results: Sequence[Tree], literals: set[str]) -> Iterator[Statement]:
    if all(_tag(result) == "t" for result in results):
        sizes = {_length(result) for result in results}
        if len(sizes) == 1:
            size = sizes.pop()
            yield Statement(
                text=f"the tuple has {size} items",
                violation=lambda inputs, outcome: (
                    f"it returns {_length(_strip(outcome.result))} items, passing calls {size}"
                    if _tag(_strip(outcome.result)) == "t"
                    and _length(_strip(outcome.result)) != size
                    else ""
                ),
            )
    if all(_tag(result) in ("l", "s", "fs") for result in results):
        kinds = {_kind(item) for result in results for item in _members(result)}
        if kinds and len(kinds) <= 3:
            names = " or ".join(sorted(kinds))
            yield Statement(
                text=f"its items are {names}",
                violation=lambda inputs, outcome: _foreign_items(outcome.result, kinds, names),
            )


def _foreign_items(result: Tree, kinds: set[str], names: str) -> str:
    for item in _members(_strip(result)):
        if _kind(item) not in kinds:
            return f"it returns an item {_short(item)} ({_kind(item)}), passing calls {names}"
    return ""


def _keys(results: Sequence[Tree], literals: set[str]) -> Iterator[Statement]:
    names = [_dict_keys(result) for result in results]
    if any(item is None for item in names) or len({tuple(item or ()) for item in names}) != 1:
        return
    expected = names[0] or []
    if not expected or "{}" in literals or "dict()" in literals:
        return

    def violation(inputs: Tree, outcome: ReplayOutcome) -> str:
        keys = _dict_keys(_strip(outcome.result))
        if keys is None or keys == expected:
            return ""
        return (
            f"it returns the keys {', '.join(keys) or 'none'}, passing calls {', '.join(expected)}"
        )

    yield Statement(text=f"its keys are {', '.join(expected)}"[:120], violation=violation)


def _dict_keys(tree: Tree) -> list[str] | None:
    if _tag(tree) != "d" or not isinstance(tree, list):
        return None
    keys = tree[1::2]
    return sorted(map(str, keys)) if all(isinstance(key, str) for key in keys) else None


def _lengths(seen: Sequence[_Observed], literals: set[str]) -> Iterator[Statement]:
    """The result is as long as one of the arguments."""
    pairs = [(dict(entries(item.inputs)), _length(_strip(item.result))) for item in seen]
    if any(length is None for _, length in pairs) or len({length for _, length in pairs}) < 2:
        return
    if any(isinstance(_strip(item.result), str) for item in seen):
        return
    for name in pairs[0][0]:
        if all(name in inputs and _length(_strip(inputs[name])) == size for inputs, size in pairs):
            yield Statement(text=f"it is as long as {name}", violation=_length_violation(name))


def _length_violation(name: str) -> Callable[[Tree, ReplayOutcome], str]:
    def violation(inputs: Tree, outcome: ReplayOutcome) -> str:
        expected = _length(_strip(dict(entries(inputs)).get(name)))
        found = _length(_strip(outcome.result))
        if expected is None or found is None or expected == found:
            return ""
        return f"it returns {found} items for {expected} in {name}, passing calls as many"

    return violation


def _sign(results: Sequence[Tree], literals: set[str]) -> Iterator[Statement]:
    numbers = [r for r in results if isinstance(r, (int, float)) and not isinstance(r, bool)]
    if len(numbers) < len(results) or len(numbers) < _ENOUGH_FOR_SIGN or min(numbers) < 0:
        return
    if any(text.startswith("-") for text in literals):
        return
    yield Statement(
        text="it is not negative",
        violation=lambda inputs, outcome: (
            f"it returns {outcome.result}, passing calls never a negative number"
            if isinstance(outcome.result, (int, float)) and outcome.result < 0
            else ""
        ),
    )


# --- arguments -----------------------------------------------------------------------------------


def _untouched(seen: Sequence[_Observed]) -> Iterator[Statement]:
    """An argument that no passing call changes stays unchanged."""
    changed: set[str] = set()
    mutable: set[str] = set()
    for item in seen:
        after = dict(entries(item.inputs_after))
        for name, value in entries(item.inputs):
            if isinstance(value, list):
                mutable.add(name)
            if name in after and compare_values(value, after[name]).sameness is not Sameness.EQUAL:
                changed.add(name)
    for name in sorted(mutable - changed):
        yield Statement(text=f"{name} is left alone", violation=_change_violation(name))


def _change_violation(name: str) -> Callable[[Tree, ReplayOutcome], str]:
    def violation(inputs: Tree, outcome: ReplayOutcome) -> str:
        before, after = dict(entries(inputs)), dict(entries(outcome.inputs_after))
        if name not in before or name not in after:
            return ""
        found = compare_values(before[name], after[name])
        if found.sameness is not Sameness.DIFFERENT:
            return ""
        return f"it changes the argument {name} ({found.detail}), passing calls never do"

    return violation


# --- trees ---------------------------------------------------------------------------------------


def _strip(tree: Tree) -> Tree:
    while isinstance(tree, list) and len(tree) == 3 and tree[0] == "&":
        tree = tree[2]
    return tree


def _tag(tree: Tree) -> str:
    return str(tree[0]) if isinstance(tree, list) and tree else ""


def _members(tree: Tree) -> Sequence[Tree]:
    return tree[1:] if isinstance(tree, list) and _tag(tree) in _CONTAINERS else ()


def _length(tree: Tree) -> int | None:
    if isinstance(tree, str):
        return len(tree)
    if isinstance(tree, list) and tree and tree[0] in ("l", "t", "s", "fs"):
        return len(tree) - 1
    if isinstance(tree, list) and tree and tree[0] == "d":
        return len(tree) // 2
    return None


def _short(tree: Tree) -> str:
    return render(tree, max_chars=60)


def _value(outcome: ReplayOutcome) -> str:
    return _short(outcome.result)
