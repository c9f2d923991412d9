"""A replayer that runs calls in the test's own process: for tests of what is done with outcomes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from builders import exception, frame
from prunella.adapters.replay_runner.watch import Watch
from prunella.codec import decode, encode, encode_mapping
from prunella.model.records import Process
from prunella.model.repair import ReplayEnding, ReplayOutcome, ReplayRequest, TestReport
from prunella.ports import Overlay


class InProcessReplayer:
    """Executes one module's source; `base` is its text, `path` its path, sites are its functions."""

    level = "none"

    def __init__(self, path: str, base: str) -> None:
        self.path = path
        self.base = base.encode()
        self.variants_seen: list[Overlay] = []

    def replay(
        self,
        tree: Path,
        process: Process,
        requests: Sequence[ReplayRequest],
        variants: Sequence[Overlay],
    ) -> Sequence[Sequence[ReplayOutcome]]:
        self.variants_seen += variants
        rows = []
        for variant in variants:
            namespace: dict[str, Any] = {}
            source = variant.get(self.path, self.base)
            code = compile(source, f"/nowhere/{self.path}", "exec")
            exec(code, namespace)  # noqa: S102 - the test's own text
            rows.append([self._run(namespace, request) for request in requests])
        return rows

    def _run(self, namespace: Mapping[str, Any], request: ReplayRequest) -> ReplayOutcome:
        name = request.site_id.partition(":")[2]
        inputs: Any = decode(request.inputs)
        common: dict[str, Any] = {"request_id": request.request_id}
        watch = Watch(request.watch, "/nowhere")
        try:
            with watch:
                result = namespace[name](**inputs)
        except Exception as error:  # noqa: BLE001 - what it raises is the result
            info = exception(
                type=f"builtins:{type(error).__name__}",
                message=str(error),
                frames=(frame(qualname=name, file=self.path),),
            )
            after = encode_mapping(inputs).tree
            return ReplayOutcome(
                ending=ReplayEnding.RAISED,
                exception=info,
                inputs_after=after,
                watched_calls=watch.calls,
                watched_failures=watch.failures,
                **common,
            )
        encoded = encode(result)
        return ReplayOutcome(
            ending=ReplayEnding.RETURNED,
            result=encoded.tree,
            complete=encoded.complete,
            inputs_after=encode_mapping(inputs).tree,
            watched_calls=watch.calls,
            watched_failures=watch.failures,
            **common,
        )


class ScriptedTests:
    """A test runner whose reports are given by the content of the overlay."""

    def __init__(self, before: TestReport | None, after: TestReport | None = None) -> None:
        self.before = before
        self.after = after
        self.runs = 0

    def run(
        self, tree: Path, process: Process, overlay: Overlay, *, only: str = ""
    ) -> TestReport | None:
        self.runs += 1
        return self.after if overlay else self.before


def report(results: Mapping[str, str], **changes: Any) -> TestReport:
    """Return a report of these results, with the exit code that belongs to them."""
    bad = any(result in ("failed", "error") for result in results.values())
    values: dict[str, Any] = {
        "command": ("pytest",),
        "results": results,
        "exit_code": int(bad),
        "duration_s": 0.1,
        "tail": "",
    }
    return TestReport(**(values | changes))
