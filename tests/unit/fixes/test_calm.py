"""What a call pays for that no fix acts on: questions that say the same as the interpreter does."""

import itertools
from typing import Any

import pytest

from interpreted import Place, Scene, fix
from prunella.fixes.calm import Calm

PLACE = Place(
    parameters=("city", "limit", "engine", "**options"),
    defaults={"limit": 5, "engine": "small"},
    roles={"model": "engine"},
)
BEFORE = [
    fix("parameter", set={"limit": 9}),
    fix("parameter", set={"limit": [1]}),
    fix("parameter", set={"model": "large", "limit": 3}),
    fix("parameter", set={"depth": 3}),
    fix("parameter", drop=["limit"]),
    fix("parameter", drop=["city"]),
    fix("parameter", scale={"limit": 2}),
    fix("parameter", clamp={"limit": {"min": 2, "max": 6}}),
    fix("parameter", clamp={"limit": {"max": 6}}, when={"city": {"pattern": "^B"}}),
    fix("parameter", set={"limit": 6}, clamp={"limit": {"max": 5}}),
    fix("parameter", set={"city": "?"}, when={"limit": {"range": {"min": 7}}}),
    fix("guard", stage="input", parameter="limit", check={"range": {"max": 6}}, on_fail="clamp"),
    fix("guard", stage="input", parameter="city", check={"length": {"max": 4}}),
    fix("guard", stage="input", parameter="depth", check={"range": {"max": 4}}),
    fix("tool", arg_defaults={"limit": 4, "city": None}),
    fix("tool", coerce={"limit": "int"}),
    fix("tool", coerce={"limit": "str"}, arg_defaults={"limit": 4}),
    fix("routing", rules=[{"when": {"limit": {"range": {"min": 7}}}, "to": {"model": "large"}}],
        default={"self": True}),
]  # fmt: skip
CALLS = list(
    itertools.product(
        ["Bonn", "Rome on Tiber", None],
        [5, 9, 0, 6.0, 8.5, "7", "many", None, True, float("nan"), [1]],
        [{}, {"depth": 3}, {"depth": 9}],
    )
)


@pytest.mark.parametrize("document", BEFORE, ids=lambda each: str(each["config"])[:50])
def test_a_call_is_calm_exactly_where_no_fix_would_touch_it(document: Any) -> None:
    """The questions about arguments say of every call what the interpreter would do with it."""
    for city, limit, options in CALLS:
        scene = Scene(document, place=PLACE)
        calm = Calm(scene.plan)
        assert calm.before is not None
        is_calm = calm.before((city, limit, "small", options)) is None
        given = {"city": city, "limit": limit, "engine": "small", "**options": options}
        finished = scene.call([1], **given)
        told = scene.counts()
        was_left = scene.attempts == [given] and not (told.acted or told.skipped or told.fault)
        assert is_calm == (was_left and finished.outcome.error is None), given


AFTER = [
    fix("guard", stage="output", check={"range": {"min": 0, "max": 3}}, on_fail="clamp"),
    fix("guard", stage="output", check={"range": {"max": 3}}, path=["n"], on_fail="default", default=1),
    fix("guard", stage="output", check={"schema": {"type": "object"}}),
    fix("tool", result_limit={"max_items": 2, "max_chars": 3}),
]  # fmt: skip


@pytest.mark.parametrize("document", AFTER, ids=lambda each: str(each["config"])[:50])
def test_a_result_is_calm_exactly_where_no_fix_would_object(document: Any) -> None:
    """The same of results."""
    for result in (1, 4, -1, True, "no", "long", [1], [1, 2, 3], {"n": 2}, {"n": 4}, {}, None):
        scene = Scene(document)
        calm = Calm(scene.plan)
        assert calm.before is None or document["fix_type"] == "tool"
        assert calm.after is not None
        is_calm = calm.after(result)
        finished = scene.call([result])
        assert is_calm == (finished.fix_id is None), result


def test_what_only_looks_at_failures_asks_nothing() -> None:
    """Retries and fallbacks leave calls alone until they fail."""
    scene = Scene(fix("retry"), fix("fallback", "other", chain=[{"constant": 0}]))
    calm = Calm(scene.plan)
    assert (calm.before, calm.after) == (None, None)


def test_a_fix_that_is_off_asks_nothing_more() -> None:
    """A call is calm where the fix that would act was switched off, and not where it is on again."""
    scene = Scene(fix("parameter", set={"limit": 9}))
    calm = Calm(scene.plan)
    (installed,) = scene.installed
    before = calm.before
    assert before is not None
    for change in ("disabled", "switched_off"):
        setattr(installed, change, "why")
        assert before(("Bonn", 5, "small", {})) is None
        setattr(installed, change, "")
        assert before(("Bonn", 5, "small", {})) is not None
