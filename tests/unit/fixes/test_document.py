"""Fix documents: what is read, what is refused and where, and that the schema says the same."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from prunella.fixes import Fix, json_schema, parse
from prunella.model.errors import FixError

RETRY: dict[str, Any] = {
    "fix_id": "fix-abc123",
    "fix_type": "retry",
    "target": {
        "sites": ["weather:fetch"],
        "error_codes": ["TOOL.EXECUTION.TIMEOUT"],
        "environments": ["production"],
    },
    "config": {
        "max_retries": 3,
        "initial_delay_ms": 1000,
        "exponential_base": 2.0,
        "max_delay_ms": 30000,
        "jitter": True,
        "retry_on": [],
    },
}


def document(fix_type: str, **config: Any) -> dict[str, Any]:
    return {"fix_id": f"fix-{fix_type}", "fix_type": fix_type, "config": config}


VALID = [
    RETRY,
    document("retry"),
    document("retry", max_retries=1, budget={"burst": 1}, approved_non_idempotent=True),
    document("fallback", chain=[{"constant": None}]),
    document(
        "fallback",
        chain=[{"site": "a:b"}, {"model": "m"}, {"last_good": {}}, {"constant": {"a": [1]}}],
        on=["NET.*"],
        cooldown_s=0,
    ),
    document("guard", stage="output", check={"schema": {"type": "object"}}),
    document("guard", stage="output", check={"format": "json"}, on_fail="coerce", path=["a", "0"]),
    document("guard", stage="input", parameter="n", check={"range": {"min": 0}}, on_fail="clamp"),
    document(
        "guard", stage="output", check={"pattern": "^a+$"}, on_fail="default", default=None,
    ),
    document("guard", stage="output", check={"length": {"max": 9}}, on_fail="reask", max_reasks=2),
    document("parameter", set={"unit": None}, when={"city": {"pattern": "x"}}),
    document("parameter", clamp={"n": {"max": 3}}, scale={"t": 1.5}, drop=["extra"]),
    document("prompt", op="append", text="Be brief.", base_hash="0" * 16),
    document("tool", timeout_ms=500, coerce={"n": "int"}, error_map={"NET.*": "no answer"}),
    document("tool", arg_defaults={"n": 5}, result_limit={"max_chars": 10}),
    document("routing", default={"self": True}),
    document(
        "routing",
        rules=[{"when": {"prompt": {"length": {"max": 99}}}, "to": {"model": "small"}}],
        default={"site": "big"},
        sticky_key="user",
    ),
]  # fmt: skip


@pytest.mark.parametrize("valid", VALID, ids=lambda each: each["fix_type"])
def test_what_is_read_comes_out_again(valid: dict[str, Any]) -> None:
    """A fix's document is read as the same fix, and as JSON text just as well."""
    fix = parse(valid)
    assert isinstance(fix, Fix)
    assert parse(fix.document()) == fix
    assert parse(json.dumps(valid)) == fix
    assert parse(json.dumps(fix.document()).encode()) == fix


REFUSED = [
    ("fix_type", RETRY | {"fix_type": "pray"}),
    ("surprise", RETRY | {"surprise": 1}),
    ("fix_id", {"fix_type": "retry", "config": {}}),
    ("config", {"fix_id": "a", "fix_type": "retry"}),
    ("config", {"fix_id": "a", "fix_type": "retry", "config": []}),
    ("target.site", RETRY | {"target": {"site": "a:b"}}),
    ("target.sites[1]", RETRY | {"target": {"sites": ["a", 1]}}),
    ("confidence", RETRY | {"confidence": 1.01}),
    ("confidence", RETRY | {"confidence": True}),
    ("format", RETRY | {"format": 2}),
    ("config.max_retries", document("retry", max_retries=0)),
    ("config.max_retries", document("retry", max_retries=2.5)),
    ("config.max_retries", document("retry", max_retries="3")),
    ("config.max_retries", document("retry", max_retries=True)),
    ("config.jitter", document("retry", jitter=1)),
    ("config.exponential_base", document("retry", exponential_base=0.5)),
    ("config.retry_on", document("retry", retry_on="TimeoutError")),
    ("config.retries", document("retry", retries=1)),
    ("config.budget.burst", document("retry", budget={"burst": 0})),
    ("config.chain", document("fallback")),
    ("config.chain", document("fallback", chain=[])),
    ("config.chain[0]", document("fallback", chain=[{}])),
    ("config.chain[1]", document("fallback", chain=[{"site": "a"}, {"site": "a", "model": "b"}])),
    ("config.stage", document("guard", stage="both", check={"format": "json"})),
    ("config.check", document("guard", stage="output", check={})),
    ("config.parameter", document("guard", stage="input", check={"format": "json"})),
    ("config.default", document("guard", stage="output", check={"format": "json"}, on_fail="default")),
    ("config.check.range", document("guard", stage="output", check={"format": "json"}, on_fail="clamp")),
    ("config", document("parameter")),
    ("config.coerce.n", document("tool", coerce={"n": "complex"})),
    ("config.base_hash", document("prompt", op="append", text="x")),
    ("config.default", document("routing", rules=[])),
    ("config.rules[0].to", document("routing", rules=[{"when": {}}], default={"self": True})),
]  # fmt: skip

