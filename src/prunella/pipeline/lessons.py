"""What the rollouts of fixes teach: each outcome is kept as a case, for the next incident like it."""

from collections.abc import Iterable, Sequence

from prunella.diagnose import similar_cases
from prunella.learn import case_of_fix
from prunella.model.errors import UnknownName
from prunella.model.incidents import CaseOutcome, Incident, SimilarCase
from prunella.model.rollouts import Rollout, RolloutState
from prunella.ports import Retriever, Store

#: Steps by which a fix goes to all traffic.
WINNING = ("rollout.graduated", "rollout.promoted")


def keep_lessons(store: Store, rollouts: Iterable[Rollout]) -> None:
    """Keep the case of each rollout that came to a decision; what is kept already stays as it is."""
    decided = [each for each in rollouts if each.incident_id is not None]
    if not decided:
        return
    known = {case.case_id: case.outcome for case in store.cases() if case.fix is not None}
    for rollout in decided:
        if rollout.state is RolloutState.RETIRED and not has_graduated(store, rollout):
            continue  # a person removed it before anything was known
        try:
            incident = store.incident(str(rollout.incident_id))
        except UnknownName:
            continue
        diagnoses = store.diagnoses(incident.incident_id)
        case = case_of_fix(incident, rollout, diagnoses[-1].root_cause if diagnoses else "")
        if case is not None and known.get(case.case_id) is not case.outcome:
            store.save_case(case)


def has_graduated(store: Store, rollout: Rollout) -> bool:
    """Tell whether a fix has ever gone to all traffic."""
    return any(entry.action in WINNING for entry in store.audit(subject=rollout.rollout_id))


def worked_before(store: Store, incident: Incident, retriever: Retriever) -> Sequence[SimilarCase]:
    """Return the fixes that were shown to help against incidents like this one, the nearest first."""
    cases = [
        case
        for case in store.cases()
        if case.fix is not None
        and case.outcome is CaseOutcome.HELPED
        and case.incident_id != incident.incident_id
    ]
    return similar_cases(incident, cases, retriever)
