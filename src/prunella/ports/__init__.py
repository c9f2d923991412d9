"""Every plug-point: what the healer's stages need and `prunella.adapters` brings.

Nobody subclasses these; an object with the right methods serves.
"""

from prunella.ports.directory import (
    Directory,
)
from prunella.ports.hosts import (
    CodeHost,
    PullRequest,
    Repository,
)
from prunella.ports.kept import (
    SPOOL_REMOVED,
    CallFacts,
    FailureCount,
    IncidentOrder,
    IncidentPage,
    IncidentQuery,
    IncidentText,
    IncidentTotals,
    KeptCall,
    Portion,
    RolloutCounts,
    StoreHealth,
    Triaged,
)
from prunella.ports.models import (
    KeptModel,
    LanguageModel,
    ModelAnswer,
    ModelRequest,
    Retriever,
)
from prunella.ports.people import (
    Feed,
    Notifier,
    Progress,
)
from prunella.ports.sandbox import (
    Overlay,
    Replayer,
    TestProbe,
    TestRunner,
)
from prunella.ports.store_parts import AlertStore, JobStore, RolloutStore
from prunella.ports.stores import Store

__all__ = [
    "SPOOL_REMOVED",
    "AlertStore",
    "CallFacts",
    "CodeHost",
    "Directory",
    "FailureCount",
    "Feed",
    "IncidentOrder",
    "IncidentPage",
    "IncidentQuery",
    "IncidentText",
    "IncidentTotals",
    "JobStore",
    "KeptCall",
    "KeptModel",
    "LanguageModel",
    "ModelAnswer",
    "ModelRequest",
    "Notifier",
    "Overlay",
    "Portion",
    "Progress",
    "PullRequest",
    "Replayer",
    "Repository",
    "Retriever",
    "RolloutCounts",
    "RolloutStore",
    "Store",
    "StoreHealth",
    "TestProbe",
    "TestRunner",
    "Triaged",
]
