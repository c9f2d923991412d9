"""How well the judge tells wrong patches from right ones, on the example program.

    python benchmarks/oracle.py [--each N]

Runs the demo into a temporary folder, takes the patch that was published for each fault, and
breaks it in many small ways. A mutant that gives the published results on every once-failing call
is no wrong patch as far as anyone recorded: it is left out as `same`. All others are wrong, and are
judged as they would be if a model had proposed them: replayed, and tested with the shop's own tests.

Prints rejected, inconclusive and accepted by kind of mutation, and each that isn't rejected with its
diff.
`--each` bounds the wrong mutants of one kind that are judged for one fault (default 3).
"""

import argparse
import ast
import copy
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prunella.cli.example import copy_example, drive
from prunella.model.dossier import Dossier
from prunella.model.errors import PatchRefused
from prunella.model.repair import Candidate, Rejected
from prunella.pipeline.gather import Recorded, checked_out, gather, recorded, with_callers
from prunella.pipeline.parts import Parts
from prunella.propose.candidates import make_candidate
from prunella.validate import judge
from prunella.validate.compare import compare_values
from prunella.validate.policy import named
from prunella.validate.reproduce import replay_request
from prunella.wiring.healer import Healer

#: What a confident model's patch starts with.
PRIOR = 0.6
#: The judge tests so many at a time.
GROUP = 3
FLIPPED = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,  # codespell:ignore notin
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


def invented(value: object) -> list[object]:
    """Return values of the same kind, of none, and such as people answer with for nothing."""
    if value is None:
        return ["", 0, False]
    if isinstance(value, str):
        return [f"{value}unknown", None, "" if value else "-"]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [type(value)(42), None, type(value)(-1 if value == 0 else 0)]
    return []


def in_place(function: Function) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Yield the kind of a mutation, a node of the function, and what stands in its place."""
    docstring = function.body[0].value if ast.get_docstring(function) is not None else None
    for node in ast.walk(function):
        if isinstance(node, ast.stmt):
            yield from _statements(node)
        elif isinstance(node, ast.Constant) and node is not docstring:
            yield from _constants(node)
        elif isinstance(node, ast.expr):
            yield from _expressions(node)


def _statements(node: ast.stmt) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
        for value in invented(node.value.value):
            yield "value invented", node, ast.Return(ast.Constant(value))
    elif isinstance(node, ast.Return) and isinstance(node.value, (ast.List, ast.Dict)):
        for value in (None, "", 0):
            yield "value invented", node, ast.Return(ast.Constant(value))
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        for value in invented(node.value.value):
            yield "value invented", node, ast.Assign(node.targets, ast.Constant(value), lineno=0)
    elif isinstance(node, ast.If):
        yield "branch deleted", node, ast.Pass()
        yield "branch deleted", node, ast.If(ast.Constant(True), node.body, [])


def _constants(node: ast.Constant) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    if type(node.value) in (int, float):
        yield "off by one", node, ast.Constant(node.value + 1)
        yield "off by one", node, ast.Constant(node.value - 1)
    elif isinstance(node.value, str):
        yield "wrong constant", node, ast.Constant(f"{node.value}x")
    if type(node.value) in (int, float):
        yield "wrong constant", node, ast.Constant(node.value * 10 + 7)
    if node.value is None:
        for value in invented(None):
            yield "value invented", node, ast.Constant(value)


def _expressions(node: ast.expr) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in FLIPPED:
        ops = [FLIPPED[type(node.ops[0])](), *node.ops[1:]]
        yield "comparison flipped", node, ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "comparison flipped", node, node.operand
    elif isinstance(node, ast.Call) and node.keywords and (node.args or node.keywords[1:]):
        yield "argument dropped", node, ast.Call(node.func, node.args, node.keywords[:-1])
    elif isinstance(node, ast.Call) and len(node.args) > 1:
        yield "argument dropped", node, ast.Call(node.func, node.args[:-1], [])


def mutants(healed: Function, base: Function, error: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and text of each wrong version of the function, no text twice."""
    seen = {ast.unparse(healed)}
    for kind, text in (*_mutated(healed), *_swallowing(base, error)):
        if text not in seen:
            seen.add(text)
            yield kind, text


def _mutated(healed: Function) -> Iterator[tuple[str, str]]:
    for number, (kind, _, _) in enumerate(in_place(healed)):
        changed = copy.deepcopy(healed)
        _, old, new = list(in_place(changed))[number]
        yield kind, ast.unparse(ast.fix_missing_locations(_Replacing(old, new).visit(changed)))


