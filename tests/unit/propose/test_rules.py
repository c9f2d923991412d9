"""The built-in rules, as text before and text after."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from crashes import call, dossier_of, load
from prunella.propose.rules import MAX_CANDIDATES, propose_by_rules

# One of the programs forgets to await, which Python warns of.
pytestmark = pytest.mark.filterwarnings("ignore:.*coroutine")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A crash and an edit that has to be among the proposed ones."""

    rule: str
    source: str
    #: ``before => after`` of a piece of the source; ``after`` may span lines.
    edit: tuple[str, str]
    failing: Sequence[Sequence[Any]]
    passing: Sequence[Sequence[Any]] = ()
    #: What the patched function returns for the failing arguments.
    results: Sequence[Any] = field(default=())


MEAN = "def f(rows):\n    total = sum(rows)\n    return total / len(rows)  # mean\n"
CASES = [
    Case(
        rule="zero.empty.return_start",
        source=MEAN,
        edit=("    total = sum", "    if not rows:\n        return 0.0\n    total = sum"),
        failing=[([],)],
        passing=[([1, 2],)],
        results=[0.0],
    ),
    Case(
        rule="zero.inline",
        source="def f(a, b):\n    return a / b\n",
        edit=("a / b", "(a / b if b else 0.0)"),
        failing=[(1, 0)],
        passing=[(1, 2)],
        results=[0.0],
    ),
    Case(
        rule="none.get_default.other_operand",
        source='def f(d):\n    name = d.get("name")  # may be missing\n    return "Hi " + name\n',
        edit=('d.get("name")', 'd.get("name", "")'),
        failing=[({},)],
        passing=[({"name": "x"},)],
        results=["Hi "],
    ),
    Case(
        rule="none.default_parameter.passing_type",
        source="def f(items=None):\n    return [x for x in items]\n",
        edit=("    return", "    if items is None:\n        items = []\n    return"),
        failing=[(None,)],
        passing=[([1],)],
        results=[[]],
    ),
    Case(
        rule="none.continue",
        source="def f(rows):\n    out = []\n    for row in rows:\n        out.append(row.strip())\n    return out\n",
        edit=(
            "        out.append",
            "        if row is None:\n            continue\n        out.append",
        ),
        failing=[(["a", None, "b "],)],
        passing=[([" a"],)],
        results=[["a", "b"]],
    ),
    Case(
        rule="none.return_start",
        source="def f(user):\n    if user == 'x':\n        return None\n    return user.name\n",
        edit=("    if user ==", "    if user is None:\n        return None\n    if user =="),
        failing=[(None,)],
        passing=[("x",)],
        results=[None],
    ),
    Case(
        rule="index.empty.or_test",
        source="def f(x, seq):\n    if x < seq[0]:\n        return 0\n    return len(seq)\n",
        edit=("if x < seq[0]", "if not seq or x < seq[0]"),
        failing=[(1, [])],
        passing=[(1, [2])],
        results=[0],
    ),
    Case(
        rule="index.swap_checks",
        source="def f(a):\n    i = 0\n    while a[i] > 0 and i < len(a):\n        i += 1\n    return i\n",
        edit=("a[i] > 0 and i < len(a)", "i < len(a) and a[i] > 0"),
        failing=[([1, 2],)],
        passing=[([1, 0],)],
        results=[2],
    ),
    Case(
        rule="index.shrink_range",
        source="def f(a):\n    for i in range(len(a)):\n        if a[i] > a[i + 1]:\n            return False\n    return True\n",
        edit=("range(len(a))", "range(len(a) - 1)"),
        failing=[([1, 2],)],
        passing=[([2, 1],)],
        results=[True],
    ),
    Case(
        rule="index.slice",
        source='def f(user):\n    return user["first"][0] + user["last"][0]\n',
        edit=("][0]", "][:1]"),
        failing=[({"first": "", "last": "b"},), ({"first": "a", "last": ""},)],
        passing=[({"first": "a", "last": "b"},)],
        results=["b", "a"],
    ),
    Case(
        rule="none.or_at_source",
        source='def f(order):\n    discount = order.get("discount")\n    return 10 * (1 - discount)\n',
        edit=('order.get("discount")', 'order.get("discount") or 0'),
        failing=[({},), ({"discount": None},)],
        passing=[({"discount": 0.5},)],
        results=[10, 10],
    ),
    Case(
        rule="caught.answer.own",
        source='def f(rows):\n    if rows is None:\n        return None\n    row = next(iter(rows))["x"]\n    return row\n',
        edit=(
            '    row = next(iter(rows))["x"]\n',
            '    try:\n        row = next(iter(rows))["x"]\n    except StopIteration:\n        return None\n',
        ),
        failing=[([],)],
        passing=[([{"x": 1}],), (None,)],
        results=[None],
    ),
    Case(
        rule="index.minus_one",
        source="def f(a):\n    return a[len(a)]\n",
        edit=("a[len(a)]", "a[len(a) - 1]"),
        failing=[([1, 2],)],
        results=[2],
    ),
    Case(
        rule="key.setdefault",
        source="def f(rows):\n    d = {}\n    for k, v in rows:\n        d[k].append(v)\n    return d\n",
        edit=("d[k].append", "d.setdefault(k, []).append"),
        failing=[([(1, 2), (1, 3)],)],
        passing=[([],)],
        results=[{1: [2, 3]}],
    ),
    Case(
        rule="key.augmented",
        source="def f(words):\n    d = {}\n    for w in words:\n        d[w] += 1\n    return d\n",
        edit=("d[w] += 1", "d[w] = d.get(w, 0) + 1"),
        failing=[(["a", "a"],)],
        passing=[([],)],
        results=[{"a": 2}],
    ),
    Case(
        rule="key.get_typed",
        source="def f(stock, item):\n    return stock[item] + 2\n",
        edit=("stock[item]", "stock.get(item, 0)"),
        failing=[({"a": 3}, "b")],
        passing=[({"a": 3}, "a")],
        results=[2],
    ),
    Case(
        rule="key.near",
        source='def f(row):\n    return row["unit_prize"]\n',
        edit=('"unit_prize"', "'unit_price'"),
        failing=[({"unit_price": 1},)],
        results=[1],
    ),
    Case(
        rule="unbound.length",
        source="def f(x, a):\n    for i in range(len(a)):\n        if x <= a[i]:\n            return i\n    return i + 1\n",
        edit=("i + 1", "len(a)"),
        failing=[(1, [])],
        passing=[(1, [0])],
        results=[0],
    ),
    Case(
        rule="unbound.compared",
        source="def f(a):\n    n == 0\n    for _ in a:\n        n += 1\n    return n\n",
        edit=("n == 0", "n = 0"),
        failing=[([1],)],
        results=[1],
    ),
    Case(
        rule="unbound.move_up",
        source="def f(a):\n    b.sort()\n    b = list(a)\n    return b\n",
        edit=("    b.sort()\n    b = list(a)\n", "    b = list(a)\n    b.sort()\n"),
        failing=[([2, 1],)],
        results=[[1, 2]],
    ),
    Case(
        rule="unbound.init.neutral",
        source="def f(a):\n    for x in a:\n        n += x\n    return n\n",
        edit=("    for x", "    n = 0\n    for x"),
        failing=[([2, 1],)],
        results=[3],
    ),
    Case(
        rule="unbound.global",
        source="COUNT = 1\n\ndef f():\n    COUNT += 1\n    return COUNT\n",
        edit=("    COUNT +=", "    global COUNT\n    COUNT +="),
        failing=[()],
        results=[2],
    ),
    Case(
        rule="name.import",
        source='"""Doc."""\n\ndef f(x):\n    return math.sqrt(x)\n',
        edit=('"""Doc."""\n', '"""Doc."""\n\nimport math\n'),
        failing=[(4,)],
        results=[2.0],
    ),
    Case(
        rule="name.import",
        source="import os\n\nclass A:\n    @staticmethod\n    def f(x):\n        return Counter(x)\n",
        edit=("import os\n", "import os\nfrom collections import Counter\n"),
        failing=[("aa",)],
    ),
    Case(
        rule="name.unused_parameter",
        source="def f(x, seq):\n    for i, v in enumerate(data):\n        if v == x:\n            return i\n",
        edit=("data", "seq"),
        failing=[(1, [1])],
        results=[0],
    ),
    Case(
        rule="name.near",
        source="def f(total):\n    return totl * total\n",
        edit=("totl", "total"),
        failing=[(2,)],
        results=[4],
    ),
    Case(
        rule="attribute.near",
        source="def f(text):\n    return text.titles()\n",
        edit=("titles", "title"),
        failing=[("a",)],
        results=["A"],
    ),
    Case(
        rule="attribute.key",
        source="def f(row):\n    return row.price\n",
        edit=("row.price", 'row["price"]'),
        failing=[({"price": 1},)],
        results=[1],
    ),
    Case(
        rule="type.operand.str",
        source='def f(n):\n    return "n: " + n\n',
        edit=("+ n", "+ str(n)"),
        failing=[(1,)],
        passing=[("1",)],
        results=["n: 1"],
    ),
    Case(
        rule="type.range_len",
        source="def f(a):\n    return [i for i in range(a)] if a else []\n\n",
        edit=("range(a)", "range(len(a))"),
        failing=[([5, 6],)],
        passing=[([],)],
        results=[[0, 1]],
    ),
    Case(
        rule="pass.numbered",
        source="def f(a):\n    for i, x in a:\n        return i\n",
        edit=("in a", "in enumerate(a)"),
        failing=[([5],)],
        results=[0],
    ),
    Case(
        rule="type.floor_division",
        source="def f(a):\n    return a[len(a) / 2]\n",
        edit=("len(a) / 2", "len(a) // 2"),
        failing=[([1, 2, 3],)],
        results=[2],
    ),
    Case(
        rule="type.await",
        source="async def g():\n    return 1\n\nasync def f():\n    return g() + 1\n",
        edit=("return g() + 1", "return (await g()) + 1"),
        failing=[()],
        results=[2],
    ),
    Case(
        rule="value.default",
        source="def f(a):\n    return max(x for x in a)\n",
        edit=("x for x in a", "(x for x in a), default=0"),
        failing=[([],)],
        passing=[([3],)],
        results=[0],
    ),
    Case(
        rule="value.thousands",
        source="def f(text):\n    return float(text)\n",
        edit=("float(text)", 'float(text.replace(",", ""))'),
        failing=[("1,200.5",)],
        passing=[("1.5",)],
        results=[1200.5],
    ),
    Case(
        rule="value.int_of_float",
        source="def f(text):\n    return int(text)\n",
        edit=("int(text)", "int(float(text))"),
        failing=[("3.0",)],
        passing=[("3",)],
        results=[3],
    ),
    Case(
        rule="value.split_once",
        source='def f(line):\n    key, value = line.split("=")\n    return value\n',
        edit=('split("=")', 'split("=", 1)'),
        failing=[("a=b=c",)],
        passing=[("a=b",)],
        results=["b=c"],
    ),
    Case(
        rule="value.remove.if_there",
        source="def f(a, x):\n    a.remove(x)\n    return a\n",
        edit=("    a.remove(x)", "    if x in a:\n        a.remove(x)"),
        failing=[([1], 2)],
        passing=[([1], 1)],
        results=[[1]],
    ),
    Case(
        rule="caught.skip",
        source="def f(texts):\n    out = []\n    for t in texts:\n        out.append(int(t))\n    return out\n",
        edit=(
            "        out.append(int(t))\n",
            "        try:\n            out.append(int(t))\n        except ValueError:\n            continue\n",
        ),
        failing=[(["1", "x"],)],
        passing=[(["1"],)],
        results=[[1]],
    ),
    Case(
        rule="iteration.docstring",
        source='def f(rows, k):\n    """Return a row, `None` if there is none."""\n    return next(r for r in rows if r > k)\n',
        edit=("next(r for r in rows if r > k)", "next((r for r in rows if r > k), None)"),
        failing=[([1], 2)],
        passing=[([3], 2)],
        results=[None],
    ),
    Case(
        rule="file.missing.results_type",
        source="def f(path):\n    if path == 'x':\n        return [1]\n    with open(path) as file:\n        return file.readlines()\n",
        edit=(
            "    with",
            "    if not os.path.exists(path):\n        return []\n    with",
        ),
        failing=[("/nowhere/at all",)],
        passing=[("x",)],
        results=[[]],
    ),
    Case(
        rule="decode.replace",
        source="def f(raw):\n    return raw.decode()\n",
        edit=("raw.decode()", 'raw.decode(errors="replace")'),
        failing=[(b"\xff",)],
        passing=[(b"a",)],
        results=["\ufffd"],
    ),
    Case(
        rule="growth.item",
        source="def f(a):\n    out = []\n    for x in a:\n        out += x\n    return out\n",
        edit=("out += x", "out += [x]"),
        failing=[([5],)],
        passing=[([],)],
        results=[[5]],
    ),
    Case(
        rule="growth.append",
        source="def f(a):\n    out = []\n    for x in a:\n        out.extend(x)\n    return out\n",
        edit=("out.extend(x)", "out.append(x)"),
        failing=[([5],)],
        passing=[([],)],
        results=[[5]],
    ),
    Case(
        rule="growth.in_place",
        source="def f(a):\n    out = []\n    for x in a:\n        out = out.append(x)\n    return out\n",
        edit=("out = out.append(x)", "out.append(x)"),
        failing=[([5, 6],)],
        passing=[([],)],
        results=[[5, 6]],
    ),
    Case(
        rule="growth.copy",
        source="def f(a):\n    b = a.reverse()\n    return b[0]\n",
        edit=("a.reverse()", "a[::-1]"),
        failing=[([5, 6],)],
        results=[6],
    ),
    Case(
        rule="growth.begin_as",
        source="def f(a):\n    out = ()\n    for x in a:\n        out.append(x)\n    return out\n",
        edit=("out = ()", "out = []"),
        failing=[([5],)],
        results=[[5]],
    ),
    Case(
        rule="growth.begun_with_item",
        source="def f(a):\n    out = a[0]\n    if a[1] not in out:\n        out.append(a[1])\n    return out\n",
        edit=("out = a[0]", "out = [a[0]]"),
        failing=[([5, 6],)],
        results=[[5, 6]],
    ),
    Case(
        rule="form.subscript",
        source="def f(a):\n    return a(0)\n",
        edit=("a(0)", "a[0]"),
        failing=[([5],)],
        results=[5],
    ),
    Case(
        rule="form.uncalled",
        source="def f(a):\n    b = a.copy\n    return b[0]\n",
        edit=("a.copy", "a.copy()"),
        failing=[([5],)],
        results=[5],
    ),
    Case(
        rule="form.class.unused_parameter",
        source="def f(rows):\n    return [x for x in list]\n",
        edit=("in list", "in rows"),
        failing=[([5],)],
        results=[[5]],
    ),
    Case(
        rule="pass.item",
        source="def f(a):\n    for x in a:\n        if a[x] and x:\n            return x\n    return 0\n",
        edit=("a[x]", "x"),
        failing=[([7],)],
        results=[7],
    ),
    Case(
        rule="pass.indexes",
        source="def f(a):\n    out = 0\n    for i in a:\n        out += a[i]\n    return out\n",
        edit=("in a:", "in range(len(a)):"),
        failing=[([7, 8],)],
        results=[15],
    ),
    Case(
        rule="pass.backwards",
        source="def f(a):\n    for i in range(len(a)):\n        if a[i] in a[:i]:\n            del a[i]\n    return a\n",
        edit=("range(len(a))", "reversed(range(len(a)))"),
        failing=[([7, 7, 8],)],
        passing=[([7],)],
        results=[[7, 8]],
    ),
    Case(
        rule="pass.pairs",
        source="def f(d):\n    return_value = 0\n    for k, v in d:\n        return_value += v\n    return return_value\n",
        edit=("in d:", "in d.items():"),
        failing=[({1: 2},)],
        results=[2],
    ),
    Case(
        rule="name.unread",
        source="def f(a):\n    found = []\n    for x in a:\n        if x not in new:\n            found.append(x)\n    return a\n",
        edit=("not in new", "not in found"),
        failing=[([5],)],
        passing=[([],)],
        results=[[5]],
    ),
    Case(
        rule="name.method_of_first",
        source="def f(a, x):\n    append(a, x)\n    return a\n",
        edit=("append(a, x)", "a.append(x)"),
        failing=[([5], 6)],
        results=[[5, 6]],
    ),
    Case(
        rule="unbound.outer_counter",
        source="def f(a):\n    n = 0\n    for i in range(2):\n        for j in range(j + 1, 3):\n            n += 1\n    return n\n",
        edit=("range(j + 1", "range(i + 1"),
        failing=[([],)],
        results=[3],
    ),
    Case(
        rule="index.first_of_none",
        source="def f(a):\n    out = [a[0]]\n    return out\n",
        edit=("[a[0]]", "a[:1]"),
        failing=[([],)],
        passing=[([1],)],
        results=[[]],
    ),
    Case(
        rule="none.forgotten_return",
        source="def f(a):\n    out = []\n    if not a:\n        return out\n    out += f(a[1:])\n    out += a[:1]\n",
        edit=("a[:1]\n", "a[:1]\n    return out\n"),
        failing=[([5, 6],)],
        passing=[([],)],
        results=[[6, 5]],
    ),
    Case(
        rule="argument.missing",
        source="def f(a, k):\n    return a[:k] if len(a) < 3 else f(a[1:])\n",
        edit=("f(a[1:])", "f(a[1:], k)"),
        failing=[([1, 2, 3], 1)],
        results=[[2]],
    ),
    Case(
        rule="argument.key",
        source="def f(a):\n    return sorted(a, lambda x: -x)\n",
        edit=("lambda x", "key=lambda x"),
        failing=[([1, 2],)],
        results=[[2, 1]],
    ),
    Case(
        rule="attribute.built_in",
        source="def f(a):\n    return a.length\n",
        edit=("a.length", "len(a)"),
        failing=[([1, 2],)],
        results=[2],
    ),
    Case(
        rule="type.component",
        source="def f(p, n):\n    return p > n\n",
        edit=("p > n", "p[1] > n"),
        failing=[(("x", 3), 2)],
        results=[True],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_a_rule_proposes_the_edit(case: Case) -> None:
    """The edit is among the candidates, changes nothing else, and heals the failing calls."""
    name = "A.f" if "class A" in case.source else "f"
    dossier = dossier_of(case.source, name, failing=case.failing, passing=case.passing)
    candidates = propose_by_rules(dossier)
    before, after = case.edit
    assert case.source.count(before) >= 1
    expected = case.source.replace(before, after)
    if case.rule.startswith("file."):
        expected = "import os\n\n" + expected
    chosen = [item for item in candidates if item.patch.after.decode() == expected]
    assert chosen, "\n".join(f"{item.origin}: {item.description}" for item in candidates)
    assert chosen[0].origin.startswith(f"rule:{case.rule}")
    assert chosen[0].reason
    assert 0 < chosen[0].prior <= 1
    target = load(expected)[name.split(".")[0]]
    target = getattr(target, "f", target)
    answers = [call(target, arguments) for arguments in case.failing]
    assert not case.results or answers == list(case.results)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_candidates_compile_differ_and_are_sorted(case: Case) -> None:
    """Every candidate compiles, no two have the same source, and priors fall."""
    name = "A.f" if "class A" in case.source else "f"
    dossier = dossier_of(case.source, name, failing=case.failing, passing=case.passing)
    candidates = propose_by_rules(dossier)
    sources = [item.patch.after for item in candidates]
    for source in sources:
        compile(source, "candidate", "exec")
    assert len(set(sources)) == len(sources) <= MAX_CANDIDATES
    priors = [item.prior for item in candidates]
    assert priors == sorted(priors, reverse=True)


def test_recursion_is_left_alone() -> None:
    """Nothing simple mends an endless recursion, so nothing is proposed."""
    dossier = dossier_of("def f(n):\n    return f(n - 1)\n", "f", failing=[(1,)])
    assert propose_by_rules(dossier) == []


def test_a_guard_never_repeats_a_call_that_may_change_something() -> None:
    """`stack.pop()` is None: asking that again would take another item away."""
    source = "def f(stack):\n    return stack.pop().name\n"
    dossier = dossier_of(source, "f", failing=[([1, None],)])
    assert all(item.patch.after.count(b"pop()") == 1 for item in propose_by_rules(dossier))


def test_nothing_is_proposed_without_a_function() -> None:
    """Where the function can't be found there is nothing to edit."""
    dossier = dossier_of(MEAN, "f", failing=[([],)])
    assert propose_by_rules(replace(dossier, function=None, function_missing="gone")) == []


def test_the_recorded_failure_serves_where_none_was_reproduced() -> None:
    """Without a replay the recorded traceback locates the crash, even where lines have moved."""
    dossier = dossier_of(MEAN, "f", failing=[([],)], passing=[([1],)])
    moved = "# one line\n# more\n" + MEAN
    assert dossier.function is not None
    function = replace(
        dossier.function, file_source=moved.encode(), first_line=dossier.function.first_line + 2
    )
    empty = replace(dossier.baseline, failing=())
    found = propose_by_rules(replace(dossier, function=function, baseline=empty))
    assert any(b"if not rows" in item.patch.after for item in found)


def test_formatting_and_comments_stay() -> None:
    """A candidate's diff holds the lines of the edit alone."""
    source = "def f(a ,b):  # odd\n    # why\n    return ( a /\n        b )  # tail\n"
    dossier = dossier_of(source, "f", failing=[(1, 0)], passing=[(1, 1)])
    for candidate in propose_by_rules(dossier):
        removed = [line for line in candidate.patch.diff.splitlines()[2:] if line.startswith("-")]
        assert len(removed) <= 2
        assert "# why" in candidate.patch.after.decode()
        assert "# tail" in candidate.patch.after.decode()


def test_hostile_text_in_values_is_never_taken_into_the_patch_unquoted() -> None:
    """Keys and messages of the failing program reach a patch as quoted literals only."""
    evil = "x'] or __import__('os').system('true') or d['x"
    source = "def f(d):\n    return d['x] or __import__(0).system(0) or d[x']\n"
    dossier = dossier_of(source, "f", failing=[({evil: 1},)])
    for candidate in propose_by_rules(dossier):
        after = load(candidate.patch.after.decode())["f"]
        assert after({evil: 1}) in (0, 1, None)
