"""What is known of an error before the taxonomy has a say: its class's name, whether it may pass."""

from typing import NamedTuple


class Named(NamedTuple):
    """An error's code and whether it may pass by itself."""

    code: str
    transient: bool


def classify(error: BaseException) -> Named:
    """Return the class's name as the code; transient are timeouts and lost connections."""
    return Named(type(error).__name__, isinstance(error, (TimeoutError, ConnectionError)))