def _swallowing(base: Function, error: str) -> Iterator[tuple[str, str]]:
    generates = any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(base))
    for ending in (
        ("return None", "return ''", "return 0", "pass") if not generates else ("return",)
    ):
        handler = ast.ExceptHandler(ast.Name(error), None, _statement(ending))
        swallowing = copy.deepcopy(base)
        head = 1 if ast.get_docstring(base) else 0
        guarded = ast.Try(swallowing.body[head:], [handler], [], [])
        swallowing.body = [*swallowing.body[:head], guarded]
        yield "exception swallowed", ast.unparse(ast.fix_missing_locations(swallowing))


def _statement(text: str) -> list[ast.stmt]:
    function = ast.parse(f"def f():\n    {text}").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.body


class _Replacing(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


class Bench:
    """Judges mutants of the patches of one healed copy of the program."""

    def __init__(self, folder: Path, each: int) -> None:
        self.folder, self.each = folder, each
        self.found: Counter[tuple[str, str]] = Counter()

    def run(self) -> None:
        """Heal every fault and judge the mutants of each patch."""
        with Healer(root=self.folder) as healer:
            healer.refresh()
            for incident in healer.pending():
                facts = recorded(healer.parts, incident)
                healing = healer.heal(incident, create_pr=False)
                if not healing.proposals or healing.outcome.value not in ("healed", "proven"):
                    print(f"{incident.site_id}: {healing.outcome.value}", flush=True)
                accepted = [item for item in healing.proposals if item.accepted]
                if accepted:
                    self._fault(healer.parts, facts, incident, accepted[0].candidate)

    def _fault(self, parts: Parts, facts: Recorded, incident, right: Candidate) -> None:
        with checked_out(parts) as tree:
            facts = with_callers(parts, incident, facts, tree)
            dossier = gather(parts, incident, facts, tree)
            patch = right.patch
            healed = next(iter(named(ast.parse(patch.after), patch.qualname)))
            base = next(iter(named(ast.parse(patch.before), patch.qualname)))
            error = incident.error_type.rpartition(":")[2].rpartition(".")[2]
            made = [
                candidate
                for kind, text in mutants(healed, base, error)
                if (candidate := self._candidate(dossier, kind, text)) is not None
            ]
            items = [occurrence for occurrence, _ in dossier.baseline.failing]
            requests = [replay_request(item, facts.answers) for item in items]
            variants = [{patch.path: item.patch.after} for item in (right, *made)]
            rows = parts.replayer.replay(tree, facts.process, requests, variants)
            judged, seen = [], Counter()
            for candidate, row in zip(made, rows[1:], strict=True):
                kind = candidate.description
                if all(
                    left.ending is other.ending and compare_values(left.result, other.result).equal
                    for left, other in zip(rows[0], row, strict=True)
                ):
                    self.found[kind, "same"] += 1
                elif seen[kind] < self.each:
                    seen[kind] += 1
                    judged.append(candidate)
            self._judge(parts, facts, dossier, tree, judged)
        print(f"{incident.site_id}: {len(judged)} wrong patches judged", flush=True)

    def _candidate(self, dossier: Dossier, kind: str, text: str) -> Candidate | None:
        try:
            return make_candidate(
                dossier, text, origin="model:mutant", description=kind, reason="", prior=PRIOR
            )
        except PatchRefused:
            return None

    def _judge(self, parts: Parts, facts: Recorded, dossier, tree: Path, wrong) -> None:
        for start in range(0, len(wrong), GROUP):
            group = wrong[start : start + GROUP]
            verdicts = judge(
                group, dossier.baseline, parts.replayer, parts.test_runner, tree, facts.process,
                answers=facts.answers,
            )  # fmt: skip
            for candidate, verdict in zip(group, verdicts, strict=True):
                outcome = type(verdict).__name__.lower()
                self.found[candidate.description, outcome] += 1
                if not isinstance(verdict, Rejected):
                    print(
                        f"{outcome} ({verdict.score}): {candidate.description}: {verdict.summary}"
                    )
                    print(candidate.patch.diff, flush=True)


def main() -> None:
    """Print what became of the mutants."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prunella-oracle-") as name:
        folder = copy_example(Path(name) / "shop")
        list(drive(folder))
        bench = Bench(folder, options.each)
        bench.run()
    outcomes = ("rejected", "inconclusive", "accepted", "same")
    print(f"{'':<22}" + "".join(f"{item:>14}" for item in outcomes))
    for kind in sorted({kind for kind, _ in bench.found}):
        print(f"{kind:<22}" + "".join(f"{bench.found[kind, item]:>14}" for item in outcomes))
    totals = {item: sum(n for (_, o), n in bench.found.items() if o == item) for item in outcomes}
    wrong = sum(totals[item] for item in outcomes[:3])
    held = wrong - totals["accepted"]
    print(f"not accepted: {held} of {wrong} wrong patches ({held / max(wrong, 1):.1%})")
    rejected = totals["rejected"]
    print(f"rejected: {rejected} of {wrong} ({rejected / max(wrong, 1):.1%})")


if __name__ == "__main__":
    main()
