"""How likely a rule's patch is right when replay accepts it: judged first, then moved by data.

`JUDGED` is what a person would bet before any measurement, by rule or family of rules. The table in
``priors.json`` moves these bets by what `benchmarks/repair.py --calibrate` counted; it is read
whole and never edited by hand.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

#: For a rule that nothing is known of: what single-edit templates reach on average.
UNMEASURED = 0.15

JUDGED: Mapping[str, float] = {
    "argument": 0.6, "argument.missing": 0.7, "argument.key": 0.85, "argument.surplus_earlier": 0.3,
    "attribute.built_in": 0.8,
    "attribute": 0.5, "attribute.key": 0.7, "attribute.near": 0.6,
    "caught": 0.2,
    "decode": 0.25, "decode.sibling": 0.7, "decode.replace": 0.35,
    "file": 0.4,
    "flip": 0.1, "flip.earlier_comparison": 0.05, "flip.comparison": 0.3,
    "form": 0.5, "form.subscript": 0.7, "form.uncalled": 0.6, "form.class": 0.5, "form.class.unused_parameter": 0.75,
    "growth": 0.6, "growth.begin_as": 0.5,
    "pass": 0.4, "pass.pairs": 0.8, "pass.remove": 0.6, "pass.pop": 0.5, "pass.stop": 0.2,
    "index": 0.2, "index.bound_and": 0.35, "index.empty": 0.4, "index.shrink_range": 0.4,
    "index.slice": 0.5,     "index.swap_checks": 0.8,
    "iteration": 0.5, "iteration.none": 0.4,
    "key": 0.3, "key.augmented": 0.7, "key.discard": 0.5, "key.get_none": 0.15, "key.get_precedent": 0.7,
    "key.get_typed": 0.4, "key.near": 0.6, "key.setdefault": 0.7,
    "name": 0.3, "name.import": 0.85, "name.less_near": 0.05, "name.near": 0.5, "name.near_function": 0.6,
    "name.unused_parameter": 0.5, "name.unread": 0.6, "name.swapped": 0.7, "name.method_of_first": 0.8, "name.item": 0.3, "name.filled": 0.5, "name.compared": 0.7,
    "none": 0.35, "none.forgotten_return": 0.6, "none.default_inline": 0.3, "none.default_parameter": 0.45,
    "none.get_default": 0.5, "none.or_at_source": 0.4,
    "type": 0.4, "type.component": 0.6, "type.length": 0.5, "type.plain": 0.4,
    "type.await": 0.8, "type.call": 0.6, "type.floor_division": 0.7,
    "type.operand.str": 0.6, "type.other_base": 0.1,
    "unbound": 0.2, "unbound.compared": 0.7, "unbound.empty": 0.4, "unbound.global": 0.6,
    "unbound.hoist": 0.5, "unbound.init.none": 0.05,
    "unbound.init.sibling": 0.6, "unbound.length": 0.6,
    "unbound.less_near": 0.05, "unbound.near": 0.5, "unbound.unread": 0.6, "unbound.outer_counter": 0.7, "unbound.move_up": 0.7,
    "value": 0.35, "value.blank": 0.5, "value.default": 0.5, "value.currency": 0.6, "value.remove.if_there": 0.6, "value.split_once": 0.7,
    "value.thousands": 0.7,
    "zero": 0.4, "zero.empty": 0.5, "zero.inline": 0.35,
}  # fmt: skip


@cache
def measured() -> Mapping[str, float]:
    """Return the calibrated priors: rule or family of rules to a chance between 0 and 1."""
    text = files("prunella.propose.rules").joinpath("priors.json").read_text("utf-8")
    priors: Mapping[str, float] = json.loads(text)["priors"]
    return priors


def judged(rule: str) -> float:
    """Return what was judged of a rule, or of the nearest family that it belongs to."""
    return _nearest(rule, JUDGED) or UNMEASURED


def prior_of(rule: str) -> float:
    """Return a rule's prior: measured where it was, otherwise judged."""
    return measured().get(rule) or judged(rule)


def _nearest(rule: str, table: Mapping[str, float]) -> float | None:
    while rule and rule not in table:
        rule = rule.rpartition(".")[0]
    return table.get(rule)
