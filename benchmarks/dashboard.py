"""How fast the dashboard's pages come: answered by the server, and first seen in a browser.

``python benchmarks/dashboard.py [--incidents N]``. On the example program's records after its day of
traffic; with ``--incidents`` also on a store of so many incidents. A first view is a page in a fresh
browser context (nothing cached) that has come to rest, until its main content is painted. What the browser takes for itself is
seen by a page of one word that another server answers at once, with and without the headers that each
page of the dashboard has. Needs Chromium for that part.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browsing import ARGUMENTS, CHROMIUM, serving, visiting
from prunella.cli.example import copy_example, drive
from prunella.model.clock import now
from prunella.ports import Triaged
from prunella.server.guard import HEADERS
from prunella.wiring.healer import Healer
from recorded import an_exception, an_occurrence

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_TIMES = 15
#: First views of each page, and how long the browser rests before each, in milliseconds.
_VIEWS, _REST_MS = 11, 250
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
    """Print when a browser that has nothing yet has painted each page: all in each round, shuffled."""
    from playwright.sync_api import sync_playwright

    print(f"first contentful paint, nothing cached (median, least, slowest of {_VIEWS}), ms")
    with sync_playwright() as playwright, one_word() as bare:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        pages = {
            "a page of one word": f"{bare}/",
            "a page of one word, these headers": f"{bare}/headers",
            **{path: f"{home}{path}" for path in paths},
        }
        times: dict[str, list[float]] = {name: [] for name in pages}
        order = random.Random(0)
        for _ in range(_VIEWS):
            for name in order.sample(list(pages), len(pages)):
                times[name].append(painted(browser, pages[name]))
        for name, found in times.items():
            median = statistics.median(found)
            print(f"  {name:34} {median:8.1f} {min(found):8.1f} {max(found):8.1f}")
        browser.close()


def painted(browser: "Browser", address: str) -> float:
    """Return after how many milliseconds a new visitor sees a page."""
    with visiting(browser) as context:
        page = context.new_page()
        page.wait_for_timeout(_REST_MS)
        page.goto(address)
        return float(
            page.evaluate(
                "new Promise(done => new PerformanceObserver((list) => {"
                " const found = list.getEntriesByName('first-contentful-paint')[0];"
                " if (found) done(found.startTime);"
                "}).observe({ type: 'paint', buffered: true }))"
            )
        )


@contextmanager
def one_word() -> Iterator[str]:
    """Serve a page of one word; at ``/headers`` with the headers of the dashboard's pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), OneWord)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class OneWord(BaseHTTPRequestHandler):
    """Answers any address with a page of one word."""

    def do_GET(self) -> None:
        body = b'<!doctype html><html lang="en"><title>A word</title><p>Word'
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items() if self.path == "/headers" else ():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # its picture isn't waited for
            self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """Say nothing: what is printed are the figures."""


if __name__ == "__main__":
    main()
