"""How likely a family of variants is right, before any test: judged by hand, not fitted.

The numbers are bets on what people's edits are. They were not computed from counts in any paper, and
whoever chose families and numbers knew the bugs of QuixBugs: what is measured there is measured on
a development set.
"""

from collections.abc import Mapping

#: For a family that isn't named.
_OTHER = 0.05

PRIORS: Mapping[str, float] = {
    "comparison.flip": 0.5, "comparison.swap": 0.2,
    "operator": 0.3, "operator.augmented": 0.35, "operator.assign": 0.1,
    "operands.swap": 0.3, "operands.drop": 0.15, "logic": 0.35, "negation.drop": 0.2,
    "bound.range": 0.45, "bound.index": 0.35, "bound.slice": 0.35, "bound.argument": 0.3,
    "bound.compared": 0.25, "bound.operand": 0.2, "bound.value": 0.15,
    "constant": 0.25, "truth": 0.2,
    "name.variable": 0.3, "name.counterpart": 0.4,
    "attribute.counterpart": 0.3, "attribute.alike": 0.35, "attribute.other": 0.08,
    "arguments.swap": 0.4, "index.swap": 0.35, "items.swap": 0.2, "target.item": 0.07,
    "condition.negate": 0.2, "condition.drop": 0.15, "condition.while": 0.35,
    "condition.or_none": 0.25, "condition.or_empty": 0.22, "condition.and_there": 0.15,
    "condition.and_empty": 0.1, "condition.size": 0.3,
    "guard.return": 0.1, "guard.sentinel": 0.05,
    "answer": 0.25, "answer.negate": 0.08,
    "expression.value": 0.15, "expression.operand": 0.15, "expression.iterated": 0.12,
    "expression.bounded": 0.12, "expression.joined": 0.1, "expression.power": 0.06,
    "iterated": 0.15, "cut": 0.15, "cut.named": 0.1, "argument.less": 0.12, "argument.more": 0.08,
    "yield": 0.4,
    "insert.similar": 0.12, "insert.collect": 0.2, "insert.assign": 0.1, "omit": 0.08, "order": 0.08,
}  # fmt: skip


def prior_of(rule: str) -> float:
    """Return the prior of ``variant.family.kind``, or that of its family."""
    name = rule.removeprefix("variant.")
    while name and name not in PRIORS:
        name = name.rpartition(".")[0]
    return PRIORS.get(name, _OTHER)
