"""The traps of exception hierarchies, one by one, with the real classes."""

import asyncio
import concurrent.futures
import json

import anthropic
import httpx
import openai
import pydantic
import pytest
import requests
import sqlalchemy.exc

from prunella.taxonomy import CODES, classify

REQUEST = httpx.Request("GET", "http://localhost")
OPENAI_REQUEST = openai.OpenAI(api_key="none")._client.build_request("GET", "http://localhost")


def code_of(error, kind="function"):
    return classify(error, kind=kind).code.code


class Person(pydantic.BaseModel):
    name: str


def raised(run):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the case raises
        run()
    return caught.value


def test_a_timeout_while_connecting_is_a_timeout():
    """requests.ConnectTimeout is a ConnectionError and a Timeout: the own class decides."""
    assert isinstance(requests.ConnectTimeout(), requests.ConnectionError)
    assert code_of(requests.ConnectTimeout()) == "NET.CONNECTION.TIMEOUT"
    assert code_of(requests.ReadTimeout()) == "NET.READ.TIMEOUT"
    assert code_of(requests.Timeout()) == "NET.IO.TIMEOUT"


@pytest.mark.parametrize("cls", [requests.ConnectionError, requests.HTTPError, requests.Timeout])
def test_exceptions_of_requests_are_no_failures_of_the_system(cls):
    """requests' exceptions are OSErrors, and never classified as such."""
    assert issubclass(cls, OSError)
    assert CODES[code_of(cls("no"))].module in {"NET", "HTTP"}


def test_malformed_data_is_no_wrong_argument():
    """JSONDecodeError and pydantic.ValidationError are ValueErrors, and no invalid arguments."""
    for error in (raised(lambda: json.loads("{")), raised(lambda: Person(name=1))):
        assert isinstance(error, ValueError)
        assert code_of(error).startswith("OUTPUT.")


def test_timeouts_that_are_none_of_pythons():
    """sqlalchemy.TimeoutError isn't the builtin: no connection of its pool became free."""
    assert not isinstance(sqlalchemy.exc.TimeoutError(), TimeoutError)
    assert code_of(sqlalchemy.exc.TimeoutError("QueuePool limit")) == "DB.CONNECTION.LIMIT"


@pytest.mark.parametrize("library", [openai, anthropic])
def test_a_model_that_takes_too_long_can_be_reached(library):
    """APITimeoutError subclasses APIConnectionError, and is a timeout."""
    assert issubclass(library.APITimeoutError, library.APIConnectionError)
    assert code_of(library.APITimeoutError(OPENAI_REQUEST)) == "LLM.CALL.TIMEOUT"
    assert code_of(library.APIConnectionError(request=OPENAI_REQUEST)) == "LLM.CALL.CONNECTION"


@pytest.mark.parametrize("kind", ["function", "tool", "llm", "agent"])
@pytest.mark.parametrize("error", [asyncio.CancelledError(), concurrent.futures.CancelledError()])
def test_cancelled_calls_are_never_healed(error, kind):
    """What was called off has a code at every kind of site, and no fix heals it."""
    found = classify(error, kind=kind).code
    assert (found.code, found.transient, found.healable_by) == ("SYS.CALL.CANCELLED", False, ())


def test_a_deadline_is_no_cancellation():
    """asyncio.timeout turns a cancellation into a TimeoutError: its cause doesn't count."""

    async def waits():
        async with asyncio.timeout(0):
            await asyncio.sleep(1)

    error = raised(lambda: asyncio.run(waits()))
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert code_of(error) == "SYS.TIME.DEADLINE"


def test_the_same_status_is_another_failure_for_a_model():
    """429 of a service is a rate limit; of a model, one of the model's, or the end of the credit."""
    response = httpx.Response(429, request=REQUEST)
    assert (
        code_of(httpx.HTTPStatusError("", request=REQUEST, response=response)) == "HTTP.LIMIT.RATE"
    )
    assert code_of(openai.RateLimitError("", response=response, body=None)) == "LLM.LIMIT.RATE"
    spent = {"code": "insufficient_quota"}
    error = openai.RateLimitError("", response=response, body=spent)
    assert code_of(error) == "LLM.LIMIT.QUOTA"
    assert not CODES["LLM.LIMIT.QUOTA"].transient


def test_a_class_of_the_programs_own_is_what_caused_it():
    """An exception that nobody knows is named after what the program says caused it."""

    class WeatherUnknown(Exception):
        pass

    error = WeatherUnknown("no weather")
    assert code_of(error) == "CODE.LOGIC.UNCLASSIFIED"
    assert "WeatherUnknown" in classify(error).because
    error.__cause__ = httpx.ReadTimeout("")
    assert code_of(error) == "NET.READ.TIMEOUT"


def test_what_was_being_handled_names_only_what_is_outside():
    """Without ``from``, a failure outside names an exception; the program's own slips don't."""

    class NotFound(Exception):
        pass

    error = NotFound("no such article")
    error.__context__ = KeyError("article")
    assert code_of(error) == "CODE.LOGIC.UNCLASSIFIED"
    error.__context__ = ConnectionRefusedError(111, "no")
    assert code_of(error) == "NET.CONNECTION.REFUSED"
    error.__suppress_context__ = True
    assert code_of(error) == "CODE.LOGIC.UNCLASSIFIED"


def test_a_specific_class_goes_before_its_cause():
    """What is known well isn't renamed after its cause."""
    error = KeyError("price")
    error.__cause__ = ConnectionRefusedError(111, "no")
    assert code_of(error) == "CODE.KEY.MISSING"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("function", "NET.READ.TIMEOUT"),
        ("tool", "TOOL.EXECUTION.TIMEOUT"),
        ("llm", "LLM.CALL.TIMEOUT"),
        ("agent", "AGENT.RUN.TIMEOUT"),
        ("nobody knows", "NET.READ.TIMEOUT"),
    ],
)
def test_a_timeout_is_called_after_its_site(kind, code):
    """The kind of a site decides whose timeout it is; the reason keeps what it was."""
    found = classify(httpx.ReadTimeout(""), kind=kind)
    assert found.code.code == code
    assert code == "NET.READ.TIMEOUT" or found.because.startswith("NET.READ.TIMEOUT")


def test_a_group_is_its_first_member():
    """Several failures of tasks at once are named after the first."""
    assert code_of(ExceptionGroup("two", [KeyError("a"), TimeoutError()])) == "CODE.KEY.MISSING"


def _caused(error, cause):
    error.__cause__ = cause
    return error


def _carrying(error, **attributes):
    error.__dict__.update(attributes)
    return error


@pytest.mark.parametrize(
    ("errors", "codes"),
    [
        (
            [RuntimeError("no rate"), _carrying(RuntimeError("no rate"), status_code=503)],
            ["CODE.STATE.INVALID", "HTTP.SERVER.UNAVAILABLE"],
        ),
        (
            [RuntimeError("no rate"), _caused(RuntimeError("no rate"), ConnectionResetError(104, "x"))],
            ["CODE.STATE.INVALID", "NET.CONNECTION.RESET"],
        ),
        ([OSError(28, "x"), OSError(2, "x")], ["SYS.DISK.FULL", "SYS.FILE.NOT_FOUND"]),
        (
            [ValueError("invalid literal for int()"), ValueError("no")],
            ["CODE.VALUE.CONVERSION", "CODE.VALUE.INVALID"],
        ),
    ],
)  # fmt: skip
def test_what_was_seen_before_is_only_what_looks_the_same(errors, codes):
    """An exception is what it is, whatever others of its class and message were before it."""
    for _ in range(2):
        assert [classify(error).code.code for error in errors] == codes
