"""Retry: when it calls again, how long it waits, and what makes it stop."""

from types import SimpleNamespace
from typing import Any

import pytest

from interpreted import Place, Scene, fix
from prunella.fixes import Outcome, TokenBucket, misfit, parse
from prunella.fixes.budgets import layers


def slow() -> TimeoutError:
    return TimeoutError("slow")


class HttpError(ConnectionError):
    """As httpx, requests, openai and anthropic raise it."""

    def __init__(self, **headers: str) -> None:
        super().__init__("503")
        self.response = SimpleNamespace(
            headers={k.replace("_", "-"): v for k, v in headers.items()}
        )


def test_waits_grow_up_to_the_longest() -> None:
    """Without jitter each wait is the one before, times the base, up to the longest."""
    scene = Scene(fix("retry", max_retries=5, initial_delay_ms=100, exponential_base=3,
                      max_delay_ms=1_000, jitter=False))  # fmt: skip
    assert scene.call([slow() for _ in range(5)] + ["sun"]).outcome == Outcome("sun")
    assert scene.waits == [0.1, 0.3, 0.9, 1.0, 1.0]


def test_jitter_is_full() -> None:
    """With jitter a wait is anything from nothing to the whole, as chance says."""
    for chance in (0.0, 0.25, 1.0):
        scene = Scene(fix("retry", initial_delay_ms=1_000), random=lambda: chance)  # noqa: B023 - used at once
        scene.call([slow(), "sun"])
        assert scene.waits == [chance]


def test_gives_up_after_its_retries() -> None:
    """The last error reaches the caller."""
    last = TimeoutError("last")
    scene = Scene(fix("retry", max_retries=2))
    finished = scene.call([slow(), slow(), last])
    assert finished.outcome.error is last
    assert finished.masked is None
    assert len(scene.attempts) == 3


@pytest.mark.parametrize(
    ("config", "target", "error", "retried"),
    [
        ({}, None, TimeoutError(), True),
        ({}, None, ConnectionResetError(), True),
        ({}, None, KeyError("a bug"), False),
        ({"retry_on": ["KeyError"]}, None, KeyError("a bug"), True),
        ({"retry_on": ["builtins.LookupError"]}, None, KeyError("a bug"), True),
        ({"retry_on": ["KeyError"]}, None, TimeoutError(), False),
        ({"retry_on": ["NET.*"]}, None, ConnectionResetError(), True),
        ({"retry_on": ["NET.*"]}, None, TimeoutError(), False),
        ({}, {"error_codes": ["TOOL.EXECUTION.TIMEOUT"]}, TimeoutError(), True),
        ({}, {"error_codes": ["TOOL.EXECUTION.TIMEOUT"]}, ConnectionError(), False),
        ({"retry_on": ["Exception"]}, None, RecursionError(), False),
        ({"retry_on": ["BaseException"]}, None, KeyboardInterrupt(), False),
        ({"retry_on": ["BaseException"]}, None, GeneratorExit(), False),
        ({"retry_on": ["BaseException"]}, None, SystemExit(), False),
    ],
)
def test_retries_what_is_meant(
    config: dict[str, Any], target: Any, error: BaseException, retried: bool
) -> None:
    """Transient errors, or those that are named; never cancellation and the ends of the program."""
    scene = Scene(fix("retry", target=target, **config))
    finished = scene.call([error, "sun"])
    assert (finished.outcome.error is None) is retried
    assert scene.counts().triggers == retried


def test_no_retry_begins_after_the_deadline() -> None:
    """The time of the attempts counts too."""
    scene = Scene(fix("retry", max_retries=20, initial_delay_ms=1_000, exponential_base=1,
                      jitter=False, deadline_ms=10_000, budget={"burst": 50}))  # fmt: skip
    scene.took_s = 2.0
    began_s = scene.now_s
    scene.call([slow() for _ in range(20)])
    assert len(scene.attempts) == 4
    assert scene.now_s - began_s <= 12
    assert scene.counts().latest["skipped"] == "the deadline would have passed"


def test_a_site_has_a_budget() -> None:
    """Under an outage retries are a share of the calls, however many each call may make."""
    budget = {"ratio": 0.1, "per_second": 0, "burst": 10}
    scene = Scene(fix("retry", max_retries=3, initial_delay_ms=0, budget=budget))
    for _ in range(200):
        scene.call([slow() for _ in range(4)])
    assert 200 < len(scene.attempts) <= 200 + 10 + 20


