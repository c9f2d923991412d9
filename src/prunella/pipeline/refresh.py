"""New occurrences into incidents."""

from prunella.ports import Store
from prunella.triage import Rules, triage

_BATCH = 500


def triage_pending(store: Store, rules: Rules) -> int:
    """Assign every untriaged occurrence to its incident; return how many there were."""
    number = 0
    while batch := store.untriaged(limit=_BATCH):
        for occurrence in batch:
            store.assign(occurrence, triage(occurrence, rules))
        number += len(batch)
    return number
