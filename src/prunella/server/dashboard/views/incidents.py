"""The list of incidents: searched, filtered, page by page."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus
from prunella.ports import Store

_PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for, as the address has it; empty fields leave nothing out."""

    text: str = ""
    #: A status, ``all``, or empty for all but ignored ones.
    status: str = ""
    #: An error code or the beginning of one.
    code: str = ""
    site: str = ""
    release: str = ""
    page: int = 1

    def address(self, **changes: str | int) -> str:
        """Return the query of the address with some fields changed; another filter begins anew."""
        fields: dict[str, str | int] = {
            "q": self.text,
            "status": self.status,
            "code": self.code,
            "site": self.site,
            "release": self.release,
            "page": 1,
        } | changes
        kept = {name: value for name, value in fields.items() if value and (name, value) != ("page", 1)}
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
    #: Incident's id to its failures in each stretch of the last day.
    sparks: Mapping[str, list[int]]


def incidents_page(store: Store, wanted: Wanted) -> IncidentsPage:
    """Return the incidents that are looked for, the one seen last first."""
    everything = [item for item in store.incidents() if item.site_id != HEALER_SITE]
    found = [item for item in everything if _is_wanted(item, wanted)]
    pages = max(1, -(-len(found) // _PER_PAGE))
    page = min(max(wanted.page, 1), pages)
    return IncidentsPage(
        wanted=wanted,
        rows=tuple(found[(page - 1) * _PER_PAGE : page * _PER_PAGE]),
        total=len(found),
        pages=pages,
        numbers=Counter(item.status.value for item in everything),
        codes=tuple(sorted({item.error_code for item in everything})),
        sites=tuple(sorted({item.site_id for item in everything})),
        releases=(),
        sparks={},
    )


def _is_wanted(item: Incident, wanted: Wanted) -> bool:
    if wanted.status not in ("", "all") and item.status.value != wanted.status:
        return False
    if not wanted.status and item.status is IncidentStatus.IGNORED:
        return False
    if wanted.code and not f"{item.error_code}.".startswith(wanted.code.rstrip(".") + "."):
        return False
    if wanted.site and item.site_id != wanted.site:
        return False
    said = f"{item.site_id} {item.error_type} {item.error_code} {item.message}".lower()
    return all(word in said for word in wanted.text.lower().split())
