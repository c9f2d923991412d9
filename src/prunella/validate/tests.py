"""What two runs of the project's tests, before and after a patch, show about it."""

from pathlib import Path

from prunella.model.repair import Check, CheckOutcome, TestReport

_GOOD = frozenset({"passed"})
_BAD = frozenset({"failed", "error"})


def compare_reports(before: TestReport, after: TestReport | None, *, mentioned: bool) -> Check:
    """Return the check ``tests``.

    A test that failed before doesn't count against the patch; one that passed before and fails or
    is gone does. Passing shows something only when the tests mention the function (`mentioned`).
    """
    if after is None:
        return _check(CheckOutcome.NOT_SHOWN, "no tests were found with the patch")
    if before.timed_out:
        return _check(CheckOutcome.NOT_SHOWN, "the tests don't end in time on the base either")
    if after.timed_out:
        return _check(CheckOutcome.FAILED, f"the tests no longer end ({after.duration_s:.0f} s)")
    if not before.results or not after.results:
        return _by_exit_code(before, after, mentioned)
    passed = {name for name, result in before.results.items() if result in _GOOD}
    broken = sorted(name for name in passed if after.results.get(name, "gone") in _BAD | {"gone"})
    if broken:
        names = ", ".join(broken[:3])
        return _check(CheckOutcome.FAILED, f"{len(broken)} tests broke: {names}"[:400])
    if not passed:
        return _check(CheckOutcome.NOT_SHOWN, "no test passes on the base")
    mended = sum(
        result in _BAD and after.results.get(name) in _GOOD
        for name, result in before.results.items()
    )
    detail = f"{len(passed)} tests that passed before pass"
    if mended:
        detail += f", and {mended} that failed before pass now"
    if not mentioned and not mended:
        return _check(CheckOutcome.NOT_SHOWN, f"{detail}, but none mentions the function")
    return _check(CheckOutcome.PASSED, detail)


def _by_exit_code(before: TestReport, after: TestReport, mentioned: bool) -> Check:
    if before.exit_code:
        detail = f"the test command fails on the base (exit code {before.exit_code})"
        last = next((line for line in reversed(before.tail.splitlines()) if line.strip()), "")
        detail = f"{detail}: {last.strip()}"[:400] if last else detail
        return _check(CheckOutcome.NOT_SHOWN, detail)
    if after.exit_code:
        return _check(CheckOutcome.FAILED, f"the test command fails (exit code {after.exit_code})")
    if not mentioned:
        return _check(CheckOutcome.NOT_SHOWN, "the tests pass, but none mentions the function")
    return _check(CheckOutcome.PASSED, "the test command succeeds as before")


def _check(outcome: CheckOutcome, detail: str) -> Check:
    return Check(name="tests", outcome=outcome, detail=detail)


def mention(tree: Path, report: TestReport, qualname: str) -> bool:
    """Whether a test file below `tree` names the function, or a test of `report` is called so."""
    name = qualname.rpartition(".")[2]
    words = qualname.split(".") if name.startswith("__") else [name]
    if any(name in test for test in report.results):
        return True
    for path in _test_files(tree):
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        if any(word in text for word in words):
            return True
    return False


def _test_files(tree: Path) -> list[Path]:
    found = [*tree.rglob("test_*.py"), *tree.rglob("*_test.py"), *tree.rglob("conftest.py")]
    inside_tests = [path for folder in tree.glob("test*") for path in folder.rglob("*.py")]
    return list(dict.fromkeys([*found, *inside_tests]))
