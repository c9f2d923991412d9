"""What a replay is told: the job that the healer writes and the runner reads."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prunella.model.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class CallJob:
    """One call to run."""

    #: ``module:qualname``
    site: str
    inputs: Tree
    #: Microseconds since the epoch at which the clock stands.
    started_us: int
    #: ``(site, inputs, result)`` of the boundary calls it made, in order.
    answers: tuple[tuple[str, Tree, Tree], ...]
    #: ``path:qualname`` of a function to watch meanwhile; ``""`` for none.
    watch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All calls to run, on all variants."""

    #: Absolute path of the checked-out tree.
    tree: str
    #: The folders that modules are looked for in, first to last.
    sys_path: tuple[str, ...]
    #: File of the program's main script inside the tree; ``""`` where there is none.
    main_file: str
    argv: tuple[str, ...]
    #: Time for one call, and for importing one module.
    call_s: float
    import_s: float
    #: Variants that run at the same time.
    workers: int
    calls: tuple[CallJob, ...]
    #: For each variant: absolute path → content of the files that differ.
    variants: tuple[Mapping[str, bytes], ...]


def to_json(job: Job) -> dict[str, Any]:
    """Return `job` as JSON types."""
    return {
        **{name: getattr(job, name) for name in _PLAIN},
        "calls": [
            [call.site, call.inputs, call.started_us, call.answers, call.watch]
            for call in job.calls
        ],
        "variants": [
            {path: base64.b64encode(content).decode() for path, content in variant.items()}
            for variant in job.variants
        ],
    }


def read(data: Mapping[str, Any]) -> Job:
    """Return the job that `to_json` wrote."""
    plain: dict[str, Any] = {name: data[name] for name in _PLAIN}
    plain["sys_path"], plain["argv"] = tuple(plain["sys_path"]), tuple(plain["argv"])
    return Job(
        **plain,
        calls=tuple(
            CallJob(
                site=site,
                inputs=inputs,
                started_us=us,
                answers=tuple(map(tuple, answers)),
                watch=watch,
            )
            for site, inputs, us, answers, watch in data["calls"]
        ),
        variants=tuple(
            {path: base64.b64decode(content) for path, content in variant.items()}
            for variant in data["variants"]
        ),
    )


_PLAIN = ("tree", "sys_path", "main_file", "argv", "call_s", "import_s", "workers")
