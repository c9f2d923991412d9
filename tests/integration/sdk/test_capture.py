"""What `@heal` writes for calls that return and calls that fail."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any

import pytest

from prunella import flush, heal
from prunella.codec import decode, entries
from prunella.model.records import Call, Counts, Ending, Occurrence, Process, Repeat, Site
from prunella.sdk import background
from prunella.sdk.counters import counters
from prunella.sdk.runtime import set_drain

from .conftest import Recorded


def inputs(record: Call | Occurrence) -> dict[str, Any]:
    value = decode(record.inputs)
    assert isinstance(value, dict)
    return value


class Basket:
    """A class whose methods are under observation."""

    def __init__(self, prices: list[int]) -> None:
        self.prices = prices

    @heal
    def total(self, factor: int = 1) -> int:
        return sum(self.prices) * factor

    @heal
    @classmethod
    def empty(cls) -> "Basket":
        return cls([])

    @staticmethod
    @heal
    def half(value: int) -> float:
        return value / 2


def test_a_script_of_five_calls_leaves_five_records(recorded: Recorded) -> None:
    """Every one of the first few calls is recorded, with its inputs and its result."""

    @heal
    def double(value: int) -> int:
        return value * 2

    for number in range(5):
        double(number)
    calls = recorded.all(Call)
    assert [inputs(call) for call in calls] == [{"value": number} for number in range(5)]
    assert [call.result for call in calls] == [0, 2, 4, 6, 8]
    assert all(call.complete and call.duration_us >= 0 for call in calls)
    assert {call.process_id for call in calls} == {recorded.one(Process).process_id}


def test_the_site_stands_before_what_refers_to_it(recorded: Recorded) -> None:
    """A reader that goes from the beginning knows every process and site it meets."""

    @heal(kind="tool")
    def look_up(name: str, *rest: int, exact: bool = True, **more: int) -> str:
        return name

    look_up("a")
    kinds = [type(record) for record in recorded_kinds(recorded)]
    assert kinds == [Process, Site, Call]
    site = recorded.one(Site)
    assert site.qualname.endswith("look_up")
    assert site.parameters == ("name", "*rest", "exact", "**more")
    assert site.kind == "tool"
    assert site.source is not None
    assert "def look_up" in site.source
    assert len(site.source_hash) == 16


def recorded_kinds(recorded: Recorded) -> list[Any]:
    from .conftest import read_spool

    return list(read_spool(recorded.root))


def test_a_failure_is_written_before_the_caller_sees_it(recorded: Recorded) -> None:
    """When the exception arrives, its record is in the spool; the exception is the very same."""
    raised = ZeroDivisionError("by zero")

    @heal
    def fail(a: int) -> None:
        raise raised

    with pytest.raises(ZeroDivisionError) as caught:
        fail(7)
    assert caught.value is raised
    assert vars(raised) == {}
    occurrence = recorded.one(Occurrence)
    assert inputs(occurrence) == {"a": 7}
    assert occurrence.complete
    assert occurrence.ending is Ending.ERROR
    assert occurrence.exception.type == "builtins:ZeroDivisionError"
    assert occurrence.exception.message == "by zero"


def test_the_wrapper_leaves_no_frame_in_tracebacks(recorded: Recorded) -> None:
    """A traceback looks as it does without `@heal`."""

    @heal
    def inner() -> None:
        raise ValueError

    @heal
    def outer() -> Iterator[None]:
        yield
        inner()

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it has no message
        list(outer())
    names = [entry.frame.code.name for entry in caught.traceback]
    assert names == ["test_the_wrapper_leaves_no_frame_in_tracebacks", "outer", "inner"]


def test_inputs_are_those_before_the_call(recorded: Recorded) -> None:
    """What a function does to its arguments isn't in its inputs."""

    @heal
    def consume(items: list[int]) -> int:
        return items.pop() + items.pop()

    assert consume([1, 2]) == 3
    with pytest.raises(IndexError):
        consume([1])
    assert inputs(recorded.one(Call)) == {"items": [1, 2]}
    assert inputs(recorded.one(Occurrence)) == {"items": [1]}


