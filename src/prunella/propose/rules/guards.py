"""Guards against a value that the crashed expression can't take: shared by many rules."""

import ast
from collections.abc import Iterator, Sequence

from prunella.propose.rules.answers import answers
from prunella.propose.rules.edits import (
    Proposal,
    anchor,
    first_statement,
    inserting,
    replacing,
)
from prunella.propose.rules.flow import (
    is_plain_parameter,
    is_repeatable,
    loops_around,
    names_in,
    test_with,
)
from prunella.propose.rules.scene import Scene, describe_failures


def guards(
    scene: Scene, family: str, condition: str, subject: ast.expr, because: str
) -> Iterator[Proposal]:
    """Yield guards that keep the crashed node from running while `condition` holds.

    `condition` is an expression over the names of `subject`, the offending value; nothing is
    yielded where asking it might change something.
    """
    if not is_repeatable(subject):
        return
    because = f"{because} in {describe_failures(scene.failures)}"
    yield from _early(scene, family, condition, subject, because)
    yield from _skip(scene, family, condition, subject, because)
    yield from _in_test(scene, family, condition, because)


def _early(
    scene: Scene, family: str, condition: str, subject: ast.expr, because: str
) -> Iterator[Proposal]:
    places: list[tuple[str, ast.stmt]] = []
    start, before = first_statement(scene), anchor(scene, scene.crash)
    if start is not None and all(is_plain_parameter(scene, name) for name in names_in(subject)):
        places.append(("start", start))
    if before is not start or not places:
        places.append(("before", before))
    for place, statement in places:
        for answer in answers(scene, condition):
            edit = inserting(scene, statement, [f"if {condition}:", f"\t{answer.statement}"])
            if edit is not None:
                yield Proposal(
                    rule=f"{family}.return_{place}.{answer.basis}",
                    edits=(edit,),
                    description=f"R{answer.statement[1:]} when `{condition}`",
                    reason=f"{because}; {answer.why}",
                    weight=answer.weight,
                )


def _skip(
    scene: Scene, family: str, condition: str, subject: ast.expr, because: str
) -> Iterator[Proposal]:
    loops = loops_around(scene, scene.crash)
    if not loops or isinstance(loops[0], ast.While):
        return
    if not names_in(subject) & names_in(loops[0].target) and not _bound_inside(loops[0], subject):
        return
    edit = inserting(scene, anchor(scene, scene.crash), [f"if {condition}:", "\tcontinue"])
    if edit is not None:
        yield Proposal(
            rule=f"{family}.continue",
            edits=(edit,),
            description=f"Skip the item when `{condition}`",
            reason=because,
        )


def _bound_inside(loop: ast.For | ast.AsyncFor, subject: ast.expr) -> bool:
    wanted = names_in(subject)
    return any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in wanted
        for statement in loop.body
        for node in ast.walk(statement)
    )


def _in_test(scene: Scene, family: str, condition: str, because: str) -> Iterator[Proposal]:
    test = test_with(scene, scene.crash)
    if test is None:
        return
    text = scene.segment(test)
    plain = not isinstance(test, (ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr))
    negated = negation(condition)
    joined_and = plain or (isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And))
    joined_or = plain or (isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or))
    yield Proposal(
        rule=f"{family}.and_test",
        edits=(replacing(scene, test, f"{negated} and {text if joined_and else f'({text})'}"),),
        description=f"Ask `{negated}` before `{text}`",
        reason=because,
    )
    parent = scene.parents[test]
    if isinstance(parent, ast.If):
        yield Proposal(
            rule=f"{family}.or_test",
            edits=(replacing(scene, test, f"{condition} or {text if joined_or else f'({text})'}"),),
            description=f"Take the branch of `{text}` also when `{condition}`",
            reason=because,
        )


def negation(condition: str) -> str:
    """Return the opposite of a condition that a rule has written."""
    pairs: Sequence[tuple[str, str]] = ((" is None", " is not None"), (" == ", " != "))
    for one, other in pairs:
        if one in condition:
            return condition.replace(one, other)
        if other in condition:
            return condition.replace(other, one)
    for one, other in ((" >= ", " < "), (" <= ", " > "), (" not in ", " in ")):
        if one in condition:
            return condition.replace(one, other)
    if condition.startswith("not "):
        return condition.removeprefix("not ")
    return f"not ({condition})"


def defaulting(
    scene: Scene, family: str, node: ast.expr, text: str, description: str, reason: str
) -> Proposal:
    """Return the proposal that puts another expression in place of a node."""
    return Proposal(
        rule=family,
        edits=(replacing(scene, node, text),),
        description=description,
        reason=reason,
    )
