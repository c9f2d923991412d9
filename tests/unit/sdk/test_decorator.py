"""What `@heal` accepts, refuses and leaves alone."""

from functools import lru_cache

import pytest

from prunella import heal


def plain() -> int:
    return 1


def test_the_kill_switch_leaves_functions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``PRUNELLA_DISABLED=1`` there is no wrapper at all."""
    monkeypatch.setenv("PRUNELLA_DISABLED", "1")
    assert heal(plain) is plain
    assert heal(boundary=True)(plain) is plain


def test_capture_none_leaves_the_function_alone() -> None:
    """A site that records nothing needs no wrapper."""
    assert heal(capture="none")(plain) is plain


def test_decorating_twice_is_decorating_once() -> None:
    """A function under `@heal` is left as it is."""
    once = heal(plain)
    assert heal(once) is once


@pytest.mark.parametrize("wrong", [property(plain), lru_cache(plain), int, len, 3])
def test_what_is_no_function_is_refused_with_advice(wrong: object) -> None:
    """The message says where the decorator belongs."""
    with pytest.raises(TypeError, match="directly above the `def`"):
        heal(wrong)  # type: ignore[call-overload]  # that is the point


def test_the_site_is_known_by_module_and_name() -> None:
    """Replay finds the site by this attribute, and the function below the wrapper."""
    wrapper = heal(plain)
    assert wrapper.__prunella_site__ == f"{__name__}:plain"  # type: ignore[attr-defined]
    assert wrapper.__wrapped__ is plain  # type: ignore[attr-defined]
