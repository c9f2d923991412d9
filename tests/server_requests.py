"""Requests as the clients of other libraries make them."""

import json


def sentry_envelope(number: int) -> bytes:
    """Return an envelope with one event, as sentry-sdk sends it; `number` makes its id."""
    frame = {
        "filename": "shop/jobs.py",
        "function": "run",
        "module": "shop.jobs",
        "lineno": 7,
        "in_app": True,
        "vars": {"password": "'hunter2-hunter2'", "rows": ["1", "2"]},
    }
    event = {
        "event_id": f"{number:032x}",
        "timestamp": "2026-11-20T12:00:00.5Z",
        "level": "error",
        "release": "1.2",
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": "no rows",
                    "module": None,
                    "stacktrace": {"frames": [frame]},
                }
            ]
        },
    }
    payload = json.dumps(event)
    header = json.dumps({"type": "event", "length": len(payload)})
    return f'{{"event_id": "{number:032x}"}}\n{header}\n{payload}\n'.encode()
