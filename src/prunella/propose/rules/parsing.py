"""ValueError: text that can't be read, empty aggregates, searches without a find, unpacking."""

import ast
import re
from collections.abc import Iterator

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import Proposal, adding_argument, anchor, grouped, replacing
from prunella.propose.rules.flow import calls_to
from prunella.propose.rules.guards import guards
from prunella.propose.rules.precedents import default_of_call
from prunella.propose.rules.scene import Scene, describe_failures

EXCEPTIONS = ("ValueError", "InvalidOperation", "StatisticsError")
_EMPTY = re.compile(r"(arg is an empty sequence|iterable argument is empty|at least one data)")
_LITERAL = re.compile(r"(?:literal for int\(\) with base 10|string to float): '(.*)'$", re.DOTALL)


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose what the message calls for."""
    message, crash = scene.exception.message, scene.crash
    if _EMPTY.search(message) and isinstance(crash, ast.Call):
        yield from _aggregate(scene, crash)
    elif isinstance(crash, ast.Call) and calls_to(crash, "int", "float") and crash.args:
        yield from _number(scene, crash, message)
    elif isinstance(crash, ast.Call) and isinstance(crash.func, ast.Attribute):
        yield from _search(scene, crash, crash.func)
    if "values to unpack" in message:
        yield from _unpacking(scene, message)


def _aggregate(scene: Scene, crash: ast.Call) -> Iterator[Proposal]:
    if len(crash.args) != 1:
        return
    argument = crash.args[0]
    text = scene.segment(argument)
    because = f"`{text}` is empty"
    if isinstance(argument, (ast.Name, ast.Attribute)):
        yield from guards(scene, "value.empty", f"not {text}", argument, because)
    if not calls_to(crash, "max", "min") or any(item.arg == "default" for item in crash.keywords):
        return
    literal, why, weight, basis = "0", "", 0.3, "zero"
    precedent = default_of_call(scene, "max", "min")
    best = answers(scene)[:1] if isinstance(scene.parents.get(crash), ast.Return) else []
    if best:
        literal, why, weight = best[0].text or "None", f"; {best[0].why}", best[0].weight
        basis = best[0].basis
    elif precedent is not None:
        literal, why, weight = precedent.text, f"; {precedent.function} has it so", 1.0
        basis = "sibling"
    yield Proposal(
        rule=f"value.default.{basis}",
        weight=weight,
        edits=(adding_argument(scene, crash, f"default={literal}"),),
        description=f"Use {literal} as `{scene.segment(crash)}` when `{text}` is empty",
        reason=f"{because} in {describe_failures(scene.failures)}{why}",
    )


def _number(scene: Scene, crash: ast.Call, message: str) -> Iterator[Proposal]:
    """Clean the text as the failing texts call for."""
    argument, name = crash.args[0], scene.segment(crash.func)
    text = grouped(scene.segment(argument), argument)
    literals = [
        found[1]
        for failure in scene.failures
        if (found := _LITERAL.search(failure.exception.message))
    ]
    because = f"{message.partition(':')[0]} in {describe_failures(scene.failures)}"
    if not literals or isinstance(argument, ast.Constant):
        return
    plain = [item.strip() for item in literals]
    if all("," in item for item in plain):
        yield Proposal(
            rule="value.thousands",
            edits=(replacing(scene, argument, f'{text}.replace(",", "")'),),
            description=f"Take thousands separators out of `{text}`",
            reason=f"{because}; the texts hold commas",
        )
    if name == "int" and all(re.fullmatch(r"[+-]?\d+\.\d*", item) for item in plain):
        yield Proposal(
            rule="value.int_of_float",
            edits=(replacing(scene, argument, f"float({scene.segment(argument)})"),),
            description=f"Read `{text}` as a decimal number first",
            reason=f"{because}; the texts have a decimal point",
        )
    if all(re.fullmatch(r"[$€£]\s?[\d.]+|[\d.]+\s?[$€£%]", item) for item in plain):
        signs = "".join(sorted({char for item in plain for char in item if char in "$€£%"}))
        yield Proposal(
            rule="value.currency",
            edits=(replacing(scene, argument, f'{text}.strip("{signs} ")'),),
            description=f"Take {signs} off `{text}`",
            reason=f"{because}; the texts hold {signs}",
        )
    yield from _blank(scene, argument, literals, because)


def _blank(
    scene: Scene, argument: ast.expr, literals: list[str], because: str
) -> Iterator[Proposal]:
    """The texts that can't be read are empty."""
    text = grouped(scene.segment(argument), argument)
    blank = all(not item.strip() for item in literals)
    if blank and isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript)):
        condition = f"not {text}.strip()" if any(literals) else f"not {text}"
        yield from guards(scene, "value.blank", condition, argument, f"`{text}` is blank")
        if not any(literals):
            yield Proposal(
                rule="value.blank.default",
                weight=0.5,
                edits=(replacing(scene, argument, f"{text} or 0"),),
                description=f"Read an empty `{text}` as 0",
                reason=because,
            )


