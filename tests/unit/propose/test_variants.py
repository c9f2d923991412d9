"""Each family of variants, as text before and text after."""

import pytest

from prunella.model.repair import SourceFunction
from prunella.patching import locate
from prunella.propose.variants import ProposedVariant, propose_variants

# One row a family: rule, statement before, statement after.
CASES = [
    ("comparison.flip", "while a < b:", "while a <= b:"),
    ("comparison.swap", "while a < b:", "while a > b:"),
    ("comparison.flip", "return a in b", "return a not in b"),
    ("operator", "return a + b", "return a - b"),
    ("operator.augmented", "a ^= b", "a &= b"),
    ("operator.assign", "a += b", "a = b"),
    ("operands.swap", "return a - b", "return b - a"),
    ("operands.drop", "return 1 + len(a)", "return len(a)"),
    ("logic", "return a and b", "return a or b"),
    ("condition.drop", "return a and b", "return a"),
    ("negation.drop", "return not a", "return a"),
    ("bound.range", "return range(a, len(b))", "return range(a, len(b) + 1)"),
    ("bound.slice", "return a[b:]", "return a[b + 1:]"),
    ("bound.index", "return a[b]", "return a[b - 1]"),
    ("bound.argument", "return find(a, b)", "return find(a + 1, b)"),
    ("bound.operand", "return [0] * len(a)", "return [0] * (len(a) - 1)"),
    ("constant", "return a[0]", "return a[1]"),
    ("constant", "return 1 + len(a)", "return 0 + len(a)"),
    ("truth", "return True", "return False"),
    ("name.variable", "return enumerate(a)", "return enumerate(b)"),
    ("name.counterpart", "return any(a)", "return all(a)"),
    ("attribute.counterpart", "a.append(b)", "a.extend(b)"),
    ("attribute.alike", "return a.in_nodes + b.out_nodes", "return a.out_nodes + b.out_nodes"),
    ("arguments.swap", "return divmod(a % b, b)", "return divmod(b, a % b)"),
    ("index.swap", "return a[b, 0]", "return a[0, b]"),
    ("condition.negate", "if a:", "if not a:"),
    ("condition.while", "while True:", "while a:"),
    ("condition.or_none", "if a.next is b:", "if a is None or a.next is b:"),
    ("condition.or_empty", "if a < 0:", "if a < 0 or not b:"),
    ("condition.size", "if len(a) == 0:", "if len(a) <= 1:"),
    ("expression.value", "a = len(b)", "a = b"),
    ("expression.bounded", "a = b + 1", "a = max(a, b + 1)"),
    ("expression.joined", "return [b]", "return a + [b]"),
    ("answer.single", "return []", "return [a]"),
    ("answer.nested", "return []", "return [[]]"),
    ("answer.truth", "return True", "return a == 0"),
    ("cut.argument", "return find(a, b)", "return find(a, b[1:])"),
    ("argument.less", "return find(a, b)", "return find(a - b, b)"),
    ("yield.from", "yield find(a)", "yield from find(a)"),
    ("yield.argument", "yield find(a)", "yield a"),
    ("iterated.copy", "for a in b:", "for a in list(b):"),
    ("cut.named", "for a in b:", "for a in b[a:]:"),
]


def variants(body: str, lines: dict[int, float] | None = None) -> list[ProposedVariant]:
    source = f"def work(a, b):\n{body}".encode()
    span = locate(source, "work")
    function = SourceFunction(
        path="work.py",
        module="work",
        qualname="work",
        first_line=1,
        last_line=span.last_line,
        text=span.text,
        file_source=source,
    )
    everywhere = dict.fromkeys(range(1, 100), 1.0)
    return propose_variants([(function, everywhere if lines is None else lines)], limit=10_000)


@pytest.mark.parametrize(("rule", "before", "after"), CASES)
def test_a_family_makes_its_edit(rule: str, before: str, after: str) -> None:
    """Every family of variants edits the exact place and nothing else."""
    block = "        break\n" if before.endswith(":") else ""
    if before.startswith("if"):
        block = "        pass\n"
    made = [
        item
        for item in variants(f"    {before}\n{block}")
        if item.proposal.rule == f"variant.{rule}"
    ]
    assert f"def work(a, b):\n    {after}\n{block}".rstrip("\n") in [
        item.variant.text.rstrip("\n") for item in made
    ]


def test_statements_are_inserted_that_containers_ask_for() -> None:
    """What a new set or list could collect is inserted before statements and at ends of blocks."""
    body = "    seen = set()\n    for one in a:\n        b(one)\n    return seen\n"
    made = {item.variant.text.rstrip("\n") for item in variants(body)}
    inside = "    seen = set()\n    for one in a:\n        b(one)\n        seen.add(one)\n    return seen"
    before = "    seen = set()\n    for one in a:\n        seen.add(one)\n        b(one)\n    return seen"
    assert f"def work(a, b):\n{inside}" in made
    assert f"def work(a, b):\n{before}" in made


def test_similar_statements_serve_as_templates() -> None:
    """A statement of the function is inserted elsewhere with one of its names replaced."""
    body = "    lines = []\n    lines.append(a)\n    a = b\n    return lines\n"
    made = {item.variant.text.rstrip("\n") for item in variants(body)}
    wanted = "    lines = []\n    lines.append(a)\n    a = b\n    lines.append(b)\n    return lines"
    assert f"def work(a, b):\n{wanted}" in made


def test_guards_return_what_the_function_returns_elsewhere() -> None:
    """A guard at the beginning answers with a value that the function has already."""
    made = variants("    if a > b:\n        return []\n    return a[b]\n")
    texts = {item.variant.text for item in made if item.proposal.rule == "variant.guard.return"}
    assert any("    if not b:\n        return []\n    if a > b:" in text for text in texts)


def test_only_suspicious_lines_are_edited() -> None:
    """A line that no failing test runs stays as it is."""
    body = "    if a < b:\n        return a + b\n    return a - b\n"
    made = variants(body, {2: 1.0, 3: 1.0})
    assert made
    assert all("return a - b" in item.variant.text for item in made)


def test_the_likeliest_comes_first_and_no_text_twice() -> None:
    """Variants are ranked by prior and suspicion, and differ from each other and from the base."""
    made = variants("    while a <= b:\n        a += 1\n    return a\n")
    chances = [item.chance for item in made]
    texts = [item.variant.text for item in made]
    assert chances == sorted(chances, reverse=True)
    assert len(texts) == len(set(texts))
    assert made[0].proposal.rule == "variant.comparison.flip"


def test_f_strings_and_docstrings_are_left_alone() -> None:
    """Neither documentation nor the inside of an f-string is edited."""
    body = '    """Return a < b."""\n    return f"{a < b}"\n'
    for item in variants(body):
        assert '"""Return a < b."""' in item.variant.text
        assert "{a < b}" in item.variant.text or 'f"' not in item.variant.text
