"""A test runner that runs the tests of one base once."""

from pathlib import Path
from threading import Lock

from prunella.model.records import Process
from prunella.model.repair import TestReport
from prunella.ports import Overlay, TestRunner


class RememberedTests:
    """Passes runs on to `runner`, and remembers the one of the unchanged base.

    For as long as the base is one commit: every incident that is healed on it asks for the same run.
    """

    def __init__(self, runner: TestRunner) -> None:
        self._runner = runner
        self._of_base: dict[str, TestReport | None] = {}
        self._running = Lock()

    def run(
        self, tree: Path, process: Process, overlay: Overlay, *, only: str = ""
    ) -> TestReport | None:
        """Return the report; see `prunella.ports.TestRunner`."""
        if overlay or only:
            return self._runner.run(tree, process, overlay, only=only)
        with self._running:
            if process.executable not in self._of_base:
                report = self._runner.run(tree, process, overlay)
                self._of_base[process.executable] = report
            return self._of_base[process.executable]
