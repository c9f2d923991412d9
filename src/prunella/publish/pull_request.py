"""The pull request of an accepted patch: what failed, why, what changes, and what was shown."""

import re
from collections.abc import Sequence
from datetime import datetime

from prunella.model.incidents import Diagnosis, Incident
from prunella.model.repair import Accepted, Candidate, CheckOutcome, Verdict
from prunella.ports import Overlay, PullRequest
from prunella.publish.markdown import code, fenced, plain, prose, quiet, table

#: What the name of every branch of ours begins with.
BRANCHES = "prunella/fix-"
#: Line of the commit message by which a commit of ours is known.
TRAILER = "Prunella-Incident"
LABEL = "prunella"
#: Below this score a pull request is a draft.
READY_SCORE = 0.8
_MARK = {
    CheckOutcome.PASSED: "shown",
    CheckOutcome.FAILED: "**failed**",
    CheckOutcome.NOT_SHOWN: "not shown",
}


def branch_name(qualname: str, at: datetime) -> str:
    """Return ``prunella/fix-{function}-{timestamp}``, a valid name for any qualified name."""
    function = re.sub(r"[^A-Za-z0-9]+", "-", qualname.replace("__", "")).strip("-").lower()
    return f"{BRANCHES}{function[:60] or 'function'}-{at:%Y%m%d-%H%M%S}"


def marker(incident: Incident) -> str:
    """Return the first line of every pull request of an incident, by which it is found again.

    It is the same for the same failure, whichever store and whichever healer saw it.
    """
    return f"<!-- prunella:{incident.fingerprint} scheme {incident.scheme} -->"


def compose(
    *,
    incident: Incident,
    diagnosis: Diagnosis,
    candidate: Candidate,
    verdict: Accepted,
    alternatives: Sequence[tuple[Candidate, Verdict]],
    regression_test: tuple[str, bytes] | None,
    at: datetime,
    base: str | None = None,
    note: str = "",
) -> PullRequest:
    """Return the pull request of an accepted `candidate`.

    `regression_test` is the path and content of a test that was proven to fail before and to pass
    after. `alternatives` are the other candidates, accepted ones first. `base` is the commit that
    the candidate was made on, `note` what has to be known of it besides.
    """
    patch = candidate.patch
    error = incident.error_type.partition(":")[2]
    files: Overlay = {patch.path: patch.after, **dict([regression_test] if regression_test else [])}
    title = f"Fix {error} in {patch.qualname}"
    body = _body(incident, diagnosis, candidate, verdict, alternatives, regression_test, note)
    message = (
        f"{title}\n\n{_line(candidate.description)}\n\n"
        f"Root cause: {_line(diagnosis.root_cause)}\nShown: {_line(verdict.summary)}\n\n"
        f"{TRAILER}: {incident.incident_id}\n"
        f"Prunella-Origin: {candidate.origin}\n"
    )
    return PullRequest(
        candidate=candidate,
        branch=branch_name(patch.qualname, at),
        title=title,
        body=f"{marker(incident)}\n\n{body}",
        message=message,
        files=files,
        marker=marker(incident),
        labels=(LABEL, incident.error_code[:50]),
        draft=verdict.score < READY_SCORE,
        base=base,
    )


def _line(text: str) -> str:
    """One line, so that quoted values can't add trailers to a commit message, nor call anybody."""
    return quiet(" ".join(text.split()))


def _body(
    incident: Incident,
    diagnosis: Diagnosis,
    candidate: Candidate,
    verdict: Accepted,
    alternatives: Sequence[tuple[Candidate, Verdict]],
    regression_test: tuple[str, bytes] | None,
    note: str,
) -> str:
    sections = [
        f"# Fix {plain(incident.error_type.partition(':')[2])} in {code(candidate.patch.qualname)}",
        prose(candidate.description),
        f"> {prose(note)}" if note else "",
        "## The error",
        _error(incident),
        "## Root cause",
        prose(diagnosis.root_cause),
        _evidence(diagnosis),
        "## The change",
        fenced(candidate.patch.diff, "diff"),
        f"Why this edit: {prose(candidate.reason)}",
        "## What was shown",
        prose(verdict.summary),
        _checks(verdict),
        _replays(verdict),
        "## What was not shown",
        _not_shown(verdict),
        "## Regression test",
        _regression(regression_test),
        _alternatives(alternatives),
        "## How it was made",
        f"Proposed by {code(candidate.origin)}, diagnosed by {code(diagnosis.made_by)}; "
        "validated by replaying recorded calls in a sandbox. Nothing was merged.",
        f"Everything that is known of it: {code(f'prunella incidents show {incident.incident_id}')}",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _error(incident: Incident) -> str:
    place = incident.location
    rows = [
        ("exception", code(incident.error_type.replace(":", "."))),
        ("message", code(incident.message[:300])),
        ("error code", code(incident.error_code)),
        ("function under `@heal`", code(incident.site_id)),
        ("failed at", code(f"{place.file}:{place.line} in {place.qualname}" if place else "?")),
        ("seen", f"{incident.count:,} times"),
        ("first", f"{incident.first_seen_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("last", f"{incident.last_seen_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("incident", code(incident.incident_id)),
        ("fingerprint", code(f"{incident.fingerprint} (scheme {incident.scheme})")),
    ]
    return table(("", ""), rows)


def _evidence(diagnosis: Diagnosis) -> str:
    if not diagnosis.hypotheses:
        return ""
    return "\n".join(
        f"- {prose(item.statement)} ({code(item.reference)})"
        for item in diagnosis.hypotheses[0].evidence
    )


def _checks(verdict: Accepted) -> str:
    rows = [(code(item.name), _MARK[item.outcome], prose(item.detail)) for item in verdict.checks]
    return table(("check", "result", "evidence"), rows)


def _replays(verdict: Accepted) -> str:
    counts = verdict.replays
    lines = [
        f"- failing calls replayed: {counts.failing_healed} of {counts.failing_reproduced} "
        "that failed on the base no longer fail",
        f"- passing calls replayed: {counts.passing_equal} of {counts.passing_reproduced} "
        "return the equal result",
    ]
    lines += [f"- set aside: {number}, {plain(why)}" for why, number in counts.set_aside.items()]
    return "\n".join(lines)


def _not_shown(verdict: Accepted) -> str:
    missing = [item for item in verdict.checks if item.outcome is CheckOutcome.NOT_SHOWN]
    lines = [f"- {code(item.name)}: {prose(item.detail)}" for item in missing]
    lines.append(
        "- That the new result for the once-failing inputs is what you want: "
        "recorded calls show that it no longer fails, not what it should have answered."
    )
    return "\n".join(lines)


def _regression(regression_test: tuple[str, bytes] | None) -> str:
    if regression_test is None:
        return "None: the failing inputs have no readable literal form, or it could not be proven."
    path, content = regression_test
    proof = "It fails on the base and passes with this change:"
    return f"{code(path)}. {proof}\n\n{fenced(content.decode(errors='replace'), 'python')}"


def _alternatives(alternatives: Sequence[tuple[Candidate, Verdict]]) -> str:
    if not alternatives:
        return ""
    parts = ["## Alternatives"]
    for candidate, verdict in alternatives:
        parts.append(
            f"**{type(verdict).__name__.lower()}**: {prose(candidate.description)} "
            f"({code(candidate.origin)}). {prose(verdict.summary)}"
        )
        parts.append(fenced(candidate.patch.diff, "diff"))
    return "\n\n".join(parts)
