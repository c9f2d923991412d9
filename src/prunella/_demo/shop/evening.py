"""An evening in the shop: customers browse, and the partners' services have a bad day.

    python evening.py [--seconds N] [--rate N] [--seed N]

The partners are a small server in this program, over real HTTP on this machine: one of them fails
now and then, one is slow, a language model doesn't always answer in JSON, and one refuses what the
new search page asks for. Every second a line of JSON says how many calls of each failed.
"""

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from shop import partners


class Partners(BaseHTTPRequestHandler):
    """The partners' services."""

    protocol_version = "HTTP/1.1"
    rng = random.Random()

    def do_GET(self):
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path == "/rates":
            overloaded = self.rng.random() < 0.3
            self.answer(503 if overloaded else 200, {"rate": 1.08})
        elif place.path == "/quotes":
            time.sleep(self.rng.choice([0.005, 0.005, 0.01, 0.01, 0.02, 0.12, 0.15]))
            self.answer(200, {"price": 4.9})
        elif place.path == "/search":
            too_many = int(asked["limit"]) > 100
            self.answer(400 if too_many else 200, {"found": ["FERN-12", "FIG-3"]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.rng.random() < 0.3:
            self.answer(200, None, text='Sure! Here is the JSON: {"title": "A fern", "text": …')
        else:
            self.answer(200, {"title": "A fern", "text": "It likes shade."})

    def answer(self, status, document, text=None):
        body = (text or json.dumps(document)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_what):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # a customer who didn't want to wait


def exchange_rate(rng):
    return partners.exchange_rate(rng.choice(["CHF", "GBP", "SEK", "USD"]))


def delivery_quote(rng):
    return partners.delivery_quote(rng.choice(["Bern", "Graz", "Lund"]))


def describe(rng):
    return partners.describe(f"Describe {rng.choice(['a fern', 'a fig', 'an ivy'])}.")


def search(rng):
    # The new search page asks for everything at once.
    return partners.search(rng.choice(["fern", "moss"]), rng.choice([20, 50, 100, 500, 1000]))


ASKED = (exchange_rate, delivery_quote, describe, search)


class Customers:
    """Ask for things, several at a time, and count what came of it."""

    def __init__(self, rate, seed):
        self.pause_s = len(ASKED) * 2 / rate
        self.lock = Lock()
        self.asked, self.failed = Counter(), Counter()
        for number in range(2 * len(ASKED)):
            ask = ASKED[number % len(ASKED)]
            Thread(target=self.browse, args=(ask, random.Random(seed + number)), daemon=True).start()

    def browse(self, ask, rng):
        while True:
            due = time.monotonic() + self.pause_s * rng.uniform(0.5, 1.5)
            failed = 0
            try:
                ask(rng)
            except Exception:
                failed = 1
            with self.lock:
                self.asked[ask.__name__] += 1
                self.failed[ask.__name__] += failed
            time.sleep(max(0.0, due - time.monotonic()))

    def told(self):
        """Return what was counted since the last time."""
        with self.lock:
            told = {"asked": self.asked, "failed": self.failed}
            self.asked, self.failed = Counter(), Counter()
        return told


def main():
    parser = argparse.ArgumentParser(description="Drive an evening of requests through the shop.")
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--rate", type=float, default=48, help="requests a second")
    parser.add_argument("--seed", type=int, default=47)
    options = parser.parse_args()
    # Ended from outside it still says good-bye.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    Partners.rng.seed(options.seed)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Partners)
    Thread(target=server.serve_forever, daemon=True).start()
    partners.BASE_URL = f"http://127.0.0.1:{server.server_port}"
    customers = Customers(options.rate, options.seed)
    for _ in range(options.seconds):
        time.sleep(1)
        print(json.dumps(customers.told()), flush=True)


if __name__ == "__main__":
    main()