def test_an_unwatched_failure_shows_only_what_cannot_have_changed(
    recorded: Recorded, exhaust: Callable[[], None]
) -> None:
    """Scalars are the inputs they were; a list may have changed, which is said."""

    @heal
    def take(index: int, items: list[int], **named: int) -> int:
        items.append(0)
        return items[index]

    busy(take, exhaust, 0, [1])
    with pytest.raises(IndexError):
        take(9, [], extra=1)
    occurrence = recorded.all(Occurrence)[0]
    assert not occurrence.complete
    tree = dict(entries(occurrence.inputs))
    assert tree["index"] == 9
    assert tree["items"] == ["?", "builtins:list", "not read before the call"]
    assert tree["**named"] == ["d", "extra", 1]


def test_an_unwatched_failure_with_plain_arguments_is_complete(
    recorded: Recorded, exhaust: Callable[[], None]
) -> None:
    """Immutable arguments make the very first failure of a busy site replayable."""

    @heal
    def divide(a: int, b: tuple[int, ...]) -> float:
        return a / b[0]

    busy(divide, exhaust, 1, (2,))
    with pytest.raises(ZeroDivisionError):
        divide(1, (0,))
    occurrence = recorded.one(Occurrence)
    assert occurrence.complete
    assert inputs(occurrence) == {"a": 1, "b": (0,)}


def test_a_site_that_failed_is_armed(recorded: Recorded, exhaust: Callable[[], None]) -> None:
    """The next failure of a busy site has its inputs, as they were before the call."""

    @heal
    def take(index: int, items: list[int]) -> int:
        items.append(0)
        return items[index]

    busy(take, exhaust, 0, [1])
    for _ in range(2):
        with pytest.raises(IndexError):
            take(9, [5])
    first, second = recorded.all(Occurrence)
    assert not first.complete
    assert second.complete
    assert inputs(second) == {"index": 9, "items": [5]}


def busy(function: Callable[..., Any], exhaust: Callable[[], None], *arguments: Any) -> None:
    """Bring a site into the state of one that is called all the time."""
    function(*arguments)
    exhaust()
    for _ in range(3):
        function(*arguments)


def test_every_failure_counts_and_powers_of_two_are_described(recorded: Recorded) -> None:
    """The 1st, 2nd, 4th, 8th … alike failure carries context; all others are counted one by one."""

    @heal
    def fail(number: int) -> None:
        raise ValueError(f"number {number}")

    for number in range(100):
        with pytest.raises(ValueError, match="number"):
            fail(number)
    occurrences = recorded.all(Occurrence)
    repeats = recorded.all(Repeat)
    assert [inputs(o)["number"] + 1 for o in occurrences] == [1, 2, 4, 8, 16, 32, 64]
    assert sum(repeat.count for repeat in repeats) == 93
    assert {r.group for r in repeats} == {o.group for o in occurrences}


def test_different_failures_are_all_described(recorded: Recorded) -> None:
    """Another type, place, cause or kind of message is another group."""

    @heal
    def fail(how: int) -> None:
        if how == 0:
            raise ValueError("a word")
        if how == 1:
            raise ValueError("a word")
        if how == 2:
            raise KeyError("a word")
        try:
            int("x" if how == 3 else None)  # type: ignore[arg-type]  # meant
        except (ValueError, TypeError) as error:
            raise RuntimeError(how) from error

    for _ in range(3):
        for how in range(5):
            with pytest.raises((ValueError, KeyError, RuntimeError)):
                fail(how)
    assert len({occurrence.group for occurrence in recorded.all(Occurrence)}) == 5


def test_messages_that_begin_differently_are_told_apart(recorded: Recorded) -> None:
    """One ``raise`` statement with several meanings makes several groups, a bounded number."""

    @heal
    def fail(message: str) -> None:
        raise ValueError(message)

    for message in ("bad unit", "bad sign", "bad unit"):
        with pytest.raises(ValueError, match="bad"):
            fail(message)
    assert len({o.group for o in recorded.all(Occurrence)}) == 2
    for number in range(100):
        with pytest.raises(ValueError, match="word"):
            fail("".join(chr(ord("a") + int(digit)) for digit in str(number)) + " word")
    assert len({o.group for o in recorded.all(Occurrence)}) < 25


