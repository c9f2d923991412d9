"""The parts of one project's healer, put together from settings: each is made when it is first asked for."""

from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from prunella.model.ids import IncidentId
from prunella.model.project import data_folder, find_root
from prunella.model.settings import LoadedSettings, Settings, load
from prunella.pipeline.parts import Parts, TestParts
from prunella.ports import CodeHost, KeptModel, Progress, Repository, Store, TestRunner
from prunella.wiring import SPOOL_NAME
from prunella.wiring.alerts import Alerts
from prunella.wiring.approvals import Approvals
from prunella.wiring.fixes import Fixes, user
from prunella.wiring.stores import open_store

#: Time of a call that compares two patches: inputs that no test has may never end.
_RIVAL_CALL_S = 1.0


class Assembly:
    """What a healer works with; see `prunella.Healer`."""

    def __init__(
        self,
        model: str | None = None,
        *,
        root: Path | str | None = None,
        progress: Progress | None = None,
        **settings: Any,
    ) -> None:
        self.root = Path(root).resolve() if root is not None else find_root()
        self.loaded: LoadedSettings = load(self.root, arguments={"model": model, **settings})
        self._progress: Progress = progress or _silent

    @classmethod
    def unconfigured(cls, root: Path, *, progress: Progress | None = None) -> Self:
        """Return a healer of the project at `root` with the default settings, whatever it sets."""
        healer = cls.__new__(cls)
        healer.root = root.resolve()
        origins = {item.name: "default" for item in fields(Settings)}
        healer.loaded = LoadedSettings(settings=Settings(), origins=origins)
        healer._progress = progress or _silent  # noqa: SLF001 - its own
        return healer

    def telling(self, progress: Progress) -> Self:
        """Return a healer of the same project on the same store that tells its progress elsewhere.

        It looks at the source anew, and is not to be closed.
        """
        sibling = type(self).__new__(type(self))
        sibling.root, sibling.loaded = self.root, self.loaded
        sibling._progress = progress  # noqa: SLF001 - of the same class
        sibling.__dict__["store"] = self.store
        return sibling

    def look_anew(self) -> None:
        """Forget how the source was: what comes next is done on the commit that is there then."""
        for name in ("repository", "host", "parts"):
            self.__dict__.pop(name, None)

    @property
    def settings(self) -> Settings:
        return self.loaded.settings

    @cached_property
    def store(self) -> Store:
        """The project's store; raises `StoreError` where nothing was recorded, or it can't answer."""
        spool = data_folder(self.root) / SPOOL_NAME
        recorded = spool.is_dir() and any(spool.iterdir())
        return open_store(self.root, self.settings, create=recorded)

    @cached_property
    def fixes(self) -> Fixes:
        """The fixes of the project and their rollouts, in the name of the user."""
        return self.fixes_by(user())

    def fixes_by(self, actor: str) -> Fixes:
        """Return the fixes of the project; steps are taken in the name of `actor`."""
        from prunella.adapters.feed import FileFeed

        self.make_store()  # a fix may be there before anything was recorded
        feed = FileFeed(data_folder(self.root))
        open_model = self._open_model if self.settings.model else None
        return Fixes(self.store, feed, settings=self.settings, actor=actor, open_model=open_model)

    def make_store(self) -> None:
        """Open the store, also where nothing was recorded yet; raises `StoreError`."""
        if "store" not in self.__dict__:
            self.__dict__["store"] = open_store(self.root, self.settings, create=True)

    @cached_property
    def approvals(self) -> Approvals:
        """Approvals of fixes by signed links."""
        from prunella.adapters.feed import FileFeed

        folder = data_folder(self.root)
        return Approvals(self.store, FileFeed(folder), folder, settings=self.settings)

    @cached_property
    def alerts(self) -> Alerts:
        """What people are told by themselves; raises `ConfigurationError` for a bad address."""
        return Alerts(self.store, self.settings, self.approvals)

    @cached_property
    def repository(self) -> Repository:
        """The git repository of the project, or the plain folder where there is none."""
        from prunella.adapters.git import GitRepository
        from prunella.adapters.plain_folder import PlainFolder

        if _in_repository(self.root):
            return GitRepository(self.root)
        return PlainFolder(self.root)

    @cached_property
    def host(self) -> CodeHost:
        """Where pull requests are opened: a code host, or the local repository."""
        from prunella.adapters.code_hosts.opening import open_host

        return open_host(self.settings, self.repository)

    @cached_property
    def parts(self) -> Parts:
        """One adapter for each port; raises `SandboxUnavailable` where nothing can isolate."""
        from prunella.adapters.remembered_tests import RememberedTests
        from prunella.adapters.replay import SandboxReplayer
        from prunella.adapters.retrieval import HybridRetriever
        from prunella.adapters.test_runner import SandboxTestRunner

        test_runner: TestRunner = SandboxTestRunner(self.settings)
        if self.repository.commit is not None:
            test_runner = RememberedTests(test_runner)
        return Parts(
            settings=self.settings,
            store=self.store,
            repository=self.repository,
            retriever=HybridRetriever(),
            replayer=SandboxReplayer(self.settings),
            test_runner=test_runner,
            host=self.host,
            open_model=self._open_model if self.settings.model else None,
            progress=self._progress,
        )

    @property
    def test_parts(self) -> TestParts:
        """As `parts`, for healing tests that fail; nothing needs to be recorded."""
        from prunella.adapters.replay import SandboxReplayer
        from prunella.adapters.test_probe import SandboxTestProbe

        return TestParts(
            settings=self.settings,
            repository=self.repository,
            probe=SandboxTestProbe(self.settings),
            replayer=SandboxReplayer(replace(self.settings, replay_timeout_s=_RIVAL_CALL_S)),
            all_tests=True,
            host=self.host,
            open_model=self._open_model if self.settings.model else None,
            progress=self._progress,
        )

    @property
    def reports_to(self) -> str:
        """The project on a server that programs of this folder report to; empty: to its store."""
        from prunella.sdk.reporting_state import read_state

        state = read_state(data_folder(self.root))
        if state is not None:
            return state.place
        return "a server" if self.settings.dsn else ""

    def close(self) -> None:
        """Close the store, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open_model(self, incident_id: IncidentId) -> KeptModel:
        from prunella.adapters.exchanges import RecordedModel
        from prunella.adapters.language_model import open_model
        from prunella.adapters.prices import price_of

        model = open_model(self.settings)
        self.make_store()  # tests may be healed before anything was recorded
        return RecordedModel(
            model=model,
            incident_id=incident_id,
            ledger=self.store,
            price=price_of(model.name, self.settings),
            settings=self.settings,
        )


def _silent(_what: str) -> None:
    pass


def _in_repository(root: Path) -> bool:
    return any((folder / ".git").exists() for folder in (root, *root.parents))
