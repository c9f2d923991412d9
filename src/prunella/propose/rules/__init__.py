"""The built-in repair rules: small edits, each derived from what the failing calls show.

A rule serves the exceptions it names and yields proposals: edits of exact source segments with the
evidence for them. `propose_by_rules` makes candidates of them, ranked by calibrated priors.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from prunella.model.dossier import Dossier
from prunella.model.errors import PatchRefused, SourceUnavailable
from prunella.model.repair import Candidate
from prunella.propose.candidates import make_candidate
from prunella.propose.rules import (
    arguments,
    arithmetic,
    attributes,
    catching,
    files,
    flips,
    forms,
    growth,
    index,
    iteration,
    keys,
    names,
    nothing,
    parsing,
    passes,
    types,
    unbound,
)
from prunella.propose.rules.edits import Proposal, apply
from prunella.propose.rules.priors import prior_of
from prunella.propose.rules.scene import Scene, scenes

#: Places of one incident looked at, the commonest first.
_MAX_SCENES = 3
#: Candidates given to validation, at most: what ranks behind has a prior near nothing.
MAX_CANDIDATES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A repair rule."""

    #: Class names, without modules; a rule serves their subclasses too.
    exceptions: frozenset[str]
    propose: Callable[[Scene], Iterable[Proposal]]


RULES = tuple(
    Rule(exceptions=frozenset(module.EXCEPTIONS), propose=module.propose)
    for module in (
        nothing, index, keys, unbound, names, attributes, types, growth, forms, arguments, passes,
        arithmetic, parsing, iteration, files, catching, flips,
    )
)  # fmt: skip


def propose_by_rules(dossier: Dossier) -> list[Candidate]:
    """Return the candidates that the rules derive from a dossier, the highest prior first.

    Each compiles and differs from the others in its resulting source; the list is empty where no
    rule applies or the function can't be found. Runs no code of the program.
    """
    try:
        found = scenes(dossier)[:_MAX_SCENES]
    except SourceUnavailable:
        return []
    best: dict[bytes, Candidate] = {}
    proposed = [(scene, list(_proposals(scene))) for scene in found]
    pairs = [(scene, proposal) for scene, proposals in proposed for proposal in proposals]
    pairs += [(found[0], proposal) for proposal in _everywhere([item for _, item in proposed])]
    for scene, proposal in pairs:
        candidate = _candidate(dossier, scene, proposal)
        if candidate is None:
            continue
        rival = best.get(candidate.patch.after)
        if rival is None or rival.prior < candidate.prior:
            best[candidate.patch.after] = candidate
    ranked = sorted(best.values(), key=lambda candidate: -candidate.prior)
    return ranked[:MAX_CANDIDATES]


def _proposals(scene: Scene) -> Iterator[Proposal]:
    classes = {name.rpartition(":")[2].rpartition(".")[2] for name in scene.exception.mro}
    classes.add(scene.exception.type_name.rpartition(".")[2])
    if "RecursionError" in classes:
        return
    own = scene.exception.type_name.rpartition(".")[2]
    for rule in RULES:
        # UnboundLocalError is a NameError, but not one that an import or another name mends.
        if own in rule.exceptions or (own != "UnboundLocalError" and classes & rule.exceptions):
            yield from rule.propose(scene)


def _everywhere(proposed: list[list[Proposal]]) -> Iterator[Proposal]:
    """Yield the edits of one rule at all places of the crash at once."""
    if len(proposed) < 2:
        return
    for first in proposed[0]:
        others = [
            next((item for item in proposals if item.rule == first.rule), None)
            for proposals in proposed[1:]
        ]
        every = [first, *(item for item in others if item is not None)]
        if len(every) == len(proposed):
            yield replace(
                first,
                edits=tuple(edit for item in every for edit in item.edits),
                imports=tuple(dict.fromkeys(line for item in every for line in item.imports)),
                description="; ".join(item.description for item in every),
                reason="; ".join(dict.fromkeys(item.reason for item in every)),
            )


def _candidate(dossier: Dossier, scene: Scene, proposal: Proposal) -> Candidate | None:
    text = apply(scene, proposal)
    if text is None:
        return None
    try:
        return make_candidate(
            dossier,
            text,
            origin=f"rule:{proposal.rule}",
            description=proposal.description,
            reason=proposal.reason,
            prior=prior_of(proposal.rule) * proposal.weight,
        )
    except PatchRefused:
        return None


__all__ = ["MAX_CANDIDATES", "RULES", "Rule", "propose_by_rules"]
