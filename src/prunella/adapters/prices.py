"""What a language model's tokens cost: the project's own price, or the known list price.

List prices come with the client library and are as old as its release; nothing is looked up over
the network.
"""

import math
from collections.abc import Callable

from prunella.model.errors import ConfigurationError
from prunella.model.settings import Settings

#: ``(tokens sent, tokens received)`` → dollars; ``None`` where no price is known.
Price = Callable[[int, int], float | None]


def price_of(model: str, settings: Settings) -> Price:
    """Return the price of ``provider:model``.

    The setting ``model_price`` wins over list prices. Raises `ConfigurationError` where it is no
    pair of prices.
    """
    if settings.model_price:
        return _own(settings.model_price)
    provider, _, name = model.partition(":")
    return lambda sent, received: _listed(provider, name, sent, received)


def _own(text: str) -> Price:
    parts = text.split("/")
    try:
        dollars = [float(part) for part in parts]
    except ValueError:
        dollars = []
    if len(dollars) != 2 or not all(math.isfinite(item) and item >= 0 for item in dollars):
        raise ConfigurationError(
            f"model_price: {text!r} is no price; write dollars per million tokens sent and "
            "received, such as 2.00/8.00"
        )
    return lambda sent, received: (sent * dollars[0] + received * dollars[1]) / 1_000_000


def _listed(provider: str, name: str, sent: int, received: int) -> float | None:
    try:
        from pydantic_ai.messages import ModelResponse
        from pydantic_ai.usage import RequestUsage
    except ImportError:
        return None
    usage = RequestUsage(input_tokens=sent, output_tokens=received)
    response = ModelResponse(parts=[], usage=usage, model_name=name, provider_name=provider)
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return None
