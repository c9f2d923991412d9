"""Guards and their checks: what is a violation, and what becomes of it."""

import math
from decimal import Decimal
from typing import Any

import pytest

from interpreted import Place, Scene, fix
from prunella.fixes import misfit, parse
from prunella.fixes.fields import Json
from prunella.model.errors import FixError, GuardRejected

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
        "mail": {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "@"}]},
    },
    "additionalProperties": False,
}


def output(**config: Any) -> Scene:
    return Scene(fix("guard", stage="output", **config))


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ({"range": {"min": 0, "max": 1}}, [0, 1, 0.5], [-1, 2, math.nan, "1", None, True]),
        ({"length": {"min": 1, "max": 2}}, ["a", [1, 2], {"a": 1}], ["", [1, 2, 3], 5, None]),
        ({"pattern": "^[A-Z]{2}$"}, ["DE"], ["de", "DEU", "", 3, None]),
        ({"format": "json"}, ["1", '{"a": [null]}', b"[]"], ["", "{", "{'a': 1}", {"a": 1}, None]),
        ({"format": "json", "schema": {"type": "object"}}, ["{}"], ["[]", "{"]),
        ({"schema": {"type": "number"}}, [1, 1.5], [True, "1", Decimal(1)]),
        ({"schema": {"const": 1}}, [1, 1.0], [True, 2]),
        (
            {"schema": PERSON},
            [{"name": "Ada"}, {"name": "Ada", "age": 36, "tags": ["a"], "mail": None}],
            [{}, {"name": ""}, {"name": "A", "age": 36.5}, {"name": "A", "age": 200}, [],
             {"name": "A", "tags": ["c"]}, {"name": "A", "tags": ["a", "b", "a"]},
             {"name": "A", "mail": "x"}, {"name": "A", "more": 1}],
        ),
    ],
)  # fmt: skip
def test_checks(check: Any, good: list[Any], bad: list[Any]) -> None:
    """What passes is handed on untouched; what doesn't is rejected with the reason."""
    for value in good:
        finished = output(check=check).call([value])
        assert finished.outcome.value is value, value
        assert finished.fix_id is None
    for value in bad:
        error = output(check=check).call([value]).outcome.error
        assert isinstance(error, GuardRejected), value
        assert "the value" in str(error)


@pytest.mark.parametrize(
    ("config", "value", "becomes"),
    [
        ({"check": {"range": {"min": 0, "max": 1}}, "on_fail": "clamp"}, 7, 1),
        ({"check": {"range": {"min": 0}}, "on_fail": "clamp"}, -2.5, 0),
        ({"check": {"length": {"min": 1}}, "on_fail": "default", "default": ["?"]}, [], ["?"]),
        ({"check": {"schema": {"type": "integer"}}, "on_fail": "coerce"}, " 42 ", 42),
        ({"check": {"schema": {"type": "boolean"}}, "on_fail": "coerce"}, "yes", True),
        ({"check": {"range": {"min": 0}}, "on_fail": "coerce"}, "1.5", 1.5),
        ({"check": {"pattern": "^a$"}, "on_fail": "coerce"}, " a\n", "a"),
        ({"check": {"format": "json"}, "on_fail": "coerce"}, 'Sure: {"a": 1} Bye', '{"a": 1}'),
        (
            {"check": {"schema": {"type": "object"}}, "on_fail": "coerce"},
            '```\n{"a": 1}```',
            {"a": 1},
        ),
        (
            {"check": {"schema": PERSON}, "on_fail": "coerce"},
            {"name": "Ada", "age": "36"},
            {"name": "Ada", "age": 36},
        ),
        (
            {"check": {"range": {"max": 1}}, "on_fail": "clamp", "path": ["items", "1", "score"]},
            {"items": [{"score": 9}, {"score": 9}]},
            {"items": [{"score": 9}, {"score": 1}]},
        ),
    ],
)
def test_repairs(config: Any, value: Any, becomes: Any) -> None:
    """The repaired value takes its place, in a copy; the call is marked as altered."""
    finished = output(**config).call([value])
    assert finished.outcome.value == becomes
    assert type(finished.outcome.value) is type(becomes)
    assert finished.altered


