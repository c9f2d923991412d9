"""Variants of a function: small edits as people make them, for where tests tell right from wrong.

The families are those known from program repair by search: operators, bounds and constants, names
and arguments, conditions, expressions and statements that the function has elsewhere (GenProg, Le
Goues et al. 2012; PraPR, Ghanbari et al. 2019; TBar, Liu et al. 2019). None knows what is right:
most variants are wrong, so they are worth trying only where failing tests decide.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prunella.model.errors import SourceUnavailable
from prunella.model.repair import SourceFunction
from prunella.model.trials import Variant
from prunella.patching.text import end_of
from prunella.propose.rules.edits import Proposal, apply
from prunella.propose.variants import (
    conditions,
    expressions,
    names,
    numbers,
    operators,
    statements,
)
from prunella.propose.variants.ground import Change, Ground, ground
from prunella.propose.variants.priors import prior_of

FAMILIES = (operators, numbers, names, conditions, expressions, statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedVariant:
    """A variant with what it is and how likely it is to be right."""

    function: SourceFunction
    variant: Variant
    proposal: Proposal

    @property
    def chance(self) -> float:
        """Only for ranking: the family's prior times how suspicious the place is."""
        return self.variant.chance


def propose_variants(
    functions: Sequence[tuple[SourceFunction, Mapping[int, float]]], *, limit: int
) -> list[ProposedVariant]:
    """Return at most `limit` variants of the functions, the likeliest first, no text twice.

    Each function comes with its suspicious lines: line of the file to a number between 0 and 1.
    Lines that aren't there are not touched. Runs no code of the program.
    """
    found: list[ProposedVariant] = []
    for function, lines in functions:
        try:
            base = ground(function.file_source, function.qualname, function.first_line)
        except SourceUnavailable:
            continue
        found += _of_function(function, base, lines)
    found.sort(key=lambda item: -item.chance)
    return _distinct(found, limit)


def _of_function(
    function: SourceFunction, base: Ground, lines: Mapping[int, float]
) -> Iterator[ProposedVariant]:
    for family in FAMILIES:
        for change in family.propose(base):
            suspicion = _suspicion(change, base, lines)
            if suspicion <= 0:
                continue
            text = apply(base.scene, change.proposal)
            if text is None:
                continue
            prior = prior_of(change.proposal.rule) * change.proposal.weight
            yield ProposedVariant(
                function=function,
                variant=Variant(
                    path=function.path,
                    qualname=function.qualname,
                    first_line=function.first_line,
                    text=text,
                    chance=prior * suspicion,
                ),
                proposal=change.proposal,
            )


def _suspicion(change: Change, base: Ground, lines: Mapping[int, float]) -> float:
    """Return that of the lines a change touches; the first line of its statement stands for all."""
    statement = base.scene.statement(change.node)
    own = range(change.node.lineno, end_of(change.node)[0] + 1)
    if change.node is statement:
        own = range(change.node.lineno, change.node.lineno + 1)
    return max(lines.get(line, 0.0) for line in (statement.lineno, *own))


def _distinct(ranked: Sequence[ProposedVariant], limit: int) -> list[ProposedVariant]:
    kept: dict[tuple[str, str, str], ProposedVariant] = {}
    for item in ranked:
        key = (item.variant.path, item.variant.qualname, item.variant.text)
        if key not in kept and item.variant.text != item.function.text:
            kept[key] = item
            if len(kept) >= limit:
                break
    return list(kept.values())


__all__ = ["FAMILIES", "ProposedVariant", "propose_variants"]
