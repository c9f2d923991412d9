"""Everything that is kept about one incident, for a person to read."""

from prunella.diagnose import similar_cases
from prunella.model.incidents import CaseOutcome
from prunella.pipeline.names import regressed_release
from prunella.pipeline.results import Story
from prunella.ports import Retriever, Store

#: Occurrences that a story shows in full.
_SHOWN = 5


def tell(store: Store, incident_id: str, retriever: Retriever) -> Story:
    """Return the story of the incident that `incident_id`, or a beginning of it, names."""
    incident = store.incident(incident_id)
    key = incident.incident_id
    verdicts = {item.candidate_id: item for item in store.verdicts(key)}
    others = [
        case
        for case in store.cases()
        if case.incident_id != key and case.outcome is not CaseOutcome.TAKEN_BACK
    ]
    return Story(
        incident=incident,
        site=store.site(incident.site_id),
        occurrences=tuple(store.occurrences(key, limit=_SHOWN)),
        similar=tuple(similar_cases(incident, others, retriever)),
        diagnoses=tuple(store.diagnoses(key)),
        candidates=tuple((item, verdicts.get(item.candidate_id)) for item in store.candidates(key)),
        publications=tuple(store.publications(key)),
        exchanges=tuple(store.exchanges(key)),
        regressed_release=regressed_release(store, incident),
    )
