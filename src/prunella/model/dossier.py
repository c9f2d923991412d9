"""Everything that is known about an incident when somebody has to find its cause."""

from dataclasses import dataclass

from prunella.model.incidents import Incident, SimilarCase
from prunella.model.records import Call, Occurrence, Process, Site
from prunella.model.repair import Baseline, Snippet, SourceFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The facts that diagnose and propose work from. Everything in it is untrusted data."""

    incident: Incident
    site: Site
    process: Process
    #: Newest first.
    failing: tuple[Occurrence, ...]
    #: Nearest to the failing inputs first.
    passing: tuple[Call, ...]
    #: The function to patch: that of the innermost project frame; ``None`` if it can't be found.
    function: SourceFunction | None
    #: Why `function` is ``None``.
    function_missing: str = ""
    #: What replaying on the unpatched base showed.
    baseline: Baseline
    snippets: tuple[Snippet, ...] = ()
    similar: tuple[SimilarCase, ...] = ()
