"""From records to a verdict: each type of fix is fitted to calls, and tried on the same calls."""

from typing import Any

import pytest

import builders as b
from prunella.fixes import parse, prompt_hash
from prunella.model.hypotheses import FixHypothesis, FixTrial, TrialOutcome
from prunella.model.records import SiteKind
from prunella.propose import propose_fixes
from prunella.propose.fix_fitting import Asked, Observed
from prunella.validate import Target, confidence, try_fix
from prunella.validate.gates import APPROVAL, START
from recorded import a_call, a_site, an_exception, an_occurrence

ERROR = an_exception(type="builtins:ValueError", mro=("builtins:ValueError",))
SYSTEM = "You write short texts."


def a_tree(**arguments: Any) -> list[Any]:
    return ["d", *(part for pair in arguments.items() for part in pair)]


def messages(question: str) -> list[Any]:
    said = [["d", "role", "system", "content", SYSTEM], ["d", "role", "user", "content", question]]
    return ["l", *said]


class Records:
    """What a site's calls were, and what comes of the fixes for them."""

    def __init__(
        self, kind: str, failing: list[dict[str, Any]], passing: list[dict[str, Any]], **more: Any
    ):
        names = tuple((failing or passing)[0])
        changes = {"site_id": "shop:ask", "module": "shop", "qualname": "ask"}
        site = a_site(**changes, kind=SiteKind(kind), parameters=names, idempotent=True)
        exception = more.pop("exception", ERROR)
        results = more.pop("results", ["a fern"] * len(passing))
        golden = more.pop("golden", [])
        self.observed = Observed(
            site=site,
            failing=[
                an_occurrence(n, site_id=site.site_id, exception=exception, inputs=a_tree(**each))
                for n, each in enumerate(failing, 1)
            ],
            passing=[
                a_call(n, site_id=site.site_id, inputs=a_tree(**each), result=result)
                for n, (each, result) in enumerate(zip(passing, results, strict=True), 1)
            ],
            golden=[
                a_call(n, site_id=site.site_id, inputs=a_tree(**each))
                for n, each in enumerate(golden, 1)
            ],
            **more,
        )

    def tried(
        self, code: str, fix_type: str, number: int = 0, **known: Any
    ) -> tuple[FixHypothesis, FixTrial]:
        """Return the fix of a type that is proposed for a code, and its trial on the same records."""
        incident = b.incident(error_code=code, site_id="shop:ask")
        found = [
            each for each in propose_fixes(incident, self.observed) if each.fix_type == fix_type
        ]
        hypothesis = found[number]
        observed = self.observed
        target = Target(recovers_after_s=[None] * len(observed.failing), **known)
        fix = parse(hypothesis.document)
        return hypothesis, try_fix(fix, observed.site, observed.failing, observed.passing, target)

    def types(self, code: str) -> set[str]:
        incident = b.incident(error_code=code, site_id="shop:ask")
        return {each.fix_type for each in propose_fixes(incident, self.observed)}


CITIES = ["Bonn", "Rome", "Graz", "Lund", "Bern", "Oslo"]


def test_a_tools_arguments_are_converted_and_filled_in() -> None:
    """Where failing calls alone had a text for a number, or nothing at all, a tool fix puts it right."""
    records = Records(
        "tool",
        [{"city": "Bonn", "days": "3", "unit": None}] * 6,
        [{"city": city, "days": days, "unit": "C"} for days, city in enumerate(CITIES, 1)],
        results=[7] * 6,
    )
    hypothesis, trial = records.tried("TOOL.INPUT.INVALID", "tool")
    assert hypothesis.document["config"] == {
        "coerce": {"days": "int"},
        "arg_defaults": {"unit": "C"},
    }
    assert "'3'" in hypothesis.reasoning
    assert "6 of 6 passing calls had 'C'" in hypothesis.reasoning
    assert (trial.outcome, trial.caught, trial.broken) == (TrialOutcome.ACCEPTED, 6, 0)
    assert APPROVAL <= confidence(hypothesis, trial) < START


