"""From an incident to fixes that were tried on its records, and what becomes of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prunella.fixes import Fix, parse
from prunella.learn import experience
from prunella.model.audit import AuditEntry
from prunella.model.errors import StepRefused
from prunella.model.hypotheses import FixHypothesis, FixTrial, Gate
from prunella.model.ids import AuditId, IncidentId, SiteId
from prunella.model.incidents import Incident
from prunella.model.records import Call, Occurrence, Site, SiteKind
from prunella.model.rollouts import Rollout, RolloutState
from prunella.pipeline.lessons import has_graduated, worked_before
from prunella.pipeline.rollouts import add, take
from prunella.ports import Feed, KeptModel, Retriever, Store
from prunella.propose import ask_for_fixes, propose_fixes, with_cases
from prunella.propose.fix_fitting import ENOUGH, Asked, Observed, durations_s, recovery, siblings
from prunella.rollout import By, approve
from prunella.validate import (
    Target,
    again_ratio,
    confidence,
    fit_durations,
    gate,
    try_fix,
)

#: Records of one site that fixes are fitted to and tried on.
_MOST = 200
#: Those whose own calls are looked at.
_MOST_ASKED = 50
#: Kinds of sites whose answers a function may fail on.
_ANSWERING = frozenset({SiteKind.LLM, SiteKind.TOOL, SiteKind.AGENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A hypothesis with what trying it showed and what was decided."""

    hypothesis: FixHypothesis
    trial: FixTrial
    confidence: float
    gate: Gate
    #: Where it was kept, ``None`` for what is only suggested.
    rollout: Rollout | None
    #: Why it was decided so, in words.
    reason: str


def suggest_fixes(
    store: Store,
    feed: Feed,
    incident_id: str,
    by: By,
    *,
    may_start: bool,
    keep: bool = True,
    open_model: Callable[[IncidentId], KeptModel] | None = None,
    retriever: Retriever | None = None,
) -> tuple[Suggestion, ...]:
    """Propose fixes for an incident, try each on its records, and do what the gates allow.

    The surest first. Each decision is kept with its reasons; with `keep` false nothing is. A fix of
    an earlier look that waits or acts is left as it is. With a `retriever`, what worked for similar
    incidents comes first. A model may add fixes and order them anew. At most one starts by itself.
    Raises `UnknownName`, `AmbiguousName`.
    """
    incident = store.incident(incident_id)
    counted = _counted(store)
    observed = _observed(store, incident, counted)
    if observed is None:
        return ()
    target = _target(observed, counted)
    found = []
    proposed = propose_fixes(incident, observed, _experience(store))
    if retriever is not None:
        proposed = with_cases(proposed, worked_before(store, incident, retriever), incident)
    if open_model is not None and keep:  # what is asked is kept: no dry run
        proposed = ask_for_fixes(open_model(incident.incident_id), incident, observed, proposed)
    for hypothesis in proposed:
        fix = parse(hypothesis.document)
        trial = _tried(fix, observed, target)
        found.append((confidence(hypothesis, trial), hypothesis, trial))
    found.sort(key=lambda item: -item[0])
    suggestions = []
    for sure, hypothesis, trial in found:
        decided = gate(sure, may_start=may_start)
        suggestion = _suggestion(hypothesis, trial, sure, decided)
        if keep:
            suggestion = _kept(store, feed, incident, suggestion, by)
        # The second would be measured on what the first has healed.
        may_start = may_start and suggestion.gate is not Gate.START
        suggestions.append(suggestion)
    return tuple(suggestions)


def _tried(fix: Fix, observed: Observed, target: Target) -> FixTrial:
    """Try a fix on the records of the site that it is for."""
    for asked in observed.asked:
        if fix.target.sites == (asked.site.site_id,):
            answers = len(asked.passing) + len(asked.failing)
            known = Target(recovers_after_s=(), success_ratio=len(asked.passing) / answers)
            return try_fix(fix, asked.site, (), asked.passing, known, refused=asked.failing)
    return try_fix(fix, observed.site, observed.failing, observed.passing, target)


def _suggestion(
    hypothesis: FixHypothesis, trial: FixTrial, sure: float, decided: Gate
) -> Suggestion:
    words = {
        Gate.START: "starts a canary by itself",
        Gate.APPROVAL: "waits for approval",
        Gate.SUGGEST: "is only suggested",
    }
    needs = f" It can't act yet: {trial.needs}." if trial.needs else ""
    return Suggestion(
        hypothesis=hypothesis,
        trial=trial,
        confidence=sure,
        gate=decided,
        rollout=None,
        reason=f"{hypothesis.title} {words[decided]} (confidence {sure:.2f}): {trial.summary}{needs}",
    )


