import re

import pytest

from prunella.model.records import SiteKind
from prunella.taxonomy import CANCELLED, CODES, MODULES, UNCLASSIFIED
from prunella.taxonomy.classes import RULES
from prunella.taxonomy.kinds import BY_KIND
from prunella.taxonomy.messages import PATTERNS
from prunella.taxonomy.numbers import (
    AWS_CODES,
    ERRNOS,
    HTTP_STATUSES,
    LLM_CODES,
    LLM_STATUSES,
    SQLSTATES,
    dns_errnos,
)

FIXES = {"retry", "fallback", "guard", "parameter", "prompt", "tool", "routing"}
TABLES = [HTTP_STATUSES, LLM_STATUSES, LLM_CODES, AWS_CODES, SQLSTATES, ERRNOS, dns_errnos()]


@pytest.mark.parametrize("row", CODES.values(), ids=CODES)
def test_every_code_is_told_in_full(row):
    """A code has three parts, a sentence, a severity, and known fixes that may heal it."""
    assert re.fullmatch(r"[A-Z]+\.[A-Z]+\.[A-Z_]+", row.code)
    assert row.module in MODULES
    assert row.sentence.endswith(".")
    assert row.severity in range(1, 6)
    assert set(row.healable_by) <= FIXES
    assert len(set(row.healable_by)) == len(row.healable_by)


def test_every_module_has_codes():
    """The modules are those of the table, and none is empty."""
    assert {row.module for row in CODES.values()} == set(MODULES)


def test_what_is_retried_is_transient():
    """A transient failure may be retried; what was called off is neither, and healed by nothing."""
    assert all("retry" in row.healable_by for row in CODES.values() if row.transient)
    for code in (CANCELLED, "SYS.CALL.INTERRUPTED"):
        assert not CODES[code].transient
        assert CODES[code].healable_by == ()


def test_rules_give_codes_of_the_table():
    """Whatever a rule can answer is a row of the table."""
    given = {rule.code for rule in RULES.values()}
    given |= {code for table in (*TABLES, *BY_KIND.values()) for code in table.values()}
    given |= {code for patterns in PATTERNS.values() for _pattern, code in patterns}
    assert given <= set(CODES)
    assert UNCLASSIFIED in CODES


def test_patterns_can_match():
    """Patterns are compared with lower-case text; one behind another that it contains never acts."""
    for group in PATTERNS.values():
        texts = [pattern for pattern, _code in group]
        assert texts == [text.lower() for text in texts]
        for number, text in enumerate(texts):
            assert not any(earlier in text for earlier in texts[:number]), text


def test_kinds_are_those_of_sites():
    """Codes change at sites of the kinds there are, from codes and into codes."""
    assert set(BY_KIND) == {SiteKind.TOOL, SiteKind.LLM, SiteKind.AGENT}
    assert all(set(table) <= set(CODES) for table in BY_KIND.values())
