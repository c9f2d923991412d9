"""An evening in the shop: customers browse, and the partners' services have a bad day.

    python evening.py [--seconds N] [--rate N] [--seed N]

The partners are a small server in this program, over real HTTP on this machine: one of them fails
now and then, one is slow, a language model doesn't always answer in JSON, and one refuses what the
new search page asks for. Every second a line of JSON says how many calls of each failed.
"""

import argparse
import json
import random
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
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
            overloaded = self.rng.random() < 0.4
            self.answer(503 if overloaded else 200, {"rate": 1.08})
        elif place.path == "/quotes":
            time.sleep(self.rng.choice([0.005, 0.01, 0.02, 0.09, 0.12]))
            self.answer(200, {"price": 4.9})
        elif place.path == "/search":
            too_many = int(asked["limit"]) > 100
            self.answer(400 if too_many else 200, {"found": ["FERN-12", "FIG-3"]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.rng.random() < 0.4:
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


def requests(rng):
    """Yield what customers ask for, endlessly."""
    while True:
        yield partners.exchange_rate, (rng.choice(["CHF", "GBP", "SEK", "USD"]),)
        yield partners.delivery_quote, (rng.choice(["Bern", "Graz", "Lund"]),)
        yield partners.describe, (f"Describe {rng.choice(['a fern', 'a fig', 'an ivy'])}.",)
        # The new search page asks for everything at once.
        yield partners.search, (rng.choice(["fern", "moss"]), rng.choice([20, 50, 100, 500, 1000]))


def main():
    parser = argparse.ArgumentParser(description="Drive an evening of requests through the shop.")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rate", type=float, default=60, help="requests a second")
    parser.add_argument("--seed", type=int, default=47)
    options = parser.parse_args()
    Partners.rng.seed(options.seed)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Partners)
    Thread(target=server.serve_forever, daemon=True).start()
    partners.BASE_URL = f"http://127.0.0.1:{server.server_port}"
    asked, failed = Counter(), Counter()
    started = told = time.monotonic()
    for function, arguments in requests(random.Random(options.seed)):
        name = function.__qualname__
        asked[name] += 1
        try:
            function(*arguments)
        except Exception:
            failed[name] += 1
        now = time.monotonic()
        if now - told >= 1:
            told = now
            print(json.dumps({"asked": asked, "failed": failed}), flush=True)
            asked.clear(), failed.clear()
            if now - started >= options.seconds:
                break
        time.sleep(max(0.0, 1 / options.rate))


if __name__ == "__main__":
    main()