def test_the_process_has_a_budget() -> None:
    """Over all sites together; what a site took out for nothing, it gets back."""
    world = TokenBucket(ratio=0, per_second=0, burst=3, now_s=0)
    scene = Scene(fix("retry", max_retries=3, initial_delay_ms=0), budget=world)
    for _ in range(5):
        scene.call([slow() for _ in range(4)])
    assert len(scene.attempts) == 5 + 3
    assert scene.counts().latest["skipped"] == "the process's retry budget is spent"


def test_seconds_earn_retries_too() -> None:
    """A site that is called rarely can always retry."""
    bucket = TokenBucket(ratio=0, per_second=0.5, burst=2, now_s=0)
    assert [bucket.take(0), bucket.take(0), bucket.take(0)] == [True, True, False]
    assert bucket.take(1) is False
    assert bucket.take(2) is True
    assert [bucket.take(1_000) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"Retry_After": "7"}, 7.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after": "Thu, 01 Jan 2026 00:00:09 GMT"}, 8.999),
        ({"retry_after": "soon"}, 0.0),
        ({"retry_after": "nan"}, 0.0),
        ({"retry_after": "-3"}, 0.0),
        ({}, 0.0),
    ],
)
def test_waits_as_long_as_the_server_asks(headers: dict[str, str], wait_s: float) -> None:
    """``Retry-After`` in seconds, milliseconds or as a date; nonsense says nothing."""
    scene = Scene(fix("retry", initial_delay_ms=0))
    assert scene.call([HttpError(**headers), "sun"]).outcome.value == "sun"
    assert scene.waits == [wait_s]


def test_does_not_wait_longer_than_it_may() -> None:
    """A server that asks for more than the longest wait isn't asked again."""
    scene = Scene(fix("retry", max_delay_ms=5_000))
    assert scene.call([HttpError(retry_after="3600"), "sun"]).outcome.error is not None
    assert scene.waits == []


def test_an_idempotent_site_or_an_approval() -> None:
    """Without either a retry doesn't fit, and says so."""
    place = Place(idempotent=False)
    assert "idempotent" in misfit(parse(fix("retry")), place)
    assert misfit(parse(fix("retry", approved_non_idempotent=True)), place) == ""
    assert misfit(parse(fix("retry")), Place()) == ""


def test_layers_do_not_multiply() -> None:
    """A retry around a retry makes no more attempts than the greater of the two."""
    inner = Scene(fix("retry", max_retries=3, initial_delay_ms=0))
    outer = Scene(fix("retry", max_retries=3, initial_delay_ms=0))

    def ask(**_: Any) -> Any:
        error = inner.call([TimeoutError()] * 9).outcome.error
        assert error is not None
        raise error

    outer.call(ask)
    assert len(inner.attempts) == 4
    assert layers.get() is None


def test_layers_share_what_is_left() -> None:
    """An inner layer that comes into play during a retry gets only what the outer has left."""
    inner = Scene(fix("retry", max_retries=9, initial_delay_ms=0, budget={"burst": 99}))
    outer = Scene(fix("retry", max_retries=3, initial_delay_ms=0))
    calls = []

    def ask(**_: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise TimeoutError("before the inner layer")
        error = inner.call([TimeoutError()] * 20).outcome.error
        assert error is not None
        raise error

    outer.call(ask)
    assert len(calls) == 2
    assert len(inner.attempts) == 3


def test_a_foreign_layer_below_counts() -> None:
    """What tenacity has retried already isn't multiplied either."""

    class RetryError(TimeoutError):
        def __init__(self, attempts: int) -> None:
            super().__init__("gave up")
            self.last_attempt = SimpleNamespace(attempt_number=attempts)

    scene = Scene(fix("retry", max_retries=3))
    scene.call([RetryError(4), "sun"])
    assert len(scene.attempts) == 1
    scene.call([RetryError(2), "sun"])
    assert len(scene.attempts) == 3


def test_a_call_that_is_called_off_while_it_waits_ends() -> None:
    """Cancellation during a wait reaches the caller."""
    scene = Scene(fix("retry"))
    stop = KeyboardInterrupt()
    original = scene._do
    scene._do = lambda step, answers: (  # type: ignore[method-assign]  # the wait is interrupted
        Outcome(error=stop) if type(step).__name__ == "Sleep" else original(step, answers)
    )
    assert scene.call([slow(), "sun"]).outcome.error is stop


def test_an_error_object_may_be_raised_again() -> None:
    """What an earlier call left on an error says nothing about this one."""
    scene = Scene(fix("retry", max_retries=1, initial_delay_ms=0))
    error = slow()
    for _ in range(3):
        scene.call([error, error])
    assert len(scene.attempts) == 6