@pytest.mark.parametrize(
    ("config", "value"),
    [
        ({"check": {"range": {"min": 0}}, "on_fail": "clamp"}, "many"),
        ({"check": {"range": {"min": 0}}, "on_fail": "clamp"}, math.nan),
        ({"check": {"schema": {"type": "integer"}}, "on_fail": "coerce"}, "2.5"),
        ({"check": {"format": "json"}, "on_fail": "coerce"}, "no braces at all"),
        ({"check": {"range": {"min": 0, "max": 1}}, "on_fail": "coerce"}, "7"),
    ],
)
def test_what_cannot_be_repaired_is_rejected(config: Any, value: Any) -> None:
    """A repair has to pass the check itself."""
    assert isinstance(output(**config).call([value]).outcome.error, GuardRejected)


def test_reask_says_what_was_wrong() -> None:
    """The function is called again with the reason behind its prompt, at most so often."""
    place = Place(parameters=("prompt",), defaults={}, roles={"prompt": "prompt"}, kind="llm")
    document = fix("guard", stage="output", check={"format": "json"}, on_fail="reask", max_reasks=2)
    scene = Scene(document, place=place)
    assert scene.call(["oops", "[1]"], prompt="List!").outcome.value == "[1]"
    assert "the value is no JSON" in scene.attempts[1]["prompt"]
    assert scene.attempts[1]["prompt"].startswith("List!")
    error = scene.call(["a", "b", "c", "d"], prompt="List!").outcome.error
    assert isinstance(error, GuardRejected)
    assert len(scene.attempts) == 5
    assert "idempotent" in misfit(parse(document), Place(idempotent=False))


def test_a_value_that_is_too_large_is_not_checked() -> None:
    """A guard that would take too long leaves the call alone, and is no fault."""
    huge = {"format": "json"}, "[" * 300_000
    many = {"schema": {"type": "array", "items": {"type": "integer"}}}, [1] * 10_000
    long = {"pattern": "b"}, "a" * 100_000
    for check, value in (huge, many, long):
        scene = output(check=check)
        assert scene.call([value]).outcome.value is value
        assert (scene.counts().skipped, scene.counts().fault) == (1, 0)


def test_a_guard_in_shadow_only_tells() -> None:
    """Its own `mode` says so, or that of its installation."""
    scene = output(check={"range": {"max": 1}}, mode="shadow")
    finished = scene.call([7])
    assert finished.outcome.value == 7
    assert finished.fix_id is None
    assert "is not" in scene.counts().latest["shadow"]


def test_a_check_of_the_input_comes_before_the_call() -> None:
    """What is rejected never reaches the function."""
    check = {"pattern": "^[A-Z]"}
    scene = Scene(fix("guard", stage="input", parameter="city", check=check))
    assert isinstance(scene.call(["sun"], city="bonn").outcome.error, GuardRejected)
    assert scene.attempts == []


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#"}, {"type": "text"}, {"minimum": "0"}, {"enum": []}, {"required": "a"},
     {"properties": []}, {"items": {"not": {}}}, {"pattern": "(?=a)"}, {"minLength": -1}, []],
)  # fmt: skip
def test_unsupported_schemas_are_refused(schema: Any) -> None:
    """When the fix is made, not when it acts."""
    with pytest.raises(FixError, match=r"config\.check\.schema"):
        parse(fix("guard", stage="output", check={"schema": schema}))


def test_a_document_is_bounded() -> None:
    """A fix can't carry more than a thousand values."""
    with pytest.raises(FixError, match="1000"):
        Json().read([0] * 1_001, "config.default")
