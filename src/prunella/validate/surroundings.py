"""Which of a program's surroundings the replays had as recorded, and which they had not."""

from prunella.model.records import Process
from prunella.model.repair import Check, CheckOutcome


def surroundings(process: Process) -> Check:
    """Return the check ``surroundings``; it never fails, and says what a replay can't bring back.

    A call that depends on what isn't reproduced differs from its record, and is set aside then.
    """
    variables = process.variables
    kept = ["the clock"]
    lost = ["the state of random generators"]
    if not variables:
        lost += ["time zone and locale", "the order of sets of text"]
    else:
        kept += ["time zone and locale"]
        seed = variables.get("PYTHONHASHSEED", "random")
        (kept if seed.isdecimal() else lost).append("the order of sets of text")
    lost += ["other environment variables", "files, services and what earlier calls left behind"]
    detail = (
        f"as recorded: {_listed(kept)}; not reproduced, so that calls which depend on it were set "
        f"aside: {_listed(lost)}"
    )
    return Check(name="surroundings", outcome=CheckOutcome.NOT_SHOWN, detail=detail)


def _listed(items: list[str]) -> str:
    return ", ".join(items)
