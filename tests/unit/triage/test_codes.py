import pytest

from prunella.model.records import SiteKind
from prunella.triage.codes import class_name, error_code, own_code
from recorded import an_exception

MAPPING = {"ValueError": "INPUT.VALUE", "shop.errors.Gone": "SHOP.GONE", "Exception": "ANY"}


@pytest.mark.parametrize(
    ("type_", "mro", "code"),
    [
        ("builtins:ValueError", ("builtins:ValueError",), "INPUT.VALUE"),
        ("json:JSONDecodeError", ("json:JSONDecodeError", "builtins:ValueError"), "INPUT.VALUE"),
        ("shop.errors:Gone", ("shop.errors:Gone", "builtins:ValueError"), "SHOP.GONE"),
        ("other:Gone", ("other:Gone", "builtins:Exception"), "ANY"),
        ("other:Outer.Inner", ("other:Outer.Inner",), "CODE.LOGIC.UNCLASSIFIED"),
    ],
)
def test_the_nearest_mapped_class_decides(type_, mro, code):
    """A mapping holds for a class and those derived from it; without one, the taxonomy decides."""
    assert error_code(an_exception(type=type_, mro=mro), MAPPING) == code


def test_the_exceptions_own_code_goes_first():
    """What the program says itself beats the mapping."""
    own = an_exception(attributes={"error_code": "TOOL.EXECUTION.TIMEOUT"})
    assert error_code(own, MAPPING) == "TOOL.EXECUTION.TIMEOUT"


@pytest.mark.parametrize("code", ["", " ", "a b", "x" * 101, "<b>", "a\nb", "é", "-x", "\x00"])
def test_what_is_no_code_is_no_code(code):
    """An attribute is untrusted: what doesn't look like a code is passed over."""
    info = an_exception(attributes={"error_code": code})
    assert own_code(info) is None
    assert error_code(info, {}) == "CODE.VALUE.INVALID"


def test_a_services_word_is_no_code_of_the_program():
    """What a known client calls ``error_code`` comes from its service, and the taxonomy reads it."""
    mro = ("anthropic:RateLimitError", "anthropic:APIError", "builtins:Exception")
    info = an_exception(
        type=mro[0], mro=mro, attributes={"error_code": "spend_limit", "status": "429"}
    )
    assert error_code(info, {}) == "LLM.LIMIT.RATE"


def test_the_sites_kind_has_a_say():
    """A timeout that leaves a tool is the tool's."""
    info = an_exception(type="builtins:TimeoutError", mro=("builtins:TimeoutError",))
    assert error_code(info, {}) == "SYS.TIME.DEADLINE"
    assert error_code(info, {}, SiteKind.TOOL) == "TOOL.EXECUTION.TIMEOUT"


def test_other_attributes_are_no_codes():
    """`errno` and `code` vary with the failure; only `error_code` names a class of errors."""
    assert own_code(an_exception(attributes={"code": "404", "errno": "2"})) is None


@pytest.mark.parametrize("type_", ["", ":", "x", "x:", "m:" + "n" * 500])
def test_every_exception_has_a_name(type_):
    """A malformed type still gives a bounded name."""
    assert 0 < len(class_name(type_)) <= 100
