"""Incidents, chosen by what a person asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from prunella.codec.plain import to_plain
from prunella.model.clock import now
from prunella.model.incidents import Incident, IncidentStatus

if TYPE_CHECKING:
    from prunella.wiring.healer import Healer


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentList:
    """The incidents that were asked for, the one seen last first."""

    incidents: Sequence[Incident]
    #: How many more would be there if ignored ones were shown.
    ignored: int

    @classmethod
    def read(
        cls,
        healer: "Healer",
        status: str | None,
        function: str | None,
        lookback_minutes: int | None,
    ) -> Self:
        """Choose by status, a part of the function's name, and when an incident failed last."""
        wanted = None if status is None else IncidentStatus(status)
        found = [item for item in healer.incidents(status=wanted) if _is_of(item, function)]
        if lookback_minutes is not None:
            since = now() - timedelta(minutes=lookback_minutes)
            found = [item for item in found if item.last_seen_at >= since]
        shown = [item for item in found if wanted or item.status is not IncidentStatus.IGNORED]
        return cls(incidents=shown, ignored=len(found) - len(shown))

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {"incidents": to_plain(self.incidents), "ignored": self.ignored}


def _is_of(incident: Incident, function: str | None) -> bool:
    if function is None:
        return True
    place = incident.location
    names = [incident.site_id, f"{place.module}:{place.qualname}" if place else ""]
    return any(function in name for name in names)
