"""What stores keep and answer, beside the vocabulary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from prunella.experiment.merging import Readings
from prunella.model.ids import IncidentId, SiteId
from prunella.model.incidents import Incident, IncidentStatus, Location
from prunella.model.records import Call, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged:
    """What triage found out about one occurrence."""

    fingerprint: str
    #: Version of the algorithm that made it.
    scheme: str
    error_code: str
    location: Location | None
    #: The pattern of the ignore file that matches, or ``None``.
    ignored_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Records that stand together in a spool file, as `Store.ingest` keeps them."""

    records: Sequence[Record]
    spool_name: str
    #: The offset behind them, in bytes.
    end_offset: int
    #: Where they begin; ``None`` where it doesn't matter what was kept of the file before.
    start_offset: int | None = None
    #: What triage said of occurrences, by their ids.
    triaged: Mapping[str, Triaged] = field(default_factory=dict)
    #: JSON of occurrences as it came (ASCII, as `prunella.codec.wire` frames it), by their ids: kept
    #: instead of writing it anew. Those that aren't here are written.
    texts: Mapping[str, str] = field(default_factory=dict)
    #: Ids of what another library's client reported, where the records stand for that.
    events: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """What ``prunella doctor`` shows of a store."""

    place: str
    schema_version: int
    size_bytes: int
    #: Table name to number of rows.
    rows: Mapping[str, int]
    #: Why records could not be kept, to how many.
    refused: Mapping[str, int] = field(default_factory=dict)
    #: Bytes of golden calls and the calls they made, which pruning never touches.
    golden_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """A recorded success with its standing in the store."""

    call: Call
    #: When it was marked as a reference; ``None`` for an ordinary call.
    golden_at: datetime | None = None


class IncidentOrder(StrEnum):
    """Which incidents come first."""

    #: The one that failed last.
    LAST_SEEN = "last_seen"
    #: The one that failed first the latest: what is new.
    FIRST_SEEN = "first_seen"
    #: The one that failed most often.
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """Which incidents are asked for; what is empty asks for nothing."""

    #: Words that all have to be found, in parts and in any case, in message, error type, error code
    #: or site.
    text: str = ""
    statuses: tuple[IncidentStatus, ...] = ()
    #: An error code, or its beginning: ``TOOL`` or ``TOOL.EXECUTION``.
    error_code: str = ""
    #: A site's id, or its module.
    site: str = ""
    #: It was seen in a process of this release.
    release: str = ""
    #: It was seen in a process of this environment.
    environment: str = ""
    #: It failed last at that moment or later.
    since: datetime | None = None
    order: IncidentOrder = IncidentOrder.LAST_SEEN
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """A part of the incidents that a query asks for."""

    items: Sequence[Incident]
    #: How many there are in all.
    total: int
    #: How many of each status there are with everything else that the query asks for.
    by_status: Mapping[IncidentStatus, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentTotals:
    """Sums over incidents; the healer's own errors don't count."""

    #: Status to how many have it, and to how often these have failed.
    incidents: Mapping[IncidentStatus, int]
    failures: Mapping[IncidentStatus, int]
    #: Of each that is cured now: when it failed first, and when it was cured.
    cured: Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentText:
    """What an incident says of itself in words; untrusted."""

    incident_id: IncidentId
    error_code: str
    error_type: str
    site_id: SiteId
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What a list of functions needs of a recorded success: all but its values."""

    duration_us: int
    source_hash: str
    #: It can be replayed.
    complete: bool
    is_golden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """How often something failed within one step of time."""

    #: The step's beginning.
    at: datetime
    failures: int


#: Offset that stands for a spool file that has been read to its end and removed.
SPOOL_REMOVED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutCounts:
    """What processes have counted of one rollout."""

    readings: Readings
    #: Process id to what else it counted, as in `prunella.model.records.Exposures`.
    effects: Mapping[str, Mapping[str, int]]
    #: When the counts changed last; ``None`` where there are none.
    fired_at: datetime | None
