"""The recorded calls of one function, run again on the present code or on a patch."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from prunella.model.errors import NothingToHeal
from prunella.model.records import Call, Occurrence, Process, Site
from prunella.model.repair import ReplayEnding, ReplayOutcome
from prunella.pipeline.gather import MAX_FAILING, boundary_answers
from prunella.pipeline.parts import Parts
from prunella.pipeline.results import Difference, ReplayReport, ReplayRow
from prunella.ports import Repository
from prunella.validate import compare, replay_request

ApplyPatch = Callable[[Path, bytes], None]
"""Applies a unified diff to a checked-out tree; raises `PatchRefused` where it doesn't fit."""


def replay_site(
    parts: Parts, site: Site, source: Repository, patch: bytes | None, apply_patch: ApplyPatch
) -> ReplayReport:
    """Return what each recorded call of `site` does on the files of `source`.

    Raises `NothingToHeal` where no call of the site can be replayed.
    """
    passing = parts.store.calls(site.site_id, limit=parts.settings.replay_calls)
    failing = [
        occurrence
        for incident in parts.store.incidents()
        if incident.site_id == site.site_id
        for occurrence in parts.store.occurrences(incident.incident_id, limit=MAX_FAILING)
    ]
    process = _process(parts, passing, failing)
    if process is None:
        raise NothingToHeal(f"no call of {site.site_id} has been recorded that could be replayed")
    answers = boundary_answers(parts.store, failing, passing)
    items: list[Call | Occurrence] = [*failing, *passing]
    requests = [replay_request(item, answers) for item in items]
    with tempfile.TemporaryDirectory(prefix="prunella-replay-") as name:
        tree = Path(name) / "tree"
        tree.mkdir()
        parts.progress("copying the working tree")
        source.check_out(tree)
        if patch is not None:
            apply_patch(tree, patch)
        parts.progress(f"replaying {len(requests)} recorded calls")
        (outcomes,) = parts.replayer.replay(tree, process, requests, [{}])
    return ReplayReport(
        site_id=site.site_id,
        against="working tree" if patch is None else "working tree with the patch",
        sandbox=parts.replayer.level,
        rows=tuple(_row(item, outcome) for item, outcome in zip(items, outcomes, strict=True)),
    )


def _process(
    parts: Parts, passing: Sequence[Call], failing: Sequence[Occurrence]
) -> Process | None:
    recorded: list[Call | Occurrence] = [*passing, *failing]
    newest = max(recorded, key=lambda item: item.started_at, default=None)
    return parts.store.process(newest.process_id) if newest else None


def _row(item: Call | Occurrence, outcome: ReplayOutcome) -> ReplayRow:
    if outcome.ending in (ReplayEnding.DIED, ReplayEnding.NOT_RUN):
        difference, detail = Difference.NOT_REPLAYED, outcome.reason
    elif isinstance(item, Occurrence):
        difference, detail = _against_failure(item, outcome)
    else:
        difference, detail = _against_success(item, outcome)
    return ReplayRow(
        request_id=outcome.request_id, difference=difference, detail=detail, outcome=outcome
    )


def _against_failure(item: Occurrence, outcome: ReplayOutcome) -> tuple[Difference, str]:
    recorded = item.exception.type_name
    if outcome.exception is None:
        return Difference.HEALED, f"raised {recorded} when it was recorded, and returns now"
    now = outcome.exception.type_name
    if now == recorded:
        return Difference.SAME, f"raises {recorded} as recorded"
    return Difference.CHANGED, f"raised {recorded} when it was recorded, and {now} now"


def _against_success(item: Call, outcome: ReplayOutcome) -> tuple[Difference, str]:
    if outcome.exception is not None:
        return Difference.BROKEN, f"returned when it was recorded, and raises {_said(outcome)} now"
    found = compare(item.result, outcome.result)
    if found is None:
        return Difference.SAME, "returns the recorded result"
    return Difference.CHANGED, found


def _said(outcome: ReplayOutcome) -> str:
    exception = outcome.exception
    return f"{exception.type_name}: {exception.message}" if exception else ""
