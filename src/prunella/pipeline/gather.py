"""Everything that is known about an incident, gathered for diagnosis and repair."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from prunella.diagnose import find_callers, find_function, find_neighbours, similar_cases
from prunella.model.dossier import Dossier
from prunella.model.errors import NothingToHeal, SourceUnavailable, StoreError
from prunella.model.incidents import CaseOutcome, Incident, SimilarCase
from prunella.model.records import Call, Occurrence, Process, Site
from prunella.model.repair import Snippet, SourceFunction
from prunella.pipeline.parts import Parts
from prunella.ports import Progress, Repository, Store
from prunella.validate import Answers, reproduce

#: Occurrences that are replayed: later ones rarely teach more than the first dozen.
MAX_FAILING = 12
#: Calling sites that are replayed, the nearest first, and calls of each.
MAX_CALLERS = 6
CALLS_PER_CALLER = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the store knows about an incident's function."""

    site: Site
    process: Process
    failing: tuple[Occurrence, ...]
    passing: tuple[Call, ...]
    #: Request id → recorded answers of the boundary sites that the call made.
    answers: Answers
    #: Calls of other sites that call the function that failed; see `with_callers`.
    callers: tuple[Call | Occurrence, ...] = ()


@contextmanager
def checked_out(parts: Parts) -> Iterator[Path]:
    """Yield a temporary folder with the committed base."""
    with check_out(parts.repository, parts.progress) as tree:
        yield tree


@contextmanager
def check_out(repository: Repository, progress: Progress) -> Iterator[Path]:
    """Yield a temporary folder with the base of `repository`."""
    with tempfile.TemporaryDirectory(prefix="prunella-base-") as name:
        tree = Path(name) / "tree"
        tree.mkdir()
        progress("checking out the committed base")
        repository.check_out(tree)
        yield tree


def recorded(parts: Parts, incident: Incident) -> Recorded:
    """Read the calls of an incident from the store.

    Raises `NothingToHeal` where retention has removed every occurrence.
    """
    store = parts.store
    failing = store.occurrences(incident.incident_id, limit=MAX_FAILING)
    if not failing:
        raise NothingToHeal(
            f"{incident.incident_id} has no occurrence with its context left; "
            "retention has removed them. It can be healed when it fails again"
        )
    latest = failing[0]
    process = store.process(latest.process_id)
    site = next((item for item in store.sites() if item.site_id == incident.site_id), None)
    if process is None or site is None:
        missing = "process" if process is None else "site"
        raise StoreError(
            f"the {missing} record of {latest.occurrence_id} is missing from the store; "
            "run the program again, so that it is recorded anew"
        )
    passing = store.calls(incident.site_id, limit=parts.settings.replay_calls)
    return Recorded(
        site=site,
        process=process,
        failing=tuple(failing),
        passing=tuple(passing),
        answers=boundary_answers(store, failing, passing),
    )


def with_callers(parts: Parts, incident: Incident, facts: Recorded, tree: Path) -> Recorded:
    """Return `facts` with the recorded calls of the sites that call the incident's function.

    Who calls it is read from the checked-out base in `tree`; which of those calls its failures
    ended, from the store.
    """
    function, _ = _function(parts, incident)
    if function is None:
        return facts
    callers = find_callers(function, parts.repository.files(), _reader(tree))
    known = {(site.file, site.qualname): site for site in parts.store.sites()}
    sites = [known[place] for place in callers if place in known]
    sites = [site for site in sites if site.site_id != incident.site_id][:MAX_CALLERS]
    store = parts.store
    ended = store.caused([item.occurrence_id for item in facts.failing], limit=MAX_FAILING)
    returned = [
        call for site in sites for call in store.calls(site.site_id, limit=CALLS_PER_CALLER)
    ]
    answers = boundary_answers(store, ended, returned)
    return replace(facts, callers=(*ended, *returned), answers={**facts.answers, **answers})


def gather(parts: Parts, incident: Incident, facts: Recorded, tree: Path) -> Dossier:
    """Return the dossier of an incident: recorded calls replayed on the base, source, cases."""
    function, missing = _function(parts, incident)
    parts.progress(f"replaying {len(facts.failing)} failing and {len(facts.passing)} passing calls")
    baseline = reproduce(
        parts.replayer,
        tree,
        facts.process,
        facts.failing,
        facts.passing,
        facts.answers,
        callers=facts.callers,
        called=f"{function.path}:{function.qualname}" if function else "",
    )
    snippets: Sequence[Snippet] = ()
    if function is not None:
        parts.progress("reading callers, callees and tests")
        snippets = find_neighbours(
            function, parts.repository.files(), _reader(tree), parts.retriever
        )
    return Dossier(
        incident=incident,
        site=facts.site,
        process=facts.process,
        failing=facts.failing,
        passing=facts.passing,
        function=function,
        function_missing=missing,
        baseline=baseline,
        snippets=tuple(snippets),
        similar=tuple(similar(parts, incident)),
    )


def _reader(tree: Path) -> Callable[[str], bytes | None]:
    """Read files of the checked-out base; a process of git for each would take milliseconds."""

    def read(path: str) -> bytes | None:
        file = tree / path
        return None if file.is_symlink() or not file.is_file() else file.read_bytes()

    return read


def similar(parts: Parts, incident: Incident) -> Sequence[SimilarCase]:
    """Return past cases that look like this incident, nearest first.

    Not those it made itself, nor patches that people refused; nor fixes, which leave the source as it
    is and have hypotheses of their own.
    """
    cases = [
        case
        for case in parts.store.cases()
        if case.incident_id != incident.incident_id
        and case.outcome is not CaseOutcome.REFUSED
        and case.fix is None
    ]
    return similar_cases(incident, cases, parts.retriever)


def _function(parts: Parts, incident: Incident) -> tuple[SourceFunction | None, str]:
    if incident.location is None:
        return None, "no frame of the traceback belongs to the project"
    try:
        return find_function(incident.location, parts.repository.read), ""
    except SourceUnavailable as error:
        return None, str(error)


def boundary_answers(
    store: Store, failing: Sequence[Occurrence], passing: Sequence[Call]
) -> Answers:
    """Return what the boundary sites answered to each of the calls, by the id of its request."""
    boundaries = {site.site_id for site in store.sites() if site.boundary}
    if not boundaries:
        return {}
    pairs = [(str(item.occurrence_id), item.call_id) for item in failing]
    pairs += [(str(item.call_id), item.call_id) for item in passing]
    return {
        request_id: tuple(
            (child.site_id, child.inputs, child.result)
            for child in store.children(call_id)
            if child.site_id in boundaries
        )
        for request_id, call_id in pairs
    }
