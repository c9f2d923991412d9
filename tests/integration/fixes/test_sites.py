"""Fixes on real functions of every kind, through `install_fix`."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from interpreted import fix
from prunella import agent, disable, enable, heal, install_fix, llm, remove_fix, tool
from prunella.fixes import Allocation, Installation, parse, prompt_hash
from prunella.model.errors import FixError, GuardRejected
from prunella.sdk.fixing import fixing
from prunella.sdk.runtime import get_fixing


def retry(**config: Any) -> dict[str, Any]:
    return fix("retry", initial_delay_ms=1, **config)


def counts(fix_id: str = "fix") -> Any:
    found = get_fixing()
    assert found is not None
    return found.meter.counts(fix_id)  # type: ignore[attr-defined]  # the default meter


class Flaky:
    """Fails so many times, then never again."""

    def __init__(self, failures: int, error: type[Exception] = TimeoutError) -> None:
        self.left = failures
        self.error = error
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error("not now")


def test_retry_heals_a_function() -> None:
    """Every argument, by whatever way it was given, arrives at the retry."""
    flaky = Flaky(2)

    @heal(idempotent=True)
    def everything(a: int, /, b: int, *c: int, d: int = 4, **e: int) -> Any:
        flaky()
        return a, b, c, d, e

    install_fix(retry())
    assert everything(1, 2, 3, d=5, f=6) == (1, 2, (3,), 5, {"f": 6})
    assert flaky.calls == 3
    assert counts().triggers == 1


def test_retry_heals_a_coroutine() -> None:
    """The same fix, without blocking the loop."""
    flaky = Flaky(2, ConnectionError)

    @heal(idempotent=True)
    async def fetch(a: int) -> int:
        await asyncio.sleep(0)
        flaky()
        return a

    async def others_run() -> list[int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.001)

        heart = asyncio.create_task(beat())
        result = await fetch(3)
        heart.cancel()
        return [result, beats]

    install_fix(retry(jitter=False))
    result, beats = asyncio.run(others_run())
    assert result == 3
    assert beats > 1


def test_retry_heals_a_stream_until_its_first_item() -> None:
    """Before the first item a stream is begun again; `send` and the return value go through."""
    flaky = Flaky(2)

    @heal(idempotent=True)
    def count(to: int) -> Iterator[Any]:
        flaky()
        echoed = yield 0
        for number in range(1, to):
            yield number, echoed
        return "over"

    install_fix(retry())
    stream = count(2)
    assert next(stream) == 0
    assert stream.send("hello") == (1, "hello")  # type: ignore[attr-defined]  # a generator
    with pytest.raises(StopIteration, match="over"):
        next(stream)


def test_a_stream_that_has_begun_is_not_healed() -> None:
    """What fails after the first item reaches the consumer."""
    runs = []

    @heal(idempotent=True)
    def broken() -> Iterator[int]:
        runs.append(1)
        yield 1
        raise TimeoutError("in the middle")

    install_fix(retry())
    with pytest.raises(TimeoutError):
        list(broken())
    assert len(runs) == 1


def test_retry_heals_an_async_stream() -> None:
    """As for streams; an error that the consumer throws in reaches the generator."""
    flaky = Flaky(1)
    seen = []

    @heal(idempotent=True)
    async def count(to: int) -> AsyncIterator[int]:
        flaky()
        for number in range(to):
            try:
                yield number
            except KeyError as error:
                seen.append(error)

    async def consume() -> list[int]:
        stream: Any = count(3)
        first = await anext(stream)
        second = await stream.athrow(KeyError("thrown in"))
        return [first, second, *[each async for each in stream]]

    install_fix(retry())
    assert asyncio.run(consume()) == [0, 1, 2]
    assert len(seen) == 1


@pytest.mark.parametrize(("taken", "failures"), [(1, 0), (2, 1)])
def test_the_outcome_of_a_healed_stream_is_its_end(taken: int, failures: int) -> None:
    """A stream that fails after its first item has failed; one that is left early hasn't."""
    flaky = Flaky(1)

    @heal(idempotent=True)
    def items() -> Iterator[int]:
        flaky()
        yield 1
        raise ValueError("in the middle")

    install_fix(retry())
    stream = items()
    assert next(stream) == 1
    assert (counts().triggers, counts().failures) == (1, 0)
    if taken == 2:
        with pytest.raises(ValueError, match="middle"):
            next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert counts().failures == failures


