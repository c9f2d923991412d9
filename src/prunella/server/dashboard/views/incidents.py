"""The list of incidents: searched, filtered, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from prunella.model.clock import now
from prunella.model.incidents import Incident, IncidentStatus
from prunella.ports import IncidentPage, IncidentQuery, Store
from prunella.server.dashboard.views.charts import spread_out
from prunella.taxonomy import CODES
from prunella.wiring.healer import Healer

_PER_PAGE = 50
#: Names that a field proposes, at most.
_MAX_CHOICES = 300
_SPARK = timedelta(minutes=30)
_SPARKED = timedelta(hours=24)
_ALL_BUT_IGNORED = tuple(item for item in IncidentStatus if item is not IncidentStatus.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for, as the address has it; empty fields leave nothing out."""

    text: str = ""
    #: A status; anything else asks for all but ignored ones.
    status: str = ""
    #: An error code or the beginning of one.
    code: str = ""
    site: str = ""
    release: str = ""
    page: int = 1

    def address(self, **changes: str) -> str:
        """Return the query of the address with some fields changed, from the first page on."""
        fields = {
            "q": self.text,
            "status": self.status,
            "code": self.code,
            "site": self.site,
            "release": self.release,
        } | changes
        kept = {name: value for name, value in fields.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"

    @property
    def narrows(self) -> bool:
        """Anything but the status is asked for."""
        return bool(self.text or self.code or self.site or self.release)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsPage:
    """One page of the list."""

    wanted: Wanted
    rows: tuple[Incident, ...]
    total: int
    pages: int
    #: Status to how many incidents have it.
    numbers: Mapping[str, int]
    #: What can be filtered by.
    codes: tuple[str, ...]
    sites: tuple[str, ...]
    releases: tuple[str, ...]
    #: Where none has the words: those that are near to them in meaning.
    near: tuple[Incident, ...]
    #: Incident's id to its failures in each half hour of the last day.
    sparks: Mapping[str, list[int]]


def incidents_page(healer: Healer, wanted: Wanted) -> IncidentsPage:
    """Return the incidents that are looked for, the one seen last first."""
    store = healer.store
    statuses = tuple(item for item in IncidentStatus if item.value == wanted.status)
    found = store.find_incidents(
        IncidentQuery(
            text=wanted.text,
            statuses=statuses or _ALL_BUT_IGNORED,
            error_code=wanted.code,
            site=wanted.site,
            release=wanted.release,
            limit=_PER_PAGE,
            offset=(wanted.page - 1) * _PER_PAGE,
        )
    )
    return IncidentsPage(
        wanted=wanted,
        rows=tuple(found.items),
        total=found.total,
        pages=max(1, -(-found.total // _PER_PAGE)),
        numbers={status.value: number for status, number in found.by_status.items()},
        codes=tuple(sorted(CODES))[:_MAX_CHOICES],
        sites=tuple(store.site_ids()[:_MAX_CHOICES]),
        releases=tuple(store.releases()[:_MAX_CHOICES]),
        near=_near(healer, wanted, found),
        sparks=_sparks(store, tuple(found.items)),
    )


def _near(healer: Healer, wanted: Wanted, found: IncidentPage) -> tuple[Incident, ...]:
    return tuple(healer.near(wanted.text)) if wanted.text.strip() and not found.total else ()


def _sparks(store: Store, incidents: tuple[Incident, ...]) -> Mapping[str, list[int]]:
    at = now()
    since = at - _SPARKED
    counted = store.failures(
        since=since, step=_SPARK, incident_ids=[item.incident_id for item in incidents]
    )
    return {
        str(name): list(spread_out(each, since=since, until=at, step=_SPARK).failures)
        for name, each in counted.items()
    }