def _search(scene: Scene, crash: ast.Call, method: ast.Attribute) -> Iterator[Proposal]:
    if method.attr not in ("index", "remove") or len(crash.args) != 1:
        return
    base, wanted = scene.segment(method.value), scene.segment(crash.args[0])
    condition = f"{grouped(wanted, crash.args[0])} not in {base}"
    subject = ast.Tuple(elts=[crash.args[0], method.value], ctx=ast.Load())
    yield from guards(scene, f"value.{method.attr}", condition, subject, f"`{condition}`")
    if method.attr == "remove" and isinstance(scene.parents.get(crash), ast.Expr):
        statement = scene.statement(crash)
        newline = scene.text.newline(statement.lineno)
        indent = " " * statement.col_offset
        if anchor(scene, crash) is statement:
            yield Proposal(
                rule="value.remove.if_there",
                edits=(
                    replacing(
                        scene,
                        statement,
                        f"if {wanted} in {base}:{newline}{indent}    {scene.segment(statement)}",
                    ),
                ),
                description=f"Remove `{wanted}` only where it is there",
                reason=f"`{condition}` in {describe_failures(scene.failures)}",
            )


def _unpacking(scene: Scene, message: str) -> Iterator[Proposal]:
    """`a, b = text.split("=")`: too many parts are one split too many."""
    statement = scene.statement(scene.crash)
    value = statement.value if isinstance(statement, ast.Assign) else None
    expected = re.search(r"expected (\d+)", message)
    if value is None or expected is None:
        return
    text = scene.segment(value)
    because = f"{message} in {describe_failures(scene.failures)}"
    splits = (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in ("split", "rsplit")
        and len(value.args) == 1
        and not value.keywords
    )
    if splits and message.startswith("too many") and isinstance(value, ast.Call):
        argument = scene.segment(value.args[0])
        yield Proposal(
            rule="value.split_once",
            edits=(replacing(scene, value.args[0], f"{argument}, {int(expected[1]) - 1}"),),
            description=f"Split `{text}` into {expected[1]} parts at most",
            reason=because,
        )
    function = value.func if splits and isinstance(value, ast.Call) else None
    whole = function.value if isinstance(function, ast.Attribute) else None
    if isinstance(whole, ast.Name) and _all_blank(scene, whole.id):
        name = whole.id
        yield from guards(scene, "value.blank", f"not {name}.strip()", whole, f"`{name}` is blank")
    if isinstance(value, (ast.Name, ast.Attribute)):
        yield from guards(
            scene,
            "value.unpack",
            f"len({text}) != {expected[1]}",
            value,
            f"`{text}` is of other length",
        )
    elif splits and isinstance(value, ast.Call):
        condition = f"len({text}) != {expected[1]}"
        yield from guards(scene, "value.unpack", condition, value, f"`{condition}`")


def _all_blank(scene: Scene, name: str) -> bool:
    values = scene.local(name)
    return bool(values) and all(isinstance(item, str) and not item.strip() for item in values)
