"""How fast the dashboard's pages come: answered by the server, and first seen in a browser.

``python benchmarks/dashboard.py [--incidents N]``. On the example program's records after its day of
traffic; with ``--incidents`` also on a store of so many incidents. A first view is a page in a fresh
browser context (nothing cached) until its main content is painted. Needs Chromium for that part.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browsing import ARGUMENTS, CHROMIUM, serving, visiting
from prunella.cli.example import copy_example, drive
from prunella.model.clock import now
from prunella.ports import Triaged
from prunella.wiring.healer import Healer
from recorded import an_exception, an_occurrence

_TIMES = 15
_PATHS = ("/", "/incidents", "/incidents?q=pricing", "/fixes", "/sites", "/cases", "/audit")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=0, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = copy_example(Path(name) / "shop")
        for _line in drive(root):
            pass
        with Healer(root=root, model="") as healer:
            healer.refresh()
            found = [item.incident_id for item in healer.incidents() if "redeem" in item.site_id]
        measure(root, (*_PATHS, f"/incidents/{found[0]}"), "the example program")
        if options.incidents:
            with Healer(root=root, model="") as healer:
                fill(healer, options.incidents)
            measure(root, _PATHS, f"{options.incidents:,} incidents")


def fill(healer: Healer, number: int) -> None:
    """Make so many incidents, each failed once within the last day."""
    at = now()
    for index in range(number):
        occurrence = an_occurrence(
            index,
            group=f"g{index}",
            site_id=f"load.module_{index % 50}:function_{index % 400}",
            started_at=at - timedelta(seconds=index % 86_400),
            exception=an_exception(message=f"order {index} has no price"),
        )
        healer.store.assign(
            occurrence,
            Triaged(
                fingerprint=f"load {index}",
                scheme="1",
                error_code="CODE.VALUE.INVALID",
                location=None,
                ignored_by=None,
            ),
        )


def measure(root: Path, paths: tuple[str, ...], what: str) -> None:
    """Print the median and the slowest of several times for each page."""
    print(f"\n{what}: answered by the server (median, slowest of {_TIMES}), ms")
    with serving(root) as served:
        port = int(served.url.rpartition(":")[2])
        for path in paths:
            times = [timed(lambda path=path: get(port, f"/p/local{path}")) for _ in range(_TIMES)]
            print(f"  {path:34} {statistics.median(times):8.1f} {max(times):8.1f}")
        if CHROMIUM is None:
            print("  first views need Chromium: left out")
        else:
            first_views(served.home, paths)


def timed(do: Callable[[], object]) -> float:
    """Return how long it takes, in milliseconds."""
    began_s = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - began_s)


def get(port: int, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, (path, answer.status)


def first_views(home: str, paths: tuple[str, ...]) -> None:
    """Print when a browser that has nothing yet has painted each page."""
    from playwright.sync_api import sync_playwright

    print(f"first contentful paint, nothing cached (median, slowest of {_TIMES}), ms")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for path in paths:
            times = []
            for _ in range(_TIMES):
                with visiting(browser) as context:
                    page = context.new_page()
                    page.goto(f"{home}{path}")
                    times.append(
                        page.evaluate(
                            "new Promise(done => new PerformanceObserver((list) => {"
                            " const found = list.getEntriesByName('first-contentful-paint')[0];"
                            " if (found) done(found.startTime);"
                            "}).observe({ type: 'paint', buffered: true }))"
                        )
                    )
            print(f"  {path:34} {statistics.median(times):8.1f} {max(times):8.1f}")
        browser.close()


if __name__ == "__main__":
    main()
