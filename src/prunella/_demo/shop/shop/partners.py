"""What the shop asks of others while a customer waits: rates, quotes, texts, search."""

import json
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from prunella import llm, tool

#: Where the partners' services are; the traffic sets it.
BASE_URL = ""


@tool(idempotent=True)
def exchange_rate(currency: str) -> float:
    """Return how many of `currency` a euro buys."""
    return float(_get("rates", {"currency": currency}, timeout_s=2.0)["rate"])


@tool(idempotent=True)
def delivery_quote(city: str, timeout_s: float = 0.06) -> float:
    """Return what sending a parcel to `city` costs."""
    return float(_get("quotes", {"city": city}, timeout_s=timeout_s)["price"])


@tool(idempotent=True)
def search(query: str, limit: int = 20) -> list[str]:
    """Return the SKUs that the search service finds."""
    return list(_get("search", {"query": query, "limit": limit}, timeout_s=2.0)["found"])


@llm
def describe(prompt: str, temperature: float = 0.7) -> dict:
    """Return a product's title and text, written by a language model."""
    body = json.dumps({"prompt": prompt, "temperature": temperature}).encode()
    with urlopen(Request(f"{BASE_URL}/describe", data=body), timeout=2.0) as response:
        answer = response.read().decode()
    return json.loads(answer)


def _get(service: str, parameters: dict, timeout_s: float) -> dict:
    with urlopen(f"{BASE_URL}/{service}?{urlencode(parameters)}", timeout=timeout_s) as response:
        return json.loads(response.read())
