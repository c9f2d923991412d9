"""What the feed says, put in force in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from prunella.sdk.counters import count


def apply(documents: Sequence[Mapping[str, Any]]) -> None:
    """Bring the process to exactly these installations; those made by hand stay.

    One that can't be used is left out and counted: the others still act.
    """
    from prunella.sdk import runtime

    if not documents and runtime.get_fixing() is None:
        return
    from prunella.sdk.fixing import fixing

    installations = []
    for document in documents:
        installation = installation_of(document)
        if installation is not None:
            installations.append(installation)
    fixing().replace(installations)


def _measures(allocation: Mapping[str, Any]) -> dict[str, Any]:
    """Return how units are measured, where the feed says so."""
    found: dict[str, Any] = {}
    if "wait_s" in allocation:
        found["wait_s"] = float(allocation["wait_s"])
    if len(slow_s := tuple(float(each) for each in allocation.get("slow_s", ()))) == 3:
        found["slow_s"] = slow_s
    if "max_latency_ratio" in allocation:
        found["max_latency_ratio"] = float(allocation["max_latency_ratio"])
    return found


def _lot(made: Any, lot: Mapping[str, Any]) -> Any:
    return made(
        salt=str(lot["salt"]),
        begins=float(lot["begins"]),
        ends=float(lot["ends"]),
        control_from=float(lot["control_from"]),
    )


def installation_of(document: Mapping[str, Any]) -> Any:
    """Return the `Installation` of what the feed says about one fix; ``None`` if it can't be used."""
    from prunella.fixes import Allocation, Installation, Lot, Mode, parse
    from prunella.model.errors import FixError

    try:
        allocation = document.get("allocation")
        return Installation(
            fix=parse(document["document"]),
            mode=Mode(document["mode"]),
            allocation=None
            if allocation is None
            else Allocation(
                salt=str(allocation["salt"]),
                ratio=float(allocation["ratio"]),
                epoch=int(allocation["epoch"]),
                lot=None if (lot := allocation.get("lot")) is None else _lot(Lot, lot),
                **_measures(allocation),
            ),
        )
    except (FixError, ValueError, TypeError, KeyError, AttributeError) as error:
        count(f"feed_refused_{type(error).__name__}")
        return None
