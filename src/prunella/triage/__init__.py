"""Occurrences to incidents: fingerprint, error code, what is ignored. Pure but for `load_rules`."""

from prunella.model.incidents import Location
from prunella.model.records import ExceptionInfo, Occurrence, SiteKind
from prunella.ports import Triaged
from prunella.triage.codes import error_code
from prunella.triage.fingerprint import SCHEME, fingerprint, innermost_project_frame
from prunella.triage.ignore import ignored_by
from prunella.triage.rules import Rules, load_rules

__all__ = ["Rules", "load_rules", "triage"]


def triage(occurrence: Occurrence, rules: Rules, *, kind: SiteKind = SiteKind.FUNCTION) -> Triaged:
    """Find out which incident an occurrence belongs to, and whether anybody wants to hear of it.

    `kind` is that of the site it left.
    """
    code = error_code(occurrence.exception, rules.codes, kind)
    return Triaged(
        fingerprint=fingerprint(occurrence),
        scheme=SCHEME,
        error_code=code,
        location=_location(occurrence.exception),
        ignored_by=ignored_by(occurrence, code, rules.ignore),
    )


def _location(exception: ExceptionInfo) -> Location | None:
    frame = innermost_project_frame(exception)
    if frame is None:
        return None
    return Location(
        file=frame.file,
        module=frame.module,
        qualname=frame.qualname,
        first_line=frame.first_line,
        line=frame.line,
    )
