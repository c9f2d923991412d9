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
        store.assign_all(
            [
                (item, triage(item, rules, kind=kinds.get(item.site_id, SiteKind.FUNCTION)))
                for item in batch
            ]
        )
        number += len(batch)
    return number
