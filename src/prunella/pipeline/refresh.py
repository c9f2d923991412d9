"""New occurrences into incidents."""

from collections.abc import Mapping, Sequence

from prunella.model.records import Occurrence, Record, Site, SiteKind
from prunella.ports import Store, Triaged
from prunella.triage import Rules, triage

_BATCH = 500


def triage_pending(store: Store, rules: Rules) -> int:
    """Assign every untriaged occurrence to its incident; return how many there were."""
    number = 0
    kinds: dict[str, SiteKind] = {}
    while batch := store.untriaged(limit=_BATCH):
        if any(item.site_id not in kinds for item in batch):
            kinds = dict.fromkeys((item.site_id for item in batch), SiteKind.FUNCTION)
            kinds |= _kinds(store)
        store.assign_all([(item, triage(item, rules, kind=kinds[item.site_id])) for item in batch])
        number += len(batch)
    return number


class Intake:
    """Takes records in and their occurrences into incidents, in one transaction each batch.

    For who takes in much: nothing is read back to be triaged. Remembers what sites are; not to be
    shared between threads.
    """

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store, self._rules = store, rules
        self._kinds: dict[str, SiteKind] = {}

    def take(
        self,
        records: Sequence[Record],
        *,
        spool_name: str,
        end_offset: int,
        start_offset: int | None = None,
        events: Sequence[str] = (),
    ) -> bool:
        """Keep `records` as `Store.ingest` does, triaged."""
        return self._store.ingest(
            records,
            spool_name=spool_name,
            end_offset=end_offset,
            start_offset=start_offset,
            triaged=self.triaged(records),
            events=events,
        )

    def triaged(self, records: Sequence[Record]) -> Mapping[str, Triaged]:
        """Return by their ids what triage says of the occurrences among `records`."""
        found: list[Occurrence] = []
        for record in records:  # most are repeats
            if type(record) is Occurrence:
                if record.caused_by is None:
                    found.append(record)
            elif type(record) is Site:
                self._kinds[record.site_id] = record.kind
        if not found:
            return {}
        unknown = {item.site_id for item in found} - self._kinds.keys()
        if unknown:
            kept = _kinds(self._store)
            self._kinds.update({name: kept.get(name, SiteKind.FUNCTION) for name in unknown})
        return {
            item.occurrence_id: triage(item, self._rules, kind=self._kinds[item.site_id])
            for item in found
        }


def _kinds(store: Store) -> dict[str, SiteKind]:
    return {site.site_id: site.kind for site in store.sites()}
