"""What runs a project's code, isolated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from prunella.model.records import Process
from prunella.model.repair import (
    ReplayOutcome,
    ReplayRequest,
    TestReport,
)
from prunella.model.trials import Observation, RecordedInputs, Variant, VariantRun

#: Files that differ from a tree on disk: path relative to its root → content.
Overlay = Mapping[str, bytes]


class Replayer(Protocol):
    """Runs recorded calls again, isolated."""

    @property
    def level(self) -> str:
        """The isolation in force: ``bubblewrap``, ``namespaces`` or ``none``."""
        ...

    def replay(
        self,
        tree: Path,
        process: Process,
        requests: Sequence[ReplayRequest],
        variants: Sequence[Overlay],
    ) -> Sequence[Sequence[ReplayOutcome]]:
        """Run every request on every variant of the checked-out `tree`.

        Answers one row a variant, in order, each with one outcome a request, in order. ``{}`` is
        the tree as it stands. Raises `SandboxUnavailable`.
        """
        ...


class TestRunner(Protocol):
    """Runs a project's own tests, isolated."""

    def run(
        self, tree: Path, process: Process, overlay: Overlay, *, only: str = ""
    ) -> TestReport | None:
        """Return the report, or ``None`` where the project has no tests that it can find.

        `only` is the path of a single test module, relative to the tree, that may be in the overlay.
        """
        ...


class TestProbe(Protocol):
    """Looks closely at single tests, isolated: what they run, and how variants of a function fare.

    `selection` is what pytest collects (paths and node ids relative to the tree), `tests` are node
    ids of the collected tests that are meant; none means all of them.
    """

    def observe(
        self, tree: Path, process: Process, selection: Sequence[str], *, watched: bool = True
    ) -> Observation:
        """Run the tests on `tree` one after the other; note the lines that each runs if `watched`.

        An empty selection is what pytest collects by itself.
        """
        ...

    def attempt(
        self,
        tree: Path,
        process: Process,
        selection: Sequence[str],
        variants: Sequence[Variant],
        *,
        tests: Sequence[str] = (),
        test_s: float,
        budget_s: float,
        enough: int,
    ) -> Sequence[VariantRun]:
        """Run `tests` with each variant until one fails; the answer is in the order of `variants`.

        The tests run in the order of `tests`; one that computes longer than `test_s` fails. The
        likeliest variant stands first. After `budget_s`, or when `enough` variants have passed, or
        those that are left are far less likely than one that passed, no other begins.
        """
        ...

    def inputs(
        self,
        tree: Path,
        process: Process,
        selection: Sequence[str],
        function: Variant,
        *,
        tests: Sequence[str] = (),
    ) -> RecordedInputs:
        """Return inputs that the tests call `function` (its text doesn't matter) with."""
        ...