@pytest.mark.parametrize(
    ("bad", "on_fail", "check"),
    [
        ("3", "coerce", {"schema": {"type": "integer"}}),
        (None, "default", {"schema": {"type": "integer"}}),
    ],
)
def test_guards_convert_and_fill_in(bad: Any, on_fail: str, check: dict[str, Any]) -> None:
    """The same at sites that aren't tools, by guards."""
    records = Records(
        "function",
        [{"city": "Bonn", "days": bad}] * 6,
        [{"city": city, "days": 3} for city in CITIES],
    )
    hypothesis, trial = records.tried("CODE.TYPE.MISMATCH", "guard")
    config = hypothesis.document["config"]
    assert (config["on_fail"], config["check"], config.get("default")) == (
        on_fail, check, 3 if bad is None else None,
    )  # fmt: skip
    assert (trial.outcome, trial.caught) == (TrialOutcome.ACCEPTED, 6)


def test_json_is_taken_out_of_the_words_around_it() -> None:
    """An argument that was JSON in passing calls is brought to that, where it is in there."""
    wrapped = 'Sure! {"title": "A fern", "text": "Green."} Anything else?'
    fine = [f'{{"title": "A {city}", "text": "…"}}' for city in CITIES]
    records = Records("function", [{"answer": wrapped}] * 6, [{"answer": each} for each in fine])
    hypothesis, trial = records.tried("OUTPUT.JSON.ABSENT", "guard")
    assert hypothesis.document["config"]["check"] == {"format": "json"}
    assert (trial.outcome, trial.caught) == (TrialOutcome.ACCEPTED, 6)
    assert trial.indirect
    other = Records(
        "function", [{"answer": 'Sure! {"price": 3}'}] * 6, [{"answer": each} for each in fine]
    )
    assert other.tried("OUTPUT.JSON.ABSENT", "guard")[1].outcome is TrialOutcome.INCONCLUSIVE


def test_guards_go_by_golden_calls() -> None:
    """Where there are enough golden calls, the first range is theirs, and the reasons say how many."""
    passing = [{"days": days} for days in (1, 2, 3, 4, 9)]
    golden = [{"days": days} for days in (1, 2, 3, 3, 4)]
    records = Records("function", [{"days": 30}] * 6, passing, golden=golden)
    first, trial = records.tried("CODE.VALUE.INVALID", "guard")
    assert first.document["config"]["check"]["range"] == {"min": 1, "max": 4}
    assert "all of 5 golden calls had it" in first.reasoning
    assert trial.broken == 1  # a call that passed, and that nobody has vouched for
    second, trial = records.tried("CODE.VALUE.INVALID", "guard", 1)
    assert second.document["config"]["check"]["range"] == {"min": 1, "max": 9}
    assert "all of 5 passing calls had it" in second.reasoning
    assert trial.outcome is TrialOutcome.ACCEPTED
    few = Records("function", [{"days": 30}] * 6, passing, golden=golden[:2])
    (hypothesis, _) = few.tried("CODE.VALUE.INVALID", "guard")
    assert "too few to take a range from: 2" in hypothesis.reasoning


def test_an_agent_is_told_what_went_wrong() -> None:
    """A tool that answers in texts may answer with its failure; that never starts by itself."""
    passing = [{"city": city} for city in CITIES]
    failed = an_exception(
        type="subprocess:CalledProcessError",
        mro=("subprocess:CalledProcessError", "subprocess:SubprocessError", "builtins:Exception"),
    )
    records = Records("tool", [{"city": "Bonn"}] * 6, passing, exception=failed)
    hypothesis, trial = records.tried("TOOL.EXECUTION.FAILED", "tool")
    (answer,) = hypothesis.document["config"]["error_map"].values()
    assert answer.startswith("ask failed: ")
    assert trial.indirect
    assert "aren't the function's own" in trial.basis
    numbers = Records("tool", [{"city": "Bonn"}] * 6, passing, results=[3] * 6)
    assert "tool" not in numbers.types("TOOL.EXECUTION.FAILED")


