"""How long a replay takes: ``python benchmarks/replay.py``.

Forty variants of a tiny module with eleven calls each, and one variant with one call, which is
what starting costs; the minimum and the median of several runs, at each level that works here.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from prunella.adapters.replay import SandboxReplayer
from prunella.codec import encode_mapping
from prunella.model.errors import SandboxUnavailable
from prunella.model.ids import CallId, ProcessId
from prunella.model.records import Process
from prunella.model.repair import ReplayRequest
from prunella.model.settings import Settings

RUNS = 7
SIZES = ((1, 1), (40, 11))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, "tree")
        tree.mkdir()
        (tree / "shop.py").write_text("def mean(values):\n    return sum(values) / len(values)\n")
        for level in ("bubblewrap", "namespaces", "none"):
            try:
                replayer = SandboxReplayer(Settings(sandbox=level))
            except SandboxUnavailable:
                print(f"{level:12} does not work here")
                continue
            for variants, calls in SIZES:
                measure(replayer, tree, variants, calls)


def measure(replayer: SandboxReplayer, tree: Path, variants: int, calls: int) -> None:
    requests = [
        ReplayRequest(
            request_id=CallId(f"call_{number}"),
            site_id="shop:mean",
            inputs=encode_mapping({"values": [number, 1]}).tree,
            started_at=AT,
        )
        for number in range(calls)
    ]
    overlays = [
        {"shop.py": f"def mean(values):\n    return {number}\n".encode()}
        for number in range(variants)
    ]
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        rows = replayer.replay(tree, process(tree), requests, overlays)
        times.append(time.perf_counter() - started)
        assert [row[0].result for row in rows] == list(range(variants))
    print(
        f"{replayer.level:12} {variants:3} variants x {calls:2} calls: "
        f"min {min(times) * 1000:6.0f} ms, median {statistics.median(times) * 1000:6.0f} ms"
    )


def process(tree: Path) -> Process:
    return Process(
        process_id=ProcessId("proc_1"),
        pid=1,
        started_at=AT,
        python_version="",
        executable=sys.executable,
        sys_path=tuple(sys.path),
        root=str(tree),
        cwd=str(tree),
        argv=("app.py",),
        hostname="",
        prunella_version="",
    )


if __name__ == "__main__":
    main()
