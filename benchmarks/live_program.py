"""The program that `live.py` runs three times: calls three tools of one service, many at once.

It is copied into a project of its own as ``partners.py``. Of each call it writes a line of
``tool outcome began ended``, the times on the monotonic clock, which all processes of a machine
share. A call is ``healed`` if it passed although its first attempt had failed.
"""

import json
import random
import signal
import sys
import time
from threading import Lock, Thread, local
from urllib.request import urlopen

from prunella import tool

_SERVICE = "127.0.0.1"
#: Threads of one process that call; most of them wait, for the service or between two attempts.
_THREADS = 12
_here = local()
_place = {"port": 0}


@tool(idempotent=True)
def rate(city):
    """Ask what fails now and then by itself."""
    _here.attempts += 1
    return _get("rate", city)


@tool(idempotent=True)
def quote(limit):
    """Ask what never fails, but for a limit that is too low."""
    return _get("quote", limit)


@tool(idempotent=True)
def search(limit):
    """Ask what fails every other time for a limit that is too low."""
    return _get("search", limit)


def _get(service, asked):
    place = f"http://{_SERVICE}:{_place['port']}/{service}/{asked}"
    with urlopen(place, timeout=2.0) as response:
        return json.loads(response.read())


#: Twice as often what fails as both others together.
_ASKED = (*((rate, city) for city in ("Bern", "Graz", "Rome", "Lund")), (quote, 20), (search, 20))
_writing = Lock()


def _call(number, pause_s):
    rng = random.Random(number)
    while True:
        due_s = time.monotonic() + pause_s * rng.uniform(0.5, 1.5)
        ask, asked = rng.choice(_ASKED)
        _here.attempts = 0
        began_s = time.monotonic()
        try:
            ask(asked)
            outcome = "healed" if _here.attempts > 1 else "ok"
        except OSError:  # what urllib raises
            outcome = "failed"
        with _writing:
            print(ask.__name__, outcome, began_s, time.monotonic(), flush=True)
        time.sleep(max(0.0, due_s - time.monotonic()))


def main():
    """Call until somebody ends the process; arguments are the port and calls a second."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _place["port"] = int(sys.argv[1])
    pause_s = _THREADS / float(sys.argv[2])
    for number in range(_THREADS):
        Thread(target=_call, args=(number, pause_s), daemon=True).start()
    while True:
        time.sleep(0.2)


if __name__ == "__main__":
    main()
