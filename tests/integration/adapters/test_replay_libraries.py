"""Calls with values of classes that libraries make, recorded and run again in the sandbox."""

import sys
from pathlib import Path

import pytest

from builders import AT, process
from prunella.adapters.replay import SandboxReplayer
from prunella.codec import decode, encode, encode_mapping
from prunella.model.ids import CallId
from prunella.model.repair import ReplayEnding, ReplayRequest
from prunella.model.settings import Settings
from prunella.validate import compare

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pytest.importorskip("pydantic")
pytest.importorskip("attrs")

BASKETS = """
from dataclasses import dataclass
import attrs, pydantic

@dataclass
class Order:
    number: int
    weights: list

class Customer(pydantic.BaseModel):
    name: str
    points: int = 0

@attrs.define
class Till:
    place: str

def total(order, customer, till, weights, table):
    customer.points += order.number
    return {
        "mean": weights.mean(),
        "who": customer,
        "till": till,
        "table": table.assign(share=table["price"] / table["price"].sum()),
    }
"""


def test_library_values_take_part_in_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataclass, a pydantic model, an attrs class, an ndarray and a DataFrame arrive and return."""
    (tmp_path / "baskets.py").write_text(BASKETS)
    monkeypatch.syspath_prepend(tmp_path)
    import baskets  # type: ignore[import-not-found]

    def arguments():
        return {
            "order": baskets.Order(3, [1.5]),
            "customer": baskets.Customer(name="a", points=2),
            "till": baskets.Till("door"),
            "weights": np.array([0.1, 0.2, 0.3]),
            "table": pd.DataFrame({"price": [1.0, 3.0], "name": ["x", None]}),
        }

    recorded = encode_mapping(arguments())
    assert recorded.complete
    request = ReplayRequest(
        request_id=CallId("call_1"), site_id="baskets:total", inputs=recorded.tree, started_at=AT
    )
    replayer = SandboxReplayer(Settings(replay_timeout_s=120.0, replay_memory_mb=4096))
    there = process(executable=sys.executable, sys_path=(str(tmp_path), *sys.path))
    ((outcome,),) = replayer.replay(tmp_path, there, [request], [{}])

    assert (outcome.ending, outcome.complete) == (ReplayEnding.RETURNED, True), outcome
    expected = baskets.total(**arguments())
    assert compare(outcome.result, encode(expected).tree) is None
    returned = decode(outcome.result)
    pd.testing.assert_frame_equal(returned["table"], expected["table"])
    assert returned["who"] == baskets.Customer(name="a", points=5)
