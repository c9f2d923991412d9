"""Callers of a failing function, from the running program to the verdict."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from prunella.model.errors import SandboxUnavailable
from prunella.model.repair import CheckOutcome, Rejected
from prunella.wiring.healer import Healer

FILES = {
    "pyproject.toml": "[tool.prunella]\n",
    "prices.py": """
        from prunella import heal


        @heal
        def average(values: list[float]) -> float:
            \"\"\"Return the mean, 0.0 of nothing.\"\"\"
            return sum(values) / len(values)
    """,
    "report.py": """
        from prices import average
        from prunella import heal


        def rounded(values):
            return round(average(values), 1)


        @heal
        def line(values):
            return f"{rounded(values)} EUR"


        @heal
        def patient(values):
            try:
                return rounded(values)
            except ZeroDivisionError:
                return None
    """,
    "main.py": """
        from prices import average
        from report import line, patient

        for values in ([1.0], [2.0, 3.0], [4.0, 5.5], [6.0], [7.0, 9.0]):
            average(values), line(values), patient(values)
        for function in (average, line, patient):
            try:
                function([])
            except ZeroDivisionError:
                pass
        for function in (line, patient):
            try:
                function([])
            except ZeroDivisionError:
                pass
    """,
}


def test_callers_are_replayed_with_the_patch(tmp_path: Path) -> None:
    """Recorded calls of the sites that call it, through other functions too, count in a verdict."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(textwrap.dedent(text).lstrip())
    subprocess.run([sys.executable, "main.py"], cwd=tmp_path, check=True)
    with Healer(root=tmp_path) as healer:
        healer.refresh()
        (incident,) = healer.pending()
        try:
            healing = healer.heal(incident, keep=False)
        except SandboxUnavailable as error:
            pytest.skip(str(error))
    assert healing.best is not None
    assert not isinstance(healing.best.verdict, Rejected)
    (check,) = [item for item in healing.best.verdict.checks if item.name == "callers"]
    assert check.outcome is CheckOutcome.PASSED
    assert "(report:line, report:patient)" in check.detail
    assert "met the failure return" in check.detail
