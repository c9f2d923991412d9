"""What is tried with failing tests: variants of suspicious functions, and what the crash rules say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prunella.diagnose.source import Read
from prunella.diagnose.spectrum import Suspect
from prunella.model.errors import PatchRefused
from prunella.model.incidents import Incident
from prunella.model.records import Process
from prunella.model.repair import Candidate, SourceFunction
from prunella.model.trials import ObservedTest, Variant
from prunella.pipeline.crashing_tests import crashes, dossier_of
from prunella.propose import propose_by_rules
from prunella.propose.candidates import as_variant, candidate_for
from prunella.propose.variants import ProposedVariant, propose_variants

MAX_VARIANTS = 4_000
#: What each step outwards in the traceback takes off a rule's prior: the nearest place is likelier.
_OUTWARDS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A variant, and the candidate that it becomes where the tests pass with it."""

    function: SourceFunction
    variant: Variant
    #: ``None`` where the edit isn't an acceptable one.
    candidate: Callable[[], Candidate | None]


def ideas(
    incident: Incident,
    process: Process,
    failing: Sequence[ObservedTest],
    found: Sequence[Suspect],
    read: Read,
) -> list[Idea]:
    """Return what to try, the likeliest first, no text twice.

    Variants of the suspects `found`; and where failing tests end in an exception inside the project,
    what the crash rules propose for the functions that it passed through.
    """
    proposed = propose_variants([(item.function, item.lines) for item in found], limit=MAX_VARIANTS)
    every = [*_by_rules(incident, process, failing, read)]
    every += [_of_variant(incident, item) for item in proposed]
    every.sort(key=lambda item: -item.variant.chance)
    distinct: dict[tuple[str, str, str], Idea] = {}
    for item in every:
        key = item.variant.path, item.variant.qualname, item.variant.text
        distinct.setdefault(key, item)
    return list(distinct.values())[:MAX_VARIANTS]


def _by_rules(
    incident: Incident, process: Process, failing: Sequence[ObservedTest], read: Read
) -> Iterator[Idea]:
    for crash in crashes(failing, read):
        dossier = dossier_of(crash.function, crash.ends, incident, process)
        for candidate in propose_by_rules(dossier):
            chance = candidate.prior * _OUTWARDS**crash.depth
            yield Idea(
                function=crash.function,
                variant=as_variant(crash.function, candidate, chance=chance),
                candidate=_always(candidate),
            )


def _always(candidate: Candidate) -> Callable[[], Candidate]:
    return lambda: candidate


def _of_variant(incident: Incident, item: ProposedVariant) -> Idea:
    def made() -> Candidate | None:
        try:
            return candidate_for(
                item.function,
                incident.incident_id,
                item.variant.text,
                origin=f"rule:{item.proposal.rule}",
                description=item.proposal.description,
                reason=item.proposal.reason,
                prior=item.chance,
            )
        except PatchRefused:
            return None

    return Idea(function=item.function, variant=item.variant, candidate=made)