@pytest.mark.parametrize("how", ["whole", "left", "failed", "cancelled"])
def test_the_outcome_of_a_healed_async_stream_is_its_end(how: str) -> None:
    """As for streams; a consumer that is cancelled while it waits has not got its items."""
    flaky = Flaky(1)

    @heal(idempotent=True)
    async def items() -> AsyncIterator[int]:
        flaky()
        yield 1
        if how == "failed":
            raise ValueError("in the middle")
        if how == "cancelled":
            raise asyncio.CancelledError
        yield 2

    async def consume() -> None:
        stream: Any = items()
        async for _ in stream:
            assert counts().failures == 0
            if how == "left":
                break
        await stream.aclose()

    install_fix(retry())
    with contextlib.suppress(ValueError, asyncio.CancelledError):
        asyncio.run(consume())
    assert (counts().triggers, counts().failures) == (1, int(how in ("failed", "cancelled")))


def test_an_empty_stream_stays_empty() -> None:
    """A generator that yields nothing returns what it returned."""

    @heal
    def nothing() -> Iterator[int]:
        return "nothing"
        yield 1

    def consume() -> Iterator[Any]:
        yield (yield from nothing())

    install_fix(fix("retry", approved_non_idempotent=True))
    assert list(consume()) == ["nothing"]


def test_methods_are_healed() -> None:
    """On methods of all sorts, `self` and `cls` arrive."""

    class Client:
        flaky = Flaky(1)

        @heal(idempotent=True)
        def method(self) -> "Client":
            self.flaky()
            return self

        @classmethod
        @heal(idempotent=True)
        def of_class(cls) -> type:
            cls.flaky()
            return cls

    install_fix(retry())
    client = Client()
    assert client.method() is client
    Client.flaky.left = 1
    assert client.of_class() is Client


def test_fallback_asks_another_site() -> None:
    """The other site gets the arguments that it takes, by name."""

    @tool
    def weather(city: str, unit: str = "C") -> str:
        raise TimeoutError

    @tool(name="almanac")
    def almanac(city: str) -> str:
        return f"as always in {city}"

    install_fix(fix("fallback", chain=[{"site": "gone"}, {"site": "almanac"}]))
    assert weather("Bonn", unit="F") == "as always in Bonn"


def test_a_site_that_takes_over_has_all_that_the_call_was_given() -> None:
    """Positional-only, starred and unnamed arguments reach the site that a fallback asks."""

    @heal
    def first(a: int, /, b: int, *more: int, c: int = 1, **rest: int) -> Any:
        raise TimeoutError

    @tool(name="second")
    def second(a: int, /, b: int, *more: int, c: int = 1, **rest: int) -> Any:
        return a, b, more, c, rest

    @tool(name="third")
    def third(a: int, d: int = 0) -> Any:
        return a, d

    for name, answer in (("second", (1, 2, (3,), 4, {"d": 5})), ("third", (1, 5))):
        install_fix(fix("fallback", chain=[{"site": name}]))
        assert first(1, 2, 3, c=4, d=5) == answer


def test_a_coroutine_falls_back_on_a_function() -> None:
    """An async site may fall back on either kind; a sync one only on its own."""

    @heal
    async def ask(question: str) -> str:
        raise TimeoutError

    @heal
    def guess(question: str) -> str:
        return f"{question}: no idea"

    @heal
    async def think(question: str) -> str:
        return f"{question}: 42"

    @heal
    def ask_now(question: str) -> str:
        raise TimeoutError

    module = __name__
    prefix = f"{module}:test_a_coroutine_falls_back_on_a_function.<locals>"
    install_fix(
        fix("fallback", target={"sites": [f"{prefix}.ask"]}, chain=[{"site": f"{prefix}.guess"}])
    )
    assert asyncio.run(ask("why")) == "why: no idea"
    install_fix(fix("fallback", chain=[{"site": f"{prefix}.think"}]))
    assert asyncio.run(ask("why")) == "why: 42"
    with pytest.raises(TimeoutError):
        ask_now("why")
    assert "asynchronous" in counts().latest["skipped"]


def test_guard_rejects_and_repairs() -> None:
    """A bad argument never reaches the function; a bad result never the caller."""
    seen = []

    @tool
    def search(query: str, limit: int = 10) -> str:
        seen.append((query, limit))
        return f"```json\n[{limit}]\n```"

    install_fix(
        fix(
            "guard", stage="input", parameter="limit", check={"range": {"max": 50}}, on_fail="clamp"
        )
    )
    install_fix(fix("guard", "out", stage="output", check={"format": "json"}, on_fail="coerce"))
    assert search("x", 500) == "```json\n[50]\n```", "one guard acts on a call"
    assert search("x", 5) == "[5]"
    install_fix(fix("guard", stage="input", parameter="query", check={"length": {"min": 1}}))
    with pytest.raises(GuardRejected, match="query: the value has the length 0"):
        search("")
    assert seen == [("x", 50), ("x", 5)]