@pytest.mark.parametrize("fix_type", ["routing", "parameter"])
def test_calls_of_a_missing_model_go_to_the_usual_one(fix_type: str) -> None:
    """Only calls that ask the model which no passing call asked are changed."""
    records = Records(
        "llm",
        [{"prompt": "About a fig.", "model": "small-9"}] * 6,
        [{"prompt": f"About {city}.", "model": "small-1"} for city in [*CITIES, "Bremerhaven"]],
    )
    hypothesis, trial = records.tried("LLM.MODEL.NOT_FOUND", fix_type)
    assert "small-9" in str(hypothesis.document["config"])
    assert (trial.outcome, trial.caught, trial.broken) == (TrialOutcome.ACCEPTED, 6, 0)
    assert trial.indirect


def test_a_parameter_is_kept_within_what_the_model_took() -> None:
    """A number that the provider refused is brought within the range of passing calls."""
    records = Records(
        "llm",
        [{"prompt": "About Bonn.", "temperature": 7.0}] * 6,
        [{"prompt": f"About {city}.", "temperature": n / 5} for n, city in enumerate(CITIES)],
    )
    hypothesis, trial = records.tried("LLM.PARAMETER.INVALID", "parameter")
    assert hypothesis.document["config"] == {"clamp": {"temperature": {"min": 0.0, "max": 1.0}}}
    assert (trial.outcome, trial.caught) == (TrialOutcome.ACCEPTED, 6)


@pytest.mark.parametrize(
    ("ratio", "outcome"), [(1.0, "accepted"), (0.0, "rejected"), (None, "inconclusive")]
)
def test_long_questions_go_to_a_sibling(ratio: float | None, outcome: str) -> None:
    """Between the longest that passed and the shortest that failed the way parts."""
    sibling = a_site(
        site_id="shop:ask_large", module="shop", qualname="ask_large", kind=SiteKind.LLM,
        parameters=("prompt",),
    )  # fmt: skip
    records = Records(
        "llm",
        [{"prompt": "x" * 900}] * 10,
        [{"prompt": "x" * length} for length in (100, 200, 300, 400, 500)],
        others=(sibling,),
    )
    others = {} if ratio is None else {"shop:ask_large": ratio}
    hypothesis, trial = records.tried("LLM.LIMIT.CONTEXT", "routing", others=others)
    assert hypothesis.document["config"]["rules"] == [
        {"when": {"prompt": {"length": {"min": 700}}}, "to": {"site": "shop:ask_large"}}
    ]
    assert (trial.outcome, trial.broken) == (TrialOutcome(outcome), 0)


def test_a_system_message_is_added_to_and_nobody_says_what_comes_of_it() -> None:
    """A prompt fix goes by the recorded message, and its trial decides nothing: it is suggested."""
    records = Records(
        "llm",
        [{"messages": messages("About a fern")}] * 6,
        [{"messages": messages(f"About {city}")} for city in CITIES],
        results=['{"title": "A", "text": "B"}'] * 6,
    )
    hypothesis, trial = records.tried("OUTPUT.JSON.MALFORMED", "prompt")
    config = hypothesis.document["config"]
    assert config["base_hash"] == prompt_hash(SYSTEM)
    assert config["text"].endswith("Its keys are title, text.")
    assert (trial.outcome, trial.broken) == (TrialOutcome.INCONCLUSIVE, 0)
    assert "6 of 6 passing calls" in trial.summary
    assert confidence(hypothesis, trial) < APPROVAL


def test_keys_that_are_no_plain_names_stay_out_of_prompts() -> None:
    """What a model has answered is no instruction: odd keys aren't repeated to it."""
    results = ['{"title": 1, "now do as I say": 2}'] * 6
    calls = [{"messages": messages(f"About {city}")} for city in CITIES]
    records = Records("llm", calls, calls, results=results)
    hypothesis, _ = records.tried("OUTPUT.JSON.MALFORMED", "prompt")
    assert "keys" not in hypothesis.document["config"]["text"]


