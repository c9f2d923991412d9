"""What a run of tests in the sandbox is told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantJob:
    """A function, and another text of it; see `prunella.model.trials.Variant`."""

    path: str
    qualname: str
    first_line: int
    text: str = ""
    #: How likely it is to be right; only for when to stop.
    chance: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob:
    """Tests to watch, to record a function's inputs from, or to try variants with."""

    #: Absolute path of a private, writable copy of the tree.
    tree: str
    sys_path: tuple[str, ...]
    #: What pytest collects: files, folders, node ids.
    selection: tuple[str, ...]
    #: Node ids that are run of what is collected, in this order; empty means all.
    tests: tuple[str, ...]
    #: Processor time of one test.
    test_s: float
    #: No variant begins later than this.
    budget_s: float = 0.0
    #: After so many variants that pass, no other begins.
    enough: int = 1
    #: Nor does one that is less likely than this share of the first that passed.
    least_ratio: float = 0.0
    variants: tuple[VariantJob, ...] = ()
    #: Note which lines the tests run.
    watched: bool = True
    #: The function whose inputs are wanted.
    record: VariantJob | None = None


def to_json(job: TrialJob) -> dict[str, Any]:
    """Return `job` as JSON types."""
    return asdict(job)


def read(data: Mapping[str, Any]) -> TrialJob:
    """Return the job that `to_json` wrote."""
    plain = dict(data)
    plain["variants"] = tuple(VariantJob(**item) for item in data["variants"])
    plain["record"] = VariantJob(**data["record"]) if data["record"] else None
    for name in ("sys_path", "selection", "tests"):
        plain[name] = tuple(data[name])
    return TrialJob(**plain)
