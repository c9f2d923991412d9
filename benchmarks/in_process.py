"""Replays calls of a one-file program in this very process: fast, and without any isolation.

For programs known to be harmless, on a machine too busy for a sandbox a step. Nothing keeps them
from the files and the network of whoever runs this. Calls are bounded in CPU time and memory.
"""

import contextlib
import io
import resource
import signal
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from refactory import FILE

from prunella.adapters.replay_runner.frames import describe
from prunella.codec import decode, encode, encode_mapping
from prunella.model.records import Process
from prunella.model.repair import ReplayEnding, ReplayOutcome, ReplayRequest
from prunella.model.settings import Settings
from prunella.ports import Overlay

_CALL_CPU_S = 0.1
#: Calls of one variant that may run out of time before the rest is given up.
_MAX_ENDLESS = 2


class OutOfTime(BaseException):
    """A call took longer than it may. No program catches it as an `Exception`."""


class InProcessReplayer:
    """A `Replayer` of functions of `FILE`."""

    level = "none"

    def __init__(self, settings: Settings) -> None:
        limit = settings.replay_memory_mb * 2**20
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (4 * limit, hard))
        signal.signal(signal.SIGVTALRM, _out_of_time)

    def replay(
        self,
        tree: Path,
        process: Process,
        requests: Sequence[ReplayRequest],
        variants: Sequence[Overlay],
    ) -> Sequence[Sequence[ReplayOutcome]]:
        """Run every request on every variant; see `prunella.ports.Replayer.replay`."""
        return [self._row(tree, requests, variant) for variant in variants]

    def _row(
        self, tree: Path, requests: Sequence[ReplayRequest], variant: Overlay
    ) -> list[ReplayOutcome]:
        path = tree / FILE
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = compile(variant.get(FILE) or path.read_bytes(), str(path), "exec")
        except SyntaxError as error:
            return [_without_result(item, ReplayEnding.NOT_RUN, str(error)) for item in requests]
        row: list[ReplayOutcome] = []
        for request in requests:
            endless = sum(item.ending is ReplayEnding.DIED for item in row)
            if endless > _MAX_ENDLESS:
                row.append(_without_result(request, ReplayEnding.DIED, "others didn't end"))
            else:
                row.append(_outcome(code, request, str(tree)))
        return row


def _outcome(code: Any, request: ReplayRequest, tree: str) -> ReplayOutcome:
    inputs: Any = decode(request.inputs, resolve=_no_class)
    namespace: dict[str, Any] = {"__name__": FILE.partition(".")[0]}
    try:
        with _bounded():
            exec(code, namespace)  # noqa: S102 - that is what is measured
            function = namespace.get(request.site_id.partition(":")[2])
            if function is None:
                return _without_result(request, ReplayEnding.NOT_RUN, "there is no such function")
            value = function(*inputs.values())
    except (OutOfTime, MemoryError):
        return _without_result(request, ReplayEnding.DIED, "it took too much time or memory")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what it raises is the result
        return ReplayOutcome(
            request_id=request.request_id,
            ending=ReplayEnding.RAISED,
            exception=describe(error, tree),
            inputs_after=encode_mapping(inputs).tree,
        )
    encoded = encode(value)
    return ReplayOutcome(
        request_id=request.request_id,
        ending=ReplayEnding.RETURNED,
        result=encoded.tree,
        complete=encoded.complete,
        inputs_after=encode_mapping(inputs).tree,
    )


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    # Again and again: a bare except in the program may swallow it.
    signal.setitimer(signal.ITIMER_VIRTUAL, _CALL_CPU_S, _CALL_CPU_S)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _out_of_time(*_: object) -> None:
    raise OutOfTime


def _without_result(request: ReplayRequest, ending: ReplayEnding, reason: str) -> ReplayOutcome:
    return ReplayOutcome(request_id=request.request_id, ending=ending, reason=reason)


def _no_class(path: str) -> Mapping[str, object]:
    raise LookupError(path)
