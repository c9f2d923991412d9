"""From the new text of a function to a candidate patch; rules and models share it."""

from dataclasses import replace

from prunella.model.dossier import Dossier
from prunella.model.errors import SourceUnavailable
from prunella.model.ids import CandidateId, IncidentId, new_id
from prunella.model.repair import Candidate, Patch, SourceFunction
from prunella.patching import replace_function, unified_diff


def make_candidate(
    dossier: Dossier,
    new_code: str,
    *,
    origin: str,
    description: str,
    reason: str,
    prior: float,
) -> Candidate:
    """Return the candidate that replaces the dossier's function by `new_code`.

    `origin` is ``rule:<name>`` or ``model:<provider>:<name>``; `description` says in the imperative
    what the edit does, `reason` why; `prior` is the chance that it is right, between 0 and 1. The
    result compiles and differs in the function and added imports only.

    Raises `SourceUnavailable` where there is no function to edit and `PatchRefused` where
    `new_code` is no acceptable edit of it (see `prunella.patching.replace_function`).
    """
    function = dossier.function
    if function is None:
        raise SourceUnavailable(dossier.function_missing or "the function to patch is not known")
    return candidate_for(
        function,
        dossier.incident.incident_id,
        new_code,
        origin=origin,
        description=description,
        reason=reason,
        prior=prior,
    )


def candidate_for(
    function: SourceFunction,
    incident_id: IncidentId,
    new_code: str,
    *,
    origin: str,
    description: str,
    reason: str,
    prior: float,
) -> Candidate:
    """Return the candidate that replaces `function` by `new_code`; as `make_candidate`."""
    result = replace_function(
        function.file_source, function.qualname, new_code, first_line=function.first_line
    )
    diff = unified_diff(function.path, result.before, result.after)
    return Candidate(
        candidate_id=CandidateId(new_id("cand")),
        incident_id=incident_id,
        origin=origin,
        description=description,
        reason=reason,
        patch=Patch(
            path=function.path,
            qualname=function.qualname,
            before=result.before,
            after=result.after,
            # For people and stores, which take no lone surrogates: the bytes are in `after`.
            diff=diff.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        ),
        prior=min(1.0, max(0.0, prior)),
    )


def joined(first: Candidate, second: Candidate) -> Candidate:
    """Return the candidate that makes two edits at once; `second` was made on top of `first`.

    Its prior is that both are right.
    """
    patch = first.patch
    diff = unified_diff(patch.path, patch.before, second.patch.after)
    return replace(
        first,
        candidate_id=CandidateId(new_id("cand")),
        origin=f"{first.origin}+{second.origin.partition(':')[2]}",
        description=f"{first.description}; {second.description}",
        reason=f"{first.reason}; then {second.reason}",
        patch=replace(
            patch,
            after=second.patch.after,
            diff=diff.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        ),
        prior=first.prior * second.prior,
    )