def test_nested_sites_make_one_incident(recorded: Recorded) -> None:
    """An exception that passes several sites is an error of the innermost one only."""

    @heal
    def inner(value: int) -> float:
        return 1 / value

    @heal
    def outer(value: int) -> float:
        return inner(value)

    with pytest.raises(ZeroDivisionError):
        outer(0)
    flush()
    direct = [o for o in recorded.all(Occurrence) if o.caused_by is None]
    assert [o.site_id.split(".")[-1] for o in direct] == ["inner"]
    errors = {
        site.split(".")[-1]: n["errors"] for site, n in recorded.all(Counts)[-1].sites.items()
    }
    assert errors == {"inner": 1, "outer": 0}


def test_a_failure_below_another_decorator_is_recorded(recorded: Recorded) -> None:
    """The function that is found below is no call that the site made; a recursion still is."""

    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def inside(*arguments: Any) -> Any:
            return function(*arguments)

        return inside

    @heal
    @plain
    def count_down(number: int) -> float:
        return 1 / number if number < 1 else count_down(number - 1)

    for number in (0, 0, 0, 1):
        with pytest.raises(ZeroDivisionError):
            count_down(number)
    flush()
    ((counts),) = recorded.all(Counts)[-1].sites.values()
    assert counts["errors"] == 4
    assert len(recorded.all(Occurrence)) + len(recorded.all(Repeat)) == 4


def test_an_outer_site_says_what_its_call_failed_of(recorded: Recorded) -> None:
    """The caller's call can be replayed too, and refers to the occurrence inside."""

    @heal
    def inner(value: int) -> float:
        return 1 / value

    @heal
    def outer(value: int) -> float:
        return inner(value - 1)

    with pytest.raises(ZeroDivisionError):
        outer(1)
    first, second = recorded.all(Occurrence)
    assert second.caused_by == first.occurrence_id
    assert inputs(second) == {"value": 1}
    assert first.parent_id == second.call_id
    assert first.trace_id == second.trace_id


def test_an_exception_that_is_kept_and_raised_again_counts_each_time(recorded: Recorded) -> None:
    """The frames of an exception object's earlier lives don't hide a new failure."""
    kept = ValueError("always the same")

    @heal
    def fail() -> None:
        raise kept

    for _ in range(20):
        with pytest.raises(ValueError, match="same"):
            fail()
    flush()
    ((counts),) = recorded.all(Counts)[-1].sites.values()
    assert counts["errors"] == 20


def test_methods_record_self_and_class(recorded: Recorded) -> None:
    """Instance, class and static methods work under and over their decorators."""
    basket = Basket([1, 2])
    assert basket.total(factor=2) == 6
    assert Basket.half(3) == 1.5
    assert isinstance(Basket.empty(), Basket)
    by_name = {call.site_id.rpartition(".")[2]: call for call in recorded.all(Call)}
    assert inputs(by_name["half"]) == {"value": 3}
    tree = dict(entries(by_name["total"].inputs))
    assert tree["factor"] == 2
    assert tree["self"][0] == "o"
    assert inputs(by_name["empty"]) == {"cls": Basket}


def test_arguments_may_be_called_like_our_fields(recorded: Recorded) -> None:
    """Names that Prunella uses itself are arguments like others."""

    @heal
    def odd(self: int, status: int, *, error: int, running: int = 4, **kwargs: int) -> int:
        return self + status + error + running + sum(kwargs.values())

    @heal
    def odder(_prunella_left: int, __prunella_function: int = 2) -> int:
        return _prunella_left + __prunella_function

    assert odd(1, 2, error=3, function=5, values=6, inputs=7) == 28
    assert odder(1) == 3
    first, second = recorded.all(Call)
    assert inputs(first) == {
        "self": 1,
        "status": 2,
        "error": 3,
        "running": 4,
        "**kwargs": {"function": 5, "values": 6, "inputs": 7},
    }
    assert inputs(second) == {"_prunella_left": 1, "__prunella_function": 2}


