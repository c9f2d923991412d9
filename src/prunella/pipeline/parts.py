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
    TestProbe,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TestParts:
    """What healing by tests works with; records need not be there."""

    __test__ = False  # not a pytest class

    settings: Settings
    repository: Repository
    probe: TestProbe
    #: Tells plausible patches apart on inputs near those of the tests.
    replayer: Replayer
    #: All of the project's tests have to keep passing with the best patch.
    all_tests: bool
    host: CodeHost
    #: As in `Parts`.
    open_model: Callable[[IncidentId], KeptModel] | None = None
    progress: Progress
