"""What an answer of a language model has cost: the tokens that it says it took, at their price.

Answers are read as openai, anthropic and what is like them carry their usage: ``answer.usage`` or
``answer["usage"]``. Only instances' own dicts are looked at, so that none of the program's code runs.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from prunella.sdk.counters import count

#: Model to dollars per million tokens, sent and received; ``*`` stands for all others.
Prices = Mapping[str, tuple[float, float]]
_SENT, _RECEIVED = ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")
#: Tokens of one answer; more is no count.
_MOST = 10**9


def prices_of(text: str) -> Prices:
    """Return the prices of a setting: ``large=2.00/8.00, *=0.10/0.40``.

    What can't be read is left out and counted, as ``llm_prices_refused``.
    """
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        model, _, price = part.rpartition("=")
        try:
            sent, received = (float(number) for number in price.split("/"))
        except ValueError:
            sent = received = -1.0
        if model and all(isfinite(number) and number >= 0 for number in (sent, received)):
            found[model.strip()] = (sent, received)
        else:
            count("llm_prices_refused")
    return found


def cost_of(answer: Any, prices: Prices) -> float | None:
    """Return what an answer has cost, ``None`` where that isn't known.

    In millionths of a dollar where there are prices, and in tokens where there are none: limits
    compare costs of calls with each other, and never with dollars.
    """
    usage = _part(answer, "usage")
    tokens = [_tokens(usage, names) for names in (_SENT, _RECEIVED)]
    if usage is None or tokens[0] is None or tokens[1] is None:
        return None
    if not prices:
        return float(tokens[0] + tokens[1])
    model = _part(answer, "model")
    price = prices.get(model if type(model) is str else "") or prices.get("*")
    return None if price is None else tokens[0] * price[0] + tokens[1] * price[1]


def _tokens(usage: Any, names: tuple[str, ...]) -> int | None:
    for name in names:
        number = _part(usage, name)
        if type(number) is int and 0 <= number < _MOST:
            return number
    return None


def _part(thing: Any, name: str) -> Any:
    if type(thing) is dict:
        return thing.get(name)
    try:
        own = object.__getattribute__(thing, "__dict__")
    except Exception:  # noqa: BLE001 - slots only, or a class that hides it
        return None
    return own.get(name) if type(own) is dict else None
