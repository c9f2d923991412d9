"""The pull request of an accepted patch: what failed, why, what changes, and what was shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from prunella.model.incidents import Diagnosis, Incident
from prunella.model.repair import Accepted, Candidate, CheckOutcome, Verdict
from prunella.ports import Overlay, PullRequest
from prunella.publish.markdown import code, fenced, plain, prose, quiet, table

#: Tests that are named; more are counted.
_MAX_NAMED = 20
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
    tests: Sequence[str] = (),
    uncommitted: Sequence[str] = (),
    at: datetime,
    base: str | None = None,
    note: str = "",
    page: str = "",
) -> PullRequest:
    """Return the pull request of an accepted `candidate`.

    `regression_test` is the path and content of a test that was proven to fail before and to pass
    after. `alternatives` are the other candidates, accepted ones first. `tests` are ids of the
    failing tests that pass with the change, where they and no recorded calls are the proof; of
    these, the files in `uncommitted` are not in the base. `base` is the commit that the candidate
    was made on, `note` what has to be known of it besides. `page` is the address of the incident's
    page, made by Prunella alone; empty where there is none.
    """
    patch = candidate.patch
    error = incident.error_type.partition(":")[2]
    files: Overlay = {patch.path: patch.after, **dict([regression_test] if regression_test else [])}
    title = f"Fix {error} in {patch.qualname}"
    proof = _by_tests(tests, uncommitted) if tests else _by_calls(verdict, regression_test)
    body = _body(incident, diagnosis, candidate, verdict, alternatives, proof, note, page)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What a text says of how its change was proven, in Markdown."""

    #: Numbers beside the checks.
    counts: str
    #: What the proof can't show.
    limit: str
    regression: str
    how: str
    #: It rests on calls of a function under ``@heal``.
    recorded: bool


def _by_calls(verdict: Accepted, regression_test: tuple[str, bytes] | None) -> _Proof:
    return _Proof(
        counts=_replays(verdict),
        limit="That the new result for the once-failing inputs is what you want: "
        "recorded calls show that it no longer fails, not what it should have answered.",
        regression=_regression(regression_test),
        how="validated by replaying recorded calls in a sandbox",
        recorded=True,
    )


def _by_tests(tests: Sequence[str], uncommitted: Sequence[str]) -> _Proof:
    names = [f"- {code(name)}" for name in tests[:_MAX_NAMED]]
    if len(tests) > _MAX_NAMED:
        names.append(f"- and {len(tests) - _MAX_NAMED} more")
    lines = ["The tests are the proof. They fail on the base and pass with this change:", *names]
    if uncommitted:
        files = ", ".join(code(path) for path in uncommitted)
        lines.append(f"\nNot on this branch, but as they are in the work tree: {files}. Add them.")
    return _Proof(
        counts="",
        limit="Anything that the tests don't check.",
        regression="\n".join(lines),
        how="validated by running the project's tests in a sandbox",
        recorded=False,
    )


def _body(
    incident: Incident,
    diagnosis: Diagnosis,
    candidate: Candidate,
    verdict: Accepted,
    alternatives: Sequence[tuple[Candidate, Verdict]],
    proof: _Proof,
    note: str,
    page: str,
) -> str:
    sections = [
        f"# Fix {plain(incident.error_type.partition(':')[2])} in {code(candidate.patch.qualname)}",
        prose(candidate.description),
        f"> {prose(note)}" if note else "",
        "## The error",
        _error(incident, recorded=proof.recorded),
        "## Root cause",
        prose(diagnosis.root_cause),
        _evidence(diagnosis),
        "## The change",
        fenced(candidate.patch.diff, "diff"),
        f"Why this edit: {prose(candidate.reason)}",
        "## What was shown",
        prose(verdict.summary),
        _checks(verdict),
        proof.counts,
        "## What was not shown",
        _not_shown(verdict, proof.limit),
        "## Regression test",
        proof.regression,
        _alternatives(alternatives),
        "## How it was made",
        f"Proposed by {code(candidate.origin)}, diagnosed by {code(diagnosis.made_by)}; "
        f"{proof.how}. Nothing was merged.",
        _known(incident, page) if proof.recorded else "",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _known(incident: Incident, page: str) -> str:
    command = code(f"prunella incidents show {incident.incident_id}")
    shown = f"[its page]({page}), or {command}" if page else command
    return f"Everything that is known of it: {shown}"


def _error(incident: Incident, *, recorded: bool) -> str:
    place = incident.location
    rows = [
        ("exception", code(incident.error_type.replace(":", "."))),
        ("message", code(incident.message[:300])),
        ("error code", code(incident.error_code)),
    ]
    where = code(f"{place.file}:{place.line} in {place.qualname}" if place else "?")
    if not recorded:
        rows += [("failing test", code(incident.site_id)), ("most suspicious line", where)]
        return table(("", ""), rows)
    rows += [
        ("function under `@heal`", code(incident.site_id)),
        ("failed at", where),
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


def _not_shown(verdict: Accepted, limit: str) -> str:
    missing = [item for item in verdict.checks if item.outcome is CheckOutcome.NOT_SHOWN]
    lines = [f"- {code(item.name)}: {prose(item.detail)}" for item in missing]
    return "\n".join([*lines, f"- {limit}"])


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
