"""What the page of a fix says besides its numbers."""

import pytest
from starlette.testclient import TestClient

from prunella.model.records import Exposures
from prunella.server.app import create_app
from prunella.server.workspaces import EmbeddedWorkspace

PAGE = "/p/local/fixes/fix-averages"


@pytest.fixture
def healer(workspaces):
    """The project, with programs that counted what answers cost."""
    found = workspaces.open("local").healer
    rollout = found.fixes.approve("fix-averages")
    place = {"rollout_id": rollout.rollout_id, "epoch": rollout.epoch, "ratio": rollout.ratio}
    tally = {
        **place,
        "arm": "treatment",
        "counts": {"n": 9, "failures": 0, "costs": 9, "cost_sum": 81.0, "cost_squares": 729.0},
    }
    record = Exposures(process_id="proc_1", sequence=1, tallies=(tally,))
    found.store.ingest([record], spool_name="s2", end_offset=1)
    return found


def test_costs_in_tokens_say_how_to_have_dollars(client, healer):
    """Without prices the page says why costs are tokens, and by which setting they are dollars."""
    page = client.get(PAGE).text
    assert "9 tokens" in page
    assert "llm_prices isn&#39;t set here" in page
    assert "PRUNELLA_LLM_PRICES=&#34;large=2.00/8.00" in page


def test_costs_in_dollars_need_no_word(project, client, healer):
    """Where the project has prices nothing is to be said."""
    (project / "pyproject.toml").write_text('[tool.prunella]\nllm_prices = "*=0.10/0.40"\n')
    priced = EmbeddedWorkspace(project)
    page = TestClient(create_app(priced), base_url="http://127.0.0.1:8787").get(PAGE).text
    priced.close()
    assert "$0.0000090" in page
    assert "llm_prices isn" not in page
