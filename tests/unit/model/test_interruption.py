"""Errors of signal handlers are told from those of our own code."""

import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from prunella.model.interruption import pass_on


class Late(Exception):
    """A time limit."""


def plain(number: int, frame: object) -> None:
    raise Late


class Watch:
    def method(self, number: int, frame: object) -> None:
        raise Late

    def __call__(self, number: int, frame: object) -> None:
        raise Late


HANDLERS = [plain, Watch().method, Watch(), partial(plain), partial(Watch())]


@pytest.fixture(params=HANDLERS)
def handler(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Put a handler in force for SIGUSR1."""
    before = signal.signal(signal.SIGUSR1, request.param)
    yield request.param
    signal.signal(signal.SIGUSR1, before)


def test_an_error_of_a_handler_is_raised_again(handler: Callable[..., Any]) -> None:
    """Whatever sort of callable the handler is, its error passes a guard."""

    def guarded() -> None:
        try:
            signal.raise_signal(signal.SIGUSR1)
        except Exception as error:  # noqa: BLE001 - a guard
            pass_on(error)

    with pytest.raises(Late):
        guarded()


def test_other_errors_stay_with_the_guard(handler: Callable[..., Any]) -> None:
    """An error of the same class that no handler raised isn't passed on."""

    def guarded(error: Exception) -> None:
        try:
            raise error
        except Exception as caught:  # noqa: BLE001 - a guard
            pass_on(caught)

    guarded(Late())
    guarded(RecursionError())
    pass_on(Late())