def _kept(
    store: Store, feed: Feed, incident: Incident, suggestion: Suggestion, by: By
) -> Suggestion:
    told = replace(by, reason=suggestion.reason)
    fix_id = str(suggestion.hypothesis.document["fix_id"])
    if suggestion.gate is Gate.SUGGEST:
        store.save_audit(_entry(incident, suggestion, told))
        return suggestion
    document: Mapping[str, Any] = {
        **suggestion.hypothesis.document,
        "confidence": round(suggestion.confidence, 3),
    }
    try:
        rollout = add(
            store,
            feed,
            document,
            told,
            incident_id=incident.incident_id,
            confidence=suggestion.confidence,
        )
    except StepRefused:  # it waits or acts already
        return replace(suggestion, rollout=store.rollout(fix_id))
    store.save_audit(_entry(incident, suggestion, told))
    if suggestion.gate is Gate.START:
        rollout = take(store, feed, rollout.rollout_id, approve, told)
    return replace(suggestion, rollout=rollout)


def _entry(incident: Incident, suggestion: Suggestion, by: By) -> AuditEntry:
    hypothesis, trial = suggestion.hypothesis, suggestion.trial
    fix_id = hypothesis.document["fix_id"]
    return AuditEntry(
        audit_id=AuditId(f"aud_{fix_id}.{by.at:%Y%m%dT%H%M%S}"),
        at=by.at,
        actor=by.actor,
        action=f"propose.{suggestion.gate.value}",
        subject=incident.incident_id,
        reason=by.reason,
        evidence={
            "fix": fix_id,
            "made_by": hypothesis.made_by,
            "prior": round(hypothesis.prior, 4),
            "helped": hypothesis.helped,
            "failed": hypothesis.failed,
            "reasoning": hypothesis.reasoning,
            "outcome": trial.outcome.value,
            "failing": trial.failing,
            "caught": trial.caught,
            "unknown": trial.unknown,
            "passing": trial.passing,
            "broken": trial.broken,
            "added_calls": trial.added_calls,
            "added_s": round(trial.added_s, 4),
            "basis": trial.basis,
            "confidence": round(suggestion.confidence, 4),
        },
    )


def _counted(store: Store) -> Mapping[str, tuple[int, int]]:
    """Return the calls of each site and those that failed, by the programs' own counts."""
    return {
        site_id: (numbers.get("calls", 0), numbers.get("errors", 0))
        for site_id, numbers in store.site_counts().items()
    }


def _observed(
    store: Store, incident: Incident, counted: Mapping[str, tuple[int, int]]
) -> Observed | None:
    sites = {site.site_id: site for site in store.sites()}
    site = sites.get(incident.site_id)
    if site is None:
        return None
    calls, errors = counted.get(site.site_id, (0, 0))
    golden = store.kept_calls(site.site_id, golden_only=True, limit=_MOST)
    failing = store.occurrences(incident.incident_id, limit=_MOST)
    passing = store.calls(site.site_id, limit=_MOST)
    return Observed(
        site=site,
        failing=failing,
        passing=passing,
        asked=_asked(store, sites, failing, passing),
        others=tuple(other for name, other in sites.items() if name != site.site_id),
        golden=tuple(kept.call for kept in golden),
        calls=calls,
        errors=errors,
    )


def _asked(
    store: Store,
    sites: Mapping[SiteId, Site],
    failing: Sequence[Occurrence],
    passing: Sequence[Call],
) -> tuple[Asked, ...]:
    """Return what models, tools and agents answered to these calls."""
    asking = [(item.call_id, 0) for item in failing[:_MOST_ASKED]]
    asking += [(call.call_id, 1) for call in passing[:_MOST_ASKED]]
    answered: dict[SiteId, tuple[list[Call], list[Call]]] = {}
    for call_id, side in asking:
        for child in store.children(call_id):
            answered.setdefault(child.site_id, ([], []))[side].append(child)
    return tuple(
        Asked(site=sites[site_id], failing=tuple(bad), passing=tuple(fine))
        for site_id, (bad, fine) in answered.items()
        if site_id in sites and bad and sites[site_id].kind in _ANSWERING
    )


def _experience(store: Store) -> Sequence[Any]:
    codes = {str(item.incident_id): item.error_code for item in store.incidents()}
    kinds = {str(site.site_id): site.kind for site in store.sites()}
    rollouts = store.rollouts()
    graduated = {
        each.rollout_id
        for each in rollouts
        if each.state is RolloutState.RETIRED and has_graduated(store, each)
    }
    return experience(rollouts, codes, kinds, graduated)


def _target(observed: Observed, counted: Mapping[str, tuple[int, int]]) -> Target:
    """Return what the records tell of the function, and of others that may take its place."""
    failing, passing = observed.failing, observed.passing
    waits = [recovery(item, passing) for item in failing]
    durations = durations_s(passing)
    return Target(
        recovers_after_s=[None if wait is None else wait.total_seconds() for wait in waits],
        success_ratio=again_ratio(passing, failing, calls=observed.calls, errors=observed.errors),
        durations=fit_durations(passing, failing, observed.role("timeout"), observed.failed_ratio),
        others={
            other.site_id: 1 - errors / calls
            for other in siblings(observed)
            for calls, errors in [counted.get(other.site_id, (0, 0))]
            if calls >= ENOUGH
        },
        success_s=durations[len(durations) // 2] if durations else 0.0,
    )