def test_parameter_changes_arguments() -> None:
    """Set, scaled, brought within limits and dropped; the caller's objects stay as they are."""

    @llm
    def complete(prompt: str, temperature: float = 1.0, n: int = 4, **options: Any) -> Any:
        return temperature, n, options

    install_fix(
        fix(
            "parameter",
            set={"seed": 1},
            scale={"n": 0.5},
            clamp={"temperature": {"max": 0.2}},
            drop=["stop"],
            when={"prompt": {"pattern": "json"}},
        )
    )
    assert complete("as json", stop="x", top=1) == (0.2, 2, {"top": 1, "seed": 1})
    assert complete("as text", stop="x") == (1.0, 4, {"stop": "x"})


def test_prompt_changes_only_its_base() -> None:
    """The text is added to the system message it was made for, in a copy."""

    @llm
    def chat(messages: list[dict[str, str]]) -> list[dict[str, str]]:
        return messages

    install_fix(
        fix("prompt", op="append", text="Answer in JSON.", base_hash=prompt_hash("You help."))
    )
    given = [{"role": "system", "content": "You help."}, {"role": "user", "content": "Hi"}]
    assert chat(given)[0]["content"] == "You help.\n\nAnswer in JSON."
    assert given[0]["content"] == "You help."
    other = [{"role": "system", "content": "You sing."}]
    assert chat(other) is other


def test_tool_ends_a_coroutine_in_time() -> None:
    """A slow coroutine is cancelled and answers by `TimeoutError`, or by what the fix maps it to."""
    cleaned = []

    @tool
    async def slow() -> str:
        try:
            await asyncio.sleep(30)
        finally:
            cleaned.append(1)
        return "late"

    install_fix(fix("tool", timeout_ms=5))
    with pytest.raises(TimeoutError, match=r"0\.005 s"):
        asyncio.run(slow())
    install_fix(fix("tool", timeout_ms=5, error_map={"TimeoutError": "The tool is slow."}))
    assert asyncio.run(slow()) == "The tool is slow."
    assert len(cleaned) == 2


def test_tool_gives_a_function_its_time_limit() -> None:
    """A function that can't be cancelled gets the limit as its timeout parameter."""

    @tool
    def fetch(url: str, timeout: float | None = None) -> float | None:
        return timeout

    install_fix(fix("tool", timeout_ms=250))
    assert fetch("x") == 0.25
    assert fetch("x", timeout=0.1) == 0.1
    assert fetch("x", timeout=9) == 0.25


def test_tool_forgives_arguments_and_cuts_results() -> None:
    """Missing and mistyped arguments are put right; a result that is too long is cut off."""

    @tool
    def lines(count: int, of: str | None = None) -> list[str]:
        return [str(of)] * count

    install_fix(
        fix(
            "tool", coerce={"count": "int"}, arg_defaults={"of": "x"}, result_limit={"max_items": 2}
        )
    )
    assert lines("3") == ["x", "x"]  # type: ignore[arg-type]  # a model has made the call


def test_routing_chooses_the_model_or_the_site() -> None:
    """The first rule that fits decides; without one, the default does."""

    @llm
    def ask(prompt: str, model: str = "big") -> str:
        return f"{model}: {prompt}"

    @llm(name="local")
    def local(prompt: str) -> str:
        return f"local: {prompt}"

    short = {"when": {"prompt": {"length": {"max": 5}}}, "to": {"model": "small"}}
    secret = {"when": {"prompt": {"pattern": "secret"}}, "to": {"site": "local"}}
    install_fix(
        fix(
            "routing",
            target={"sites": [f"{__name__}:*.ask"[: len(__name__)] + ":*"]},
            rules=[short, secret],
            default={"self": True},
        )
    )
    assert ask("Hi") == "small: Hi"
    assert ask("my secret") == "local: my secret"
    assert ask("good morning") == "big: good morning"


def test_a_site_that_appears_later_is_healed() -> None:
    """A fix waits for the sites that aren't decorated yet, and holds for each closure."""
    install_fix(retry())

    def make(flaky: Flaky) -> Any:
        @heal(idempotent=True)
        def inner() -> str:
            flaky()
            return "done"

        return inner

    assert [make(Flaky(1))() for _ in range(3)] == ["done"] * 3


