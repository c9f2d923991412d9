"""The seven types of fixes: the keys of their configs, with ranges, defaults and meanings."""

# ruff: noqa: RUF009 - `key` makes the dataclass's field

from dataclasses import dataclass
from typing import Any, ClassVar

from prunella.fixes.fields import (
    ABSENT,
    Checked,
    Choice,
    Flag,
    Json,
    Many,
    Nested,
    Real,
    Rule,
    Table,
    Text,
    Whole,
    key,
)
from prunella.fixes.patterns import MAX_LENGTH, compiled
from prunella.fixes.schemas import check_schema

_NAME = Text(200)
_NAMES = Many(_NAME)
_MS = Whole(0, 3_600_000)
_ERRORS = "; each an error code (TOOL.EXECUTION.TIMEOUT, or NET.* for all of a kind) or the name "
_NUMBER = Real(-1e300, 1e300)


def _in_order(low: float | None, high: float | None, names: str) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"{names}: the least is above the most")


def _check_chosen(chosen: bool) -> None:
    if not chosen:
        raise ValueError("false says nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Between which numbers a value lies."""

    AT_LEAST_ONE: ClassVar = ("min", "max")

    min: float | None = key(_NUMBER, "The least number.", default=None)
    max: float | None = key(_NUMBER, "The greatest number.", default=None)

    def __post_init__(self) -> None:
        _in_order(self.min, self.max, "min, max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How many characters or items a value has."""

    AT_LEAST_ONE: ClassVar = ("min", "max")

    min: int | None = key(Whole(0, 10**9), "The least length.", default=None)
    max: int | None = key(Whole(0, 10**9), "The greatest length.", default=None)

    def __post_init__(self) -> None:
        _in_order(self.min, self.max, "min, max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a value has to be: everything that is given here."""

    AT_LEAST_ONE: ClassVar = ("format", "schema", "range", "length", "pattern")

    format: str | None = key(
        Choice(("json",)),
        "json: a text that is one JSON document; `schema` is then about what it says.",
        default=None,
    )
    schema: dict[str, Any] | None = key(
        Checked(Json(), check_schema, "see the list of supported keywords"),
        "A JSON Schema, of the keywords that are supported.",
        default=None,
    )
    range: Range | None = key(Nested(Range), "A number within these limits.", default=None)
    length: Length | None = key(
        Nested(Length), "A text, list or object of such a length.", default=None
    )
    pattern: str | None = key(
        Checked(Text(MAX_LENGTH), compiled, "write it without what needs backtracking"),
        "A text in which this regular expression is found.",
        default=None,
    )


_CHECK = Nested(Check)
_WHEN = Table(_CHECK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many retries a site may make, so that an outage isn't amplified."""

    ratio: float = key(Real(0, 10), "Retries that each call earns.", default=0.2)
    per_second: float = key(Real(0, 1_000), "Retries that each second earns.", default=1.0)
    burst: int = key(Whole(1, 10_000), "Retries that can be saved up.", default=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Calls the function again after a failure that may pass."""

    TYPE: ClassVar = "retry"

    max_retries: int = key(Whole(1, 20), "Retries of one call, at most.", default=3)
    initial_delay_ms: int = key(_MS, "Wait before the first retry.", default=1_000)
    exponential_base: float = key(Real(1, 10), "Factor from one wait to the next.", default=2.0)
    max_delay_ms: int = key(_MS, "Longest wait.", default=30_000)
    jitter: bool = key(
        Flag(), "Wait a random time between 0 and the wait: full jitter.", default=True
    )
    retry_on: tuple[str, ...] = key(
        _NAMES,
        f"Errors to retry{_ERRORS}of an exception class; empty: whatever is transient.",
        default=(),
    )
    deadline_ms: int = key(
        Whole(1, 86_400_000), "Time for the whole call; no retry begins after.", default=60_000
    )
    budget: Budget = key(Nested(Budget), "The site's share of retries.", default=Budget())
    approved_non_idempotent: bool = key(
        Flag(),
        "A person has approved that a call which isn't declared idempotent is repeated.",
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGood:
    """The last result of a call with equal arguments."""

    max_age_s: float = key(Real(0.001, 86_400 * 30), "How old it may be.", default=300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What takes the place of a call: exactly one of these."""

    EXACTLY_ONE: ClassVar = ("site", "model", "constant", "last_good")

    site: str | None = key(_NAME, "Another site, by name or module:qualname.", default=None)
    model: str | None = key(_NAME, "The same function with another model.", default=None)
    constant: Any = key(Json(), "This value.", default=ABSENT)
    last_good: LastGood | None = key(
        Nested(LastGood), "The last result of a call with equal arguments.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Answers in place of a call that failed."""

    TYPE: ClassVar = "fallback"

    chain: tuple[Link, ...] = key(
        Many(Nested(Link), most=10, least=1), "What is tried, in this order."
    )
    on: tuple[str, ...] = key(
        _NAMES,
        f"Errors to fall back on{_ERRORS}of an exception class; empty: those of the target, or "
        "whatever the taxonomy says that a fallback heals.",
        default=(),
    )
    max_hops: int = key(Whole(1, 10), "Links that one call tries, at most.", default=3)
    cooldown_s: float = key(
        Real(0, 3_600),
        "How long a target that is down is left alone before one call probes it; 0: never.",
        default=30.0,
    )
    open_after: int = key(
        Whole(1, 1_000), "Failures in a row after which a target counts as down.", default=5
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Checks what goes into a call, or what comes out of it."""

    TYPE: ClassVar = "guard"
    RULES: ClassVar = (
        Rule("stage", "input", ("parameter",)),
        Rule("on_fail", "default", ("default",)),
        Rule("on_fail", "clamp", ("check.range",)),
    )

    stage: str = key(Choice(("input", "output")), "Which of the two.")
    check: Check = key(_CHECK, "What the value has to be.")
    on_fail: str = key(
        Choice(("reject", "default", "clamp", "coerce", "reask")),
        "What happens with a value that isn't: the call is rejected with GuardRejected; the "
        "default takes its place; it is brought within the range; it is converted; the function is "
        "called again.",
        default="reject",
    )
    parameter: str | None = key(_NAME, "The parameter that is checked.", default=None)
    path: tuple[str, ...] = key(
        Many(_NAME, most=20), "Keys that lead to the value inside the result.", default=()
    )
    default: Any = key(Json(), "The value for `on_fail: default`.", default=ABSENT)
    max_reasks: int = key(Whole(1, 5), "Calls that are made again, at most.", default=1)
    approved_non_idempotent: bool = key(
        Flag(), "A person has approved that reasking repeats the call.", default=False
    )
    mode: str = key(
        Choice(("shadow", "enforce")), "shadow: only tell what it would do.", default="enforce"
    )

    def __post_init__(self) -> None:
        if self.on_fail == "reask" and self.stage == "input":
            raise ValueError("on_fail reask is for stage output")
        if self.path and self.stage == "input":
            raise ValueError("path is for stage output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Changes named arguments before the call."""

    TYPE: ClassVar = "parameter"
    AT_LEAST_ONE: ClassVar = ("set", "clamp", "scale", "drop")

    drop: tuple[str, ...] = key(
        _NAMES, "Arguments that are left out, so that their defaults hold.", default=()
    )
    set: dict[str, Any] = key(Table(Json()), "Arguments with new values.", default_factory=dict)
    scale: dict[str, float] = key(
        Table(Real(-1e6, 1e6)), "Numbers that are multiplied.", default_factory=dict
    )
    clamp: dict[str, Range] = key(
        Table(Nested(Range)), "Numbers that are brought within limits.", default_factory=dict
    )
    when: dict[str, Check] = key(
        _WHEN, "Only calls whose arguments pass these checks.", default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Changes the system message of a language model's call."""

    TYPE: ClassVar = "prompt"

    op: str = key(Choice(("append", "prepend", "replace")), "Where the text goes.")
    text: str = key(Text(), "The text.")
    base_hash: str = key(
        Text(64, least=16),
        "`prunella.fixes.prompt_hash` of the system message that the fix was made for: on any "
        "other it does nothing.",
    )
    max_added_tokens: int = key(
        Whole(0, 100_000),
        "Tokens that the message may grow by, estimated at three characters a token.",
        default=500,
    )
    sticky_key: str | None = key(
        _NAME, "The parameter whose value decides together who gets the fix.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLimit:
    """How much a tool's result may hold; more is cut off."""

    AT_LEAST_ONE: ClassVar = ("max_chars", "max_items")

    max_chars: int | None = key(Whole(1, 10**8), "Characters of a text.", default=None)
    max_items: int | None = key(Whole(1, 10**8), "Items of a list.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Makes a tool forgiving: its time, its arguments, its result, its errors."""

    TYPE: ClassVar = "tool"
    AT_LEAST_ONE: ClassVar = ("timeout_ms", "arg_defaults", "coerce", "result_limit", "error_map")

    timeout_ms: int | None = key(
        Whole(1, 3_600_000),
        "Time for one call: an async function is cancelled, a sync one is given it as its timeout "
        "parameter; TimeoutError follows.",
        default=None,
    )
    arg_defaults: dict[str, Any] = key(
        Table(Json()), "Values for arguments that are None.", default_factory=dict
    )
    coerce: dict[str, str] = key(
        Table(Choice(("int", "float", "str", "bool", "json"))),
        "Types that arguments are converted to.",
        default_factory=dict,
    )
    result_limit: ResultLimit | None = key(
        Nested(ResultLimit), "How much of the result is kept.", default=None
    )
    error_map: dict[str, Any] = key(
        Table(Json()),
        f"What is returned in place of an error{_ERRORS}of an exception class.",
        default_factory=dict,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Where a call goes: exactly one of these."""

    EXACTLY_ONE: ClassVar = ("site", "model", "self")

    site: str | None = key(_NAME, "Another site, by name or module:qualname.", default=None)
    model: str | None = key(_NAME, "The same function with another model.", default=None)
    self_: bool = key(
        Checked(Flag(), _check_chosen, "give true, a site or a model"),
        "true: the function itself, unchanged.",
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """One rule: calls like this go there."""

    when: dict[str, Check] = key(_WHEN, "Checks that the arguments pass.")
    to: Goal = key(Nested(Goal), "Where such calls go.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Sends calls to another site or model, the first rule that fits."""

    TYPE: ClassVar = "routing"

    rules: tuple[RoutingRule, ...] = key(
        Many(Nested(RoutingRule), most=50), "The first that fits decides.", default=()
    )
    default: Goal = key(Nested(Goal), "Where all other calls go.")
    max_hops: int = key(
        Whole(1, 10), "Times that one call is sent on, over all routing fixes.", default=2
    )
    sticky_key: str | None = key(
        _NAME, "The parameter whose value decides together who gets the fix.", default=None
    )


Config = Retry | Fallback | Guard | Parameter | Prompt | Tool | Routing

TYPES: dict[str, Any] = {
    cls.TYPE: cls for cls in (Retry, Fallback, Guard, Parameter, Prompt, Tool, Routing)
}