def test_where_the_prompt_is_all_there_is_it_stays() -> None:
    """Without a system message, and at functions that ask no model, no prompt is changed."""
    calls = [{"prompt": city} for city in CITIES]
    assert "prompt" not in Records("llm", calls, calls).types("OUTPUT.JSON.MALFORMED")
    calls = [{"messages": messages("x")} for _ in CITIES]
    assert "prompt" not in Records("function", calls, calls).types("OUTPUT.JSON.MALFORMED")


def test_an_agent_may_take_more_steps() -> None:
    """The limit of an agent's steps is doubled where it has one; records can't tell what follows."""
    calls = [{"task": city, "max_steps": 5} for city in CITIES]
    hypothesis, trial = Records("agent", calls, []).tried("AGENT.LOOP.RUNAWAY", "parameter")
    assert hypothesis.document["config"] == {"scale": {"max_steps": 2.0}}
    assert trial.outcome is TrialOutcome.INCONCLUSIVE


FINE = '{"title": "A fern", "text": "Green."}'


@pytest.mark.parametrize(
    ("answer", "on_fail", "caught"),
    [
        (f"Sure! {FINE} Anything else?", "coerce", 20),
        ("I can't say.", "reask", range(10, 20)),
        ('{"title": "A fern"}', "reask", range(10, 20)),
    ],
)
def test_a_guard_is_for_the_answers_that_others_failed_on(
    answer: str, on_fail: str, caught: Any
) -> None:
    """What holds the JSON is put right; what doesn't is asked for again, as often as that helps."""
    asked = Asked(
        site=a_site(
            site_id="shop:model", kind=SiteKind.LLM, parameters=("prompt",), idempotent=True
        ),
        failing=[a_call(n, inputs=a_tree(prompt=f"q{n}"), result=answer) for n in range(20)],
        passing=[a_call(n, inputs=a_tree(prompt=f"q{n}"), result=FINE) for n in range(30)],
    )
    calls = [{"plant": city} for city in CITIES]
    records = Records("function", calls, calls, asked=[asked])
    incident = b.incident(error_code="OUTPUT.JSON.MALFORMED", site_id="shop:ask")
    hypothesis = next(
        each
        for each in propose_fixes(incident, records.observed)
        if each.document["config"].get("stage") == "output"
    )
    fix = parse(hypothesis.document)
    assert fix.target.sites == ("shop:model",)
    assert hypothesis.document["config"]["on_fail"] == on_fail
    target = Target(recovers_after_s=(), success_ratio=0.6)
    trial = try_fix(fix, asked.site, (), asked.passing, target, refused=asked.failing)
    assert trial.caught in (caught if isinstance(caught, range) else [caught])
    assert (trial.failing, trial.broken, trial.outcome) == (20, 0, TrialOutcome.ACCEPTED)
    assert confidence(hypothesis, trial) < START


def test_answers_that_differ_in_nothing_get_no_guard() -> None:
    """Where passing calls had such answers too, the answer isn't what failed."""
    asked = Asked(
        site=a_site(site_id="shop:model", kind=SiteKind.LLM, parameters=("prompt",)),
        failing=[a_call(n, result=FINE) for n in range(9)],
        passing=[a_call(n, result=FINE) for n in range(9)],
    )
    calls = [{"plant": city} for city in CITIES]
    assert "guard" not in Records("function", calls, calls, asked=[asked]).types(
        "OUTPUT.JSON.MALFORMED"
    )


def test_values_that_no_document_holds_give_no_fix() -> None:
    """Numbers beyond all limits and texts like books are no reason to fail."""
    calls = [{"amount": n * 1e304} for n in range(5)]
    assert "guard" not in Records("function", [{"amount": -1e306}] * 6, calls).types(
        "CODE.VALUE.INVALID"
    )
    odd = [{"model": "x" * 300, "prompt": "p"}] * 6
    fine = [{"model": "small", "prompt": "p"}] * 6
    assert not {"routing", "parameter"} & Records("llm", odd, fine).types("LLM.MODEL.NOT_FOUND")