def test_coroutines_are_recorded_when_they_end(recorded: Recorded) -> None:
    """Result, failure and cancellation of a coroutine are those of its body."""

    @heal
    async def work(value: int) -> int:
        await asyncio.sleep(0)
        if value < 0:
            await asyncio.sleep(60)
        return 10 // value

    async def drive() -> None:
        assert await work(2) == 5
        with pytest.raises(ZeroDivisionError):
            await work(0)
        task = asyncio.create_task(work(-1))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(drive())
    assert recorded.one(Call).result == 5
    error, cancelled = recorded.all(Occurrence)
    assert error.ending is Ending.ERROR
    assert cancelled.ending is Ending.CANCELLED
    assert inputs(cancelled) == {"value": -1}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_are_recorded_as_such(recorded: Recorded, error: type[BaseException]) -> None:
    """Who ends a program is no error, never a success, and arms nothing."""

    @heal
    def stop() -> None:
        raise error

    with pytest.raises(error):
        stop()
    flush()
    assert recorded.one(Occurrence).ending is Ending.INTERRUPTED
    assert recorded.all(Call) == []
    ((counts),) = recorded.all(Counts)[-1].sites.values()
    assert counts["errors"] == 0


def test_generators_record_what_they_yielded(recorded: Recorded) -> None:
    """A success keeps the list of values, a failure those before it, as they were when yielded."""

    @heal
    def count(limit: int) -> Iterator[list[int]]:
        for number in range(limit):
            yield [number]
        if limit == 2:
            raise LookupError("no more")

    for value in count(3):
        value.append(99)
    with pytest.raises(LookupError):
        list(count(2))
    assert decode(recorded.one(Call).result) == [[0], [1], [2]]
    assert decode(recorded.one(Occurrence).yielded) == [[0], [1]]


def test_generators_take_values_and_exceptions(recorded: Recorded) -> None:
    """`send`, `throw`, `close` and the returned value reach the generator as ever."""

    @heal
    def echo() -> Iterator[Any]:
        got = None
        try:
            while got != "end":
                try:
                    got = yield got
                except KeyError:
                    got = "key"
        finally:
            done.append(True)
        return "returned"

    for _ in range(8):  # sampled and not
        done: list[bool] = []
        generator: Any = echo()
        assert next(generator) is None
        assert generator.send(1) == 1
        assert generator.throw(KeyError()) == "key"
        with pytest.raises(StopIteration) as stopped:
            generator.send("end")
        assert stopped.value.value == "returned"
        assert done == [True]
        closing: Any = echo()
        next(closing)
        closing.close()
        assert done == [True, True]


def test_a_generator_left_early_is_interrupted(recorded: Recorded) -> None:
    """Its consumer went away: neither a success nor an error."""

    @heal
    def count() -> Iterator[int]:
        yield 1
        yield 2

    generator: Any = count()
    next(generator)
    generator.close()
    occurrence = recorded.one(Occurrence)
    assert occurrence.ending is Ending.INTERRUPTED
    assert decode(occurrence.yielded) == [1]


def test_async_generators_record_what_they_yielded(recorded: Recorded) -> None:
    """As generators; and `asend`, `athrow`, `aclose` reach them."""

    @heal
    async def count(limit: int) -> AsyncIterator[int]:
        for number in range(limit):
            await asyncio.sleep(0)
            yield number
        if limit == 2:
            raise LookupError("no more")

    @heal
    async def echo() -> AsyncIterator[Any]:
        got = None
        while True:
            try:
                got = yield got
            except KeyError:
                got = "key"

    async def drive() -> None:
        assert [value async for value in count(3)] == [0, 1, 2]
        with pytest.raises(LookupError):
            [value async for value in count(2)]
        for _ in range(8):
            generator: Any = echo()
            assert await anext(generator) is None
            assert await generator.asend(1) == 1
            assert await generator.athrow(KeyError()) == "key"
            await generator.aclose()

    asyncio.run(drive())
    assert decode(recorded.all(Call)[0].result) == [0, 1, 2]
    failed = [o for o in recorded.all(Occurrence) if o.ending is Ending.ERROR]
    assert decode(failed[0].yielded) == [0, 1]


