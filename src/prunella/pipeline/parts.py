"""What the pipeline works with: one adapter for each port."""

from collections.abc import Callable
from dataclasses import dataclass

from prunella.model.ids import IncidentId
from prunella.model.settings import Settings
from prunella.ports import (
    CodeHost,
    KeptModel,
    Progress,
    Replayer,
    Repository,
    Retriever,
    Store,
    TestRunner,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The adapters of one project, put together by `prunella.wiring`."""

    settings: Settings
    store: Store
    repository: Repository
    retriever: Retriever
    replayer: Replayer
    test_runner: TestRunner
    host: CodeHost
    #: Opens the configured language model on behalf of an incident, so that what is said is kept;
    #: ``None`` where the built-in rules work alone.
    open_model: Callable[[IncidentId], KeptModel] | None
    progress: Progress
