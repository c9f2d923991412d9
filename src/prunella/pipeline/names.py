"""From what a person types to the incident or site they mean."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import TypeVar

from prunella.model.clock import now
from prunella.model.errors import AmbiguousName, NothingToHeal, UnknownName
from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus
from prunella.model.records import Site
from prunella.pipeline.severity import Spreads, harm_per_hour
from prunella.ports import Store

T = TypeVar("T")

#: Incidents that healing is for.
HEALABLE = frozenset({IncidentStatus.OPEN, IncidentStatus.REGRESSED, IncidentStatus.MITIGATED})


def find_site(store: Store, name: str) -> Site:
    """Return the one site that `name` means: its id, its qualified name, or the last part of it.

    Raises `UnknownName` with the nearest names, or `AmbiguousName` with the choices.
    """
    exact = store.site(name)
    if exact is not None:
        return exact
    sites = store.sites()
    matches = _matching(sites, name, lambda site: (site.site_id,))
    if not matches:
        raise UnknownName(_unknown(name, [site.site_id for site in sites]))
    if len(matches) > 1:
        raise AmbiguousName(name, sorted(site.site_id for site in matches))
    return matches[0]


def find_incidents(store: Store, name: str, *, since: datetime) -> Sequence[Incident]:
    """Return the healable incidents of the function `name` since then, the worst first.

    `name` is a site (see `find_site`), the function that failed inside one, or an incident id.
    Raises `UnknownName`, `AmbiguousName`, or `NothingToHeal` where nothing failed in the window.
    """
    if name.startswith("inc_"):
        return _healable([store.incident(name)], name, {})
    everything = store.incidents()
    matches = _matching(everything, name, _functions)
    functions = {_match(incident, name) for incident in matches}
    if len(functions) > 1:
        raise AmbiguousName(name, sorted(functions))
    if not matches:
        site = find_site(store, name)
        raise NothingToHeal(f"no failure of {site.site_id} has been recorded")
    recent = [incident for incident in matches if incident.last_seen_at >= since]
    if not recent:
        latest = max(incident.last_seen_at for incident in matches)
        raise NothingToHeal(
            f"{name} has not failed since {since:%Y-%m-%d %H:%M} UTC; its last failure was at "
            f"{latest:%Y-%m-%d %H:%M} UTC. To heal that one, look back further (--lookback MINUTES, or the setting "
            "lookback_minutes)"
        )
    return _healable(recent, name, spreads_of(store, recent, since=since))


def _healable(incidents: Sequence[Incident], name: str, spreads: Spreads) -> Sequence[Incident]:
    healable = [incident for incident in incidents if is_healable(incident)]
    if not healable:
        states = ", ".join(sorted({_state(incident) for incident in incidents}))
        raise NothingToHeal(f"what failed in {name} needs no healing: {states}")
    return worst_first(healable, spreads)


def _state(incident: Incident) -> str:
    if incident.site_id == HEALER_SITE:
        return "an error of the healer itself"
    if incident.ignored_by is None:
        return incident.status.value
    return f"{incident.status.value} by {incident.ignored_by!r}"


def is_healable(incident: Incident) -> bool:
    """Say whether healing is for an incident: nobody has closed it, and it isn't the healer's own."""
    return incident.status in HEALABLE and incident.site_id != HEALER_SITE


def spreads_of(store: Store, incidents: Sequence[Incident], *, since: datetime) -> Spreads:
    """Return what `worst_first` ranks by, for the failures since then; nothing for a single one."""
    if len(incidents) < 2:
        return {}
    names = [item.incident_id for item in incidents]
    return store.spreads(since=since, split=since + (now() - since) / 2, incident_ids=names)


def worst_first(
    incidents: Iterable[Incident],
    spreads: Spreads = MappingProxyType({}),
    *,
    at: datetime | None = None,
) -> Sequence[Incident]:
    """Return incidents by the harm that they do, then by how recently they failed.

    Harm is the severity of the error, each step of which weighs as much as four times the failures;
    times the failures an hour; times their trend, from half to twice; times one for each doubling of
    the processes and of the machines that see it (`prunella.pipeline.severity.harm_per_hour`).
    """
    at = at or now()

    def harm(incident: Incident) -> tuple[float, datetime]:
        spread = spreads.get(incident.incident_id)
        return harm_per_hour(incident, spread, at=at), incident.last_seen_at

    return sorted(incidents, key=harm, reverse=True)


def _functions(incident: Incident) -> Sequence[str]:
    """The functions an incident may be asked for by: where it failed, and the site that saw it."""
    place = incident.location
    inner = [f"{place.module}:{place.qualname}"] if place else []
    return (*inner, incident.site_id)


def _match(incident: Incident, name: str) -> str:
    return next(item for item in _functions(incident) if _rank(item, name) is not None)


def _matching(items: Iterable[T], name: str, names_of: Callable[[T], Sequence[str]]) -> list[T]:
    """Return the items whose name matches best: in full before qualified before the last part."""
    best: list[T] = []
    best_rank = 3
    for item in items:
        ranks = [rank for each in names_of(item) if (rank := _rank(each, name)) is not None]
        rank = min(ranks, default=3)
        if rank < best_rank:
            best, best_rank = [], rank
        if rank == best_rank < 3:
            best.append(item)
    return best


def _rank(full: str, name: str) -> int | None:
    module, _, qualname = full.partition(":")
    if name in (full, f"{module}.{qualname}"):
        return 0
    if name == qualname:
        return 1
    if qualname.endswith(f".{name}"):
        return 2
    return None


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return (
            f"no function called {name!r} has been recorded: nothing has. "
            "Decorate functions with @heal and run the program"
        )
    near = get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known[:10])}"
    return f"no function called {name!r} has been recorded. {hint}"


def regressed_release(store: Store, incident: Incident) -> str | None:
    """Return the release of the program that an incident failed in last, after it was cured.

    ``None`` where it isn't regressed, or no release is known. Untrusted text.
    """
    if incident.status is not IncidentStatus.REGRESSED:
        return None
    for latest in store.occurrences(incident.incident_id, limit=1):
        process = store.process(latest.process_id)
        return None if process is None else process.release
    return None
