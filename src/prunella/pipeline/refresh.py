"""New occurrences into incidents."""

from prunella.model.records import SiteKind
from prunella.ports import Store
from prunella.triage import Rules, triage

_BATCH = 500


def triage_pending(store: Store, rules: Rules) -> int:
    """Assign every untriaged occurrence to its incident; return how many there were."""
    number = 0
    while batch := store.untriaged(limit=_BATCH):
        kinds = {site.site_id: site.kind for site in store.sites()}
        for occurrence in batch:
            kind = kinds.get(occurrence.site_id, SiteKind.FUNCTION)
            store.assign(occurrence, triage(occurrence, rules, kind=kind))
        number += len(batch)
    return number