def test_removing_leaves_nothing_behind() -> None:
    """Without its fix the function fails as ever, and stands directly below its wrapper."""

    @heal(idempotent=True)
    def fails() -> None:
        raise TimeoutError("as ever")

    cells = fails.__closure__  # type: ignore[attr-defined]  # a function
    before = [cell.cell_contents for cell in cells]
    install_fix(fix("fallback", chain=[{"constant": "healed"}]))
    install_fix(fix("retry", "two", initial_delay_ms=0))
    assert fails() == "healed"  # type: ignore[func-returns-value]  # by the fix
    assert remove_fix("fix")
    assert remove_fix("two")
    assert not remove_fix("two")
    assert [cell.cell_contents is old for cell, old in zip(cells, before, strict=True)].count(
        False
    ) <= 1
    with pytest.raises(TimeoutError) as caught:
        fails()
    assert "shims" not in "".join(traceback.format_exception(caught.value))


def test_a_bad_document_is_refused_where_it_is_installed() -> None:
    """Whoever installs it hears of it; nothing is in force then."""
    with pytest.raises(FixError, match=r"config\.max_retries"):
        install_fix(fix("retry", max_retries=99))
    with pytest.raises(ValueError, match="maybe"):
        install_fix(fix("retry"), mode="maybe")  # type: ignore[arg-type]  # that is the point


def test_traceback_of_what_could_not_be_healed() -> None:
    """The frames are those that the program would have without Prunella."""

    @heal(idempotent=True)
    def fails() -> None:
        raise TimeoutError("always")

    install_fix(retry(max_retries=1))
    with pytest.raises(TimeoutError) as caught:
        fails()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "fails"
    assert not {"perform", "drive", "run_now"} & set(names[1:])
    assert caught.value.__context__ is None


def test_disable_switches_fixes_off() -> None:
    """As everything else."""

    @agent
    def fails() -> None:
        raise TimeoutError

    install_fix(fix("fallback", chain=[{"constant": "healed"}]))
    disable()
    with pytest.raises(TimeoutError):
        fails()
    enable()
    assert fails() == "healed"  # type: ignore[func-returns-value]  # by the fix


def test_the_example_of_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """What the page about fixes shows does what it says."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "fixes.md").read_text(encoding="utf-8")
    text = page.partition("```python\n")[2].partition("```")[0]
    exec(compile(text, "example", "exec"), {"__name__": "example"})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "as always in Bonn\n"


def test_a_rollout_counts_what_models_answers_cost() -> None:
    """Both arms alike, the answers that were asked for again included."""

    @llm
    def ask(prompt: str, temperature: float = 1.0) -> dict[str, Any]:
        return {"text": prompt, "usage": {"prompt_tokens": 9, "completion_tokens": 1}}

    document = fix("guard", stage="output", check={"schema": {"type": "array"}}, on_fail="reask")
    # Few: five calls of treatment that fail before one of control has are the breaker's business.
    allocation = Allocation(salt="rol_1", ratio=0.2, epoch=1, wait_s=60.0)
    found = fixing()
    found.install(Installation(fix=parse(document), allocation=allocation))
    for number in range(40):
        with contextlib.suppress(GuardRejected):
            ask(f"{number}")
    shipped = found.shipment("proc_1", at_exit=True)
    assert shipped is not None
    arms = {tally["arm"]: tally["counts"] for tally in shipped["tallies"]}
    assert arms["control"]["cost_sum"] == 10 * arms["control"]["n"] > 0
    assert arms["treatment"]["costs"] == arms["treatment"]["n"] > 0
    assert arms["treatment"]["cost_sum"] == 20 * arms["treatment"]["n"]


def test_a_rollout_counts_results_that_a_guard_objects_to() -> None:
    """Without the guard they stay as they are, which is a failure; with it they are put right."""

    @llm
    def ask(prompt: str) -> str:
        return f'Sure! {{"title": "{prompt}"}}'

    document = fix("guard", stage="output", check={"format": "json"}, on_fail="coerce")
    allocation = Allocation(salt="rol_1", ratio=0.5, epoch=1, wait_s=60.0)
    found = fixing()
    found.install(Installation(fix=parse(document), allocation=allocation))
    answers = [ask(f"{number}") for number in range(40)]
    shipped = found.shipment("proc_1", at_exit=True)
    assert shipped is not None
    arms = {tally["arm"]: tally["counts"] for tally in shipped["tallies"]}
    put_right = sum(answer.startswith("{") for answer in answers)
    assert (arms["treatment"]["n"], arms["treatment"]["failures"]) == (put_right, 0)
    assert arms["control"]["failures"] == arms["control"]["n"] == 40 - put_right