def test_boundary_calls_of_a_failing_call_are_known(recorded: Recorded) -> None:
    """The answers that a failing call got from outside are recorded, to stand in at replay."""

    @heal(boundary=True)
    def fetch(name: str) -> int:
        return len(name)

    @heal
    def compute(names: list[str]) -> float:
        return 1 / sum(fetch(name) - 1 for name in names)

    for _ in range(8):
        compute(["ab", "abc"])
    with pytest.raises(ZeroDivisionError):
        compute(["a", "b"])
    failure = recorded.one(Occurrence)
    children = [call for call in recorded.all(Call) if call.parent_id == failure.call_id]
    assert [(inputs(call)["name"], call.result) for call in children] == [("a", 1), ("b", 1)]


def test_capture_errors_keeps_no_success(recorded: Recorded) -> None:
    """``capture="errors"`` records failures, with inputs, and nothing else."""

    @heal(capture="errors")
    def divide(a: int, b: int) -> float:
        return a / b

    divide(1, 2)
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)
    assert recorded.all(Call) == []
    assert recorded.one(Occurrence).complete


def test_secrets_stay_out(recorded: Recorded) -> None:
    """Neither inputs, locals, messages nor the program's arguments carry a secret."""
    secret = "hunter2-hunter2-hunter2"  # noqa: S105 - meant
    token = "ghp_" + "a1B2" * 9

    @heal(redact=["recipe"])
    def log_in(password: str, recipe: str) -> None:
        credentials = {"api_key": password, "note": token}
        raise ValueError(f"refused: {token}", credentials)

    with pytest.raises(ValueError, match="refused"):
        log_in(secret, "butter and sugar")
    for path in (recorded.root / ".prunella").rglob("*.jsonl"):
        data = path.read_bytes()
        for word in (secret, token, "butter and sugar"):
            assert word.encode() not in data
    assert not recorded.one(Occurrence).complete


def test_an_exception_that_refuses_to_be_looked_at_reaches_the_caller(recorded: Recorded) -> None:
    """It is counted as dropped, and is no fault that switches recording off."""

    class Opaque(Exception):
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    error = Opaque()

    @heal
    def fail() -> None:
        raise error

    for _ in range(30):
        with pytest.raises(Opaque):
            fail()
    assert counters["dropped_errors"] == 30
    assert not [name for name in counters if name.startswith("internal")]


