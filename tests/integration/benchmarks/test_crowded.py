"""The benchmark of a crowded store asks for every page, of either database."""

import importlib
import re
from pathlib import Path

import pytest

from prunella.server.dashboard.views import recent
from recorded import an_occurrence
from stores import DATABASES, server_url

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.mark.parametrize("kind", DATABASES)
def test_a_crowd_is_kept_and_asked_for_every_page(kind, tmp_path, capsys, monkeypatch):
    """A store that was filled isn't filled again; each address answers, from few transactions."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    crowded = importlib.import_module("crowded")
    monkeypatch.setattr(recent, "MAX_AGE_S", recent.MAX_AGE_S)  # which the benchmark changes
    monkeypatch.setattr(crowded, "_TIMES", 1)
    monkeypatch.setattr(crowded, "_BATCH", 150)
    database = server_url() if kind == "postgres" else None
    crowded.run(an_occurrence(1), 400, database, tmp_path, keep=True)
    first = capsys.readouterr().out
    assert "filled with 400 occurrences" in first
    crowded.run(an_occurrence(1), 400, database, tmp_path, keep=False)
    second = capsys.readouterr().out
    assert "filled" not in second
    measured = re.findall(r"^(.+?)\s+([\d.]+) ms\s+([\d.]+) ms\s+(\d+)$", second, re.MULTILINE)
    assert len(measured) > 30
    assert max(int(times) for *_, times in measured) < 40
