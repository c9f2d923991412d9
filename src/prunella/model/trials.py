"""What a project's tests tell about a fault: which ran what, and how variants of a function fare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prunella.model.records import ExceptionInfo
from prunella.model.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTest:
    """One test, run on the base while its lines were watched. Untrusted data."""

    __test__ = False  # not a pytest class

    #: pytest's node id: ``tests/test_x.py::test_y[1]``.
    test_id: str
    #: ``passed``, ``failed`` or ``skipped``.
    outcome: str
    duration_us: int
    #: Path relative to the tree → lines of the project's functions that ran, ascending.
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    #: What made it fail, with its frames.
    exception: ExceptionInfo | None = None

    @property
    def failed(self) -> bool:
        return self.outcome == "failed"

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One watched run of some tests."""

    tests: tuple[ObservedTest, ...]
    #: Why tests are missing: the collection failed, a test took its process down; empty if none is.
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another text of one function, to be tried in a running process."""

    #: Path of its file relative to the tree, with ``/``.
    path: str
    #: A function of a module or a method; never one inside a function.
    qualname: str
    #: Line of the first decorator or of ``def`` in the tree's file.
    first_line: int
    #: Text of the function from its first decorator on, import statements before it.
    text: str
    #: How likely it is to be right, compared with the others.
    chance: float = 1.0


class VariantEnding(StrEnum):
    """How the tests ended with a variant."""

    #: All of them passed.
    PASSED = "passed"
    #: One didn't; the others were not run.
    FAILED = "failed"
    #: It could not be tried, or the time was up before its turn.
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRun:
    """What became of one variant. Untrusted data."""

    ending: VariantEnding
    #: The test that failed, or why it was not run.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInputs:
    """Inputs that tests call a function with, each as in `Call.inputs`, and complete."""

    inputs: tuple[Tree, ...]