def through(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("decorators", [0, 1, 3])
def test_failures_below_other_decorators_are_counted_once(
    recorded: Recorded, decorators: int
) -> None:
    """`@heal` above decorators sees each failure, also of a function that calls itself."""

    def fails(depth: int) -> float:
        return below(depth - 1) if depth else 1 / depth

    below = fails
    for _ in range(decorators):
        below = through(below)
    below = heal(below)
    for depth in (0, 0, 0, 2, 2):
        with suppress(ZeroDivisionError):
            below(depth)
    described = [o for o in recorded.all(Occurrence) if o.caused_by is None]
    assert len(described) + sum(repeat.count for repeat in recorded.all(Repeat)) == 5


def test_a_runaway_recursion_is_one_error(recorded: Recorded) -> None:
    """However deep a site calls itself, its failure counts once, and costs no more than its depth."""

    @heal
    def down(number: int) -> int:
        return down(number + 1) + 1

    for _ in range(3):
        with pytest.raises(RecursionError):
            down(0)
    flush()
    ((counts),) = recorded.all(Counts)[-1].sites.values()
    assert counts["errors"] == 3
    assert len(recorded.all(Occurrence)) <= 3


def test_settings_name_more_secrets(recorded: Recorded) -> None:
    """Names and patterns of the project's own are redacted like the built-in ones."""
    (recorded.root / "pyproject.toml").write_text(
        "[tool.prunella]\nredact_names = 'iban, birthday'\n"
        "redact_patterns = 'CUST-[0-9]{4}'\nredact_emails = true\n"
    )

    @heal
    def greet(iban: str, text: str) -> str:
        return "hello, stranger"

    greet("DE00 1234 5678", "CUST-4711 wrote from ann@example.org")
    (path,) = (recorded.root / ".prunella" / "spool").iterdir()
    data = path.read_bytes()
    for secret in (b"DE00 1234", b"CUST-4711", b"ann@example.org"):
        assert secret not in data


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_near_the_limit_of_the_stack_nothing_of_ours_fails(
    recorded: Recorded, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every depth, a recursive site returns or raises from its own code, as without `@heal`."""
    # A coroutine that there was no room to start warns when it goes; there is no room for that either.
    monkeypatch.setattr(sys, "unraisablehook", lambda _unraisable: None)
    if is_async:

        @heal
        async def down(number: int) -> int:
            return 1 + await down(number - 1) if number else 0

        def drive(number: int) -> int:
            return asyncio.run(down(number))

    else:

        @heal
        def down_sync(number: int) -> int:
            return 1 + down_sync(number - 1) if number else 0

        drive = down_sync
    outcomes = []
    for number in range(0, 1_200, 23):
        try:
            outcomes.append(drive(number) == number)
        except RecursionError as error:
            entry = error.__traceback__
            while entry is not None and entry.tb_next is not None:
                entry = entry.tb_next
            assert entry is not None
            assert "prunella" not in entry.tb_frame.f_globals["__name__"].partition(".")[0]
            outcomes.append(None)
    assert set(outcomes) == {True, None}
    for occurrence in recorded.all(Occurrence):
        for frame in occurrence.exception.frames:
            assert not frame.module.startswith("prunella.")


def test_every_site_has_its_first_successes(recorded: Recorded) -> None:
    """However many sites there are, none goes without the first few calls; a failing one neither."""
    sites = []
    for number in range(60):
        namespace: dict[str, Any] = {"__name__": f"module{number}"}
        exec("def f(a):\n    return 1 // a", namespace)  # noqa: S102 - functions of their own
        sites.append(heal(namespace["f"]))
    for turn in range(12):
        for function in sites:
            if turn < 4:
                with pytest.raises(ZeroDivisionError):
                    function(0)
            else:
                function(turn)
    by_site: dict[str, int] = {}
    for call in recorded.all(Call):
        by_site[call.site_id] = by_site.get(call.site_id, 0) + 1
    assert len(by_site) == 60
    assert min(by_site.values()) >= 5


def test_yielded_values_keep_their_own_shared_references(recorded: Recorded) -> None:
    """Cycles and shared lists within one yielded value don't mix with those of the next."""

    @heal
    def pairs() -> Iterator[list[Any]]:
        for number in range(3):
            shared = [number]
            yield [shared, shared]

    assert len(list(pairs())) == 3
    values: Any = decode(recorded.one(Call).result)
    assert values == [[[0], [0]], [[1], [1]], [[2], [2]]]
    assert all(first is second for first, second in values)


def test_an_armed_site_is_watched_whatever_was_spent(
    recorded: Recorded, exhaust: Callable[[], None]
) -> None:
    """A site that failed records the inputs of its next failures also when no budget is left."""

    @heal
    def total(voucher: dict[str, int]) -> int:
        return voucher["minimum"]

    exhaust()
    for number in range(40):
        with suppress(KeyError):
            total({"minimum": 1} if number % 5 else {"maximum": number})
    complete = [item.complete for item in recorded.all(Occurrence)]
    assert complete[1:] == [True] * (len(complete) - 1)
    assert len(complete) > 2


def test_repeated_failures_alone_are_handed_on(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures that only count reach the store while the program runs, not first at its exit."""
    drained: list[int] = []
    monkeypatch.setattr(background, "LOOK_S", 0.01)
    monkeypatch.setattr(background, "DELAY_S", 0.02)
    set_drain(lambda root: drained.append(len(recorded.all(Repeat))))

    @heal
    def fail(number: int) -> float:
        return number / 0

    def failures(number: int) -> None:
        for _ in range(number):
            with pytest.raises(ZeroDivisionError):
                fail(1)

    def wait_for(repeats: int) -> None:
        for _ in range(1_000):
            if drained and drained[-1] == repeats:
                return
            time.sleep(0.01)
        raise AssertionError(f"drained {drained}, waited for {repeats}")

    failures(4)
    wait_for(1)
    failures(2)
    wait_for(3)
    set_drain(None)
