"""Functions under `@heal`: how they do, and what is recorded of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prunella.codec import entries
from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus
from prunella.model.jobs import Job, JobKind
from prunella.model.records import Call, Site
from prunella.model.tree import Tree
from prunella.pipeline.names import find_site
from prunella.ports import CallFacts, IncidentQuery, KeptCall, Store
from prunella.server.dashboard.views.code import CodeLine, source_lines
from prunella.wiring.healer import Healer

#: Recorded calls of one function that are looked at.
_MAX_CALLS = 50
_PER_PAGE = 50
_FAILING = (IncidentStatus.OPEN, IncidentStatus.REGRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """One function."""

    site: Site
    calls: int
    errors: int
    #: Incidents that nothing has been done about.
    failing: int
    incidents: int
    #: Recorded calls (at most 50 are looked at), those of them marked as references, and those
    #: that can be replayed.
    recorded: int
    golden: int
    replayable: int
    #: Source hashes among them.
    versions: int
    #: Of the recorded calls, in milliseconds; ``None`` without any.
    p50_ms: float | None
    p95_ms: float | None

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.calls if self.calls else None

    @property
    def has_all(self) -> bool:
        """All recorded calls were looked at."""
        return self.recorded < _MAX_CALLS


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesPage:
    """One page of the list."""

    rows: tuple[SiteRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCall:
    """A recorded success in short."""

    kept: KeptCall
    inputs: tuple[tuple[str, Tree], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePage:
    """Everything that a function's page shows."""

    row: SiteRow
    source: tuple[CodeLine, ...]
    calls: tuple[ShownCall, ...]
    incidents: tuple[Incident, ...]
    #: Replays that were asked for, the latest first.
    replays: tuple[Job, ...]


def sites_page(healer: Healer, text: str, page: int) -> SitesPage:
    """Return the functions whose name has `text`, those that fail most first."""
    store = healer.store
    names = [name for name in store.site_ids() if name != HEALER_SITE]
    wanted = [name for name in names if text.lower() in name.lower()]
    counted = counts_of(store)
    wanted.sort(key=lambda name: (-counted[name][1], -counted[name][0], name))
    pages = max(1, -(-len(wanted) // _PER_PAGE))
    page = min(max(page, 1), pages)
    shown = wanted[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    sites = {site.site_id: site for site in store.sites(shown)}
    incidents, facts = store.by_site(shown), store.call_facts(shown, limit=_MAX_CALLS)
    return SitesPage(
        rows=tuple(
            _row(sites[name], counted[name], incidents.get(name, {}), facts[name])
            for name in shown
            if name in sites  # else it was forgotten just now
        ),
        total=len(wanted),
        page=page,
        pages=pages,
    )


class _Counted(dict[str, tuple[int, int]]):
    """Site to calls and errors; nothing was counted of one that isn't there."""

    def __missing__(self, _site_id: str) -> tuple[int, int]:
        return 0, 0


def counts_of(store: Store) -> _Counted:
    """Return calls and errors of every function, over all processes that are remembered."""
    return _Counted(
        (name, (numbers.get("calls", 0), numbers.get("errors", 0)))
        for name, numbers in store.site_counts().items()
    )


def _row(
    site: Site,
    counted: tuple[int, int],
    incidents: Mapping[IncidentStatus, int],
    kept: Sequence[CallFacts],
) -> SiteRow:
    durations_ms = sorted(each.duration_us / 1000 for each in kept)
    return SiteRow(
        site=site,
        calls=counted[0],
        errors=counted[1],
        failing=sum(incidents.get(status, 0) for status in _FAILING),
        incidents=sum(incidents.values()),
        recorded=len(kept),
        golden=sum(each.is_golden for each in kept),
        replayable=sum(each.complete for each in kept),
        versions=len({site.source_hash, *(each.source_hash for each in kept)}),
        p50_ms=_quantile(durations_ms, 50),
        p95_ms=_quantile(durations_ms, 95),
    )


def _quantile(ordered: Sequence[float], percent: int) -> float | None:
    """Return a percentile; between two values in proportion, as `statistics.quantiles` does."""
    if not ordered:
        return None
    place, rest = divmod((len(ordered) - 1) * percent, 100)
    following = ordered[min(place + 1, len(ordered) - 1)]
    return (ordered[place] * (100 - rest) + following * rest) / 100


def site_page(store: Store, name: str, jobs: Sequence[Job]) -> SitePage:
    """Return the page of a function; raises `UnknownName`, `AmbiguousName`."""
    site = find_site(store, name)
    found = store.find_incidents(IncidentQuery(site=site.site_id, limit=_PER_PAGE)).items
    incidents = [item for item in found if item.site_id == site.site_id]
    name = site.site_id
    statuses = store.by_site([name]).get(name, {})
    facts = store.call_facts([name], limit=_MAX_CALLS)[name]
    return SitePage(
        row=_row(site, counts_of(store)[name], statuses, facts),
        source=source_lines(site),
        calls=tuple(shown_call(each) for each in store.kept_calls(site.site_id, limit=_PER_PAGE)),
        incidents=tuple(incidents),
        replays=tuple(job for job in jobs if job.kind is JobKind.REPLAY),
    )


def shown_call(kept: KeptCall) -> ShownCall:
    """Return a recorded success with its inputs by name."""
    return ShownCall(kept=kept, inputs=tuple(entries(kept.call.inputs)))


def made_by(store: Store, call: Call) -> tuple[ShownCall, ...]:
    """Return the recorded successes that a call made."""
    return tuple(
        ShownCall(kept=KeptCall(call=each), inputs=tuple(entries(each.inputs)))
        for each in store.children(call.call_id)[:_PER_PAGE]
    )