#: Refused by `parse`, though a JSON Schema can't say why.
BEYOND_THE_SCHEMA = [
    ("config.check.range", document("guard", stage="output", check={"range": {"min": 2, "max": 1}})),
    ("config.check.pattern", document("guard", stage="output", check={"pattern": "(a"})),
    ("config.check.pattern", document("guard", stage="output", check={"pattern": r"(a)\1"})),
    ("config.check.schema", document("guard", stage="output", check={"schema": {"$ref": "#"}})),
    ("target.sites", RETRY | {"target": {"sites": ["*:fetch"]}}),
    ("created_at", RETRY | {"created_at": "yesterday"}),
    ("created_at", RETRY | {"created_at": "2026-01-31T12:00:00"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "bad"), REFUSED + BEYOND_THE_SCHEMA)
def test_what_is_wrong_is_refused_with_its_path(path: str, bad: dict[str, Any]) -> None:
    """The error names the place of the bad key, in its path and in its message."""
    with pytest.raises(FixError) as caught:
        parse(bad)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "\ud800", "[" * 100_000, '{"a": NaN}'])
def test_text_that_is_no_object_is_refused(text: str) -> None:
    """Whatever text comes in, the answer is a `FixError`."""
    with pytest.raises(FixError):
        parse(text)


def test_a_fix_is_isolated_from_its_document() -> None:
    """What happens to the document later doesn't change the fix."""
    constant = {"a": [1]}
    fix = parse(document("fallback", chain=[{"constant": constant}]))
    constant["a"].append(2)
    assert fix.document()["config"]["chain"] == [{"constant": {"a": [1]}}]


def test_the_schema_takes_what_is_read() -> None:
    """Every document that `parse` reads fits the JSON Schema."""
    validator = Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    for valid in VALID:
        validator.validate(valid)
        validator.validate(parse(valid).document())


@pytest.mark.parametrize(("path", "bad"), REFUSED)
def test_the_schema_refuses_what_is_refused(path: str, bad: dict[str, Any]) -> None:
    """What `parse` refuses, the JSON Schema does too, except what a schema can't say."""
    validator = Draft202012Validator(json_schema())
    assert not validator.is_valid(bad), path


@pytest.mark.parametrize("fix_id", [" ", " fix", "fix\0", "\x1b[31mfix", "\ud800", "a\nb"])
def test_ids_can_be_printed(fix_id: str) -> None:
    """An id stands in lists, file names and databases: nothing invisible is in it."""
    with pytest.raises(FixError) as refusal:
        parse({**RETRY, "fix_id": fix_id})
    assert refusal.value.path == "fix_id"


def test_a_key_that_is_given_twice_is_refused() -> None:
    """Of two values for one key neither is meant for certain."""
    with pytest.raises(FixError) as refusal:
        parse('{"fix_id": "f", "fix_type": "parameter", "config": {"set": {"x": 1, "x": 2}}}')
    assert refusal.value.path == "x"


def nested(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


def test_values_are_nested_within_bounds() -> None:
    """However deep a document is, it is refused with a path, not by an exhausted stack."""
    assert parse(document("fallback", chain=[{"constant": nested(40)}]))
    for levels in (60, 900, 100_000):
        with pytest.raises(FixError) as refusal:
            parse(document("fallback", chain=[{"constant": nested(levels)}]))
        assert refusal.value.path.startswith("config.chain[0].constant[0]")
    check: dict[str, Any] = {"type": "integer"}
    for _ in range(900):
        check = {"items": check}
    with pytest.raises(FixError):
        parse(document("guard", stage="output", check={"schema": check}))


def test_a_route_says_where_it_leads() -> None:
    """``self: false`` names no goal."""
    with pytest.raises(FixError) as refusal:
        parse(document("routing", default={"self": False}))
    assert refusal.value.path == "config.default.self"
