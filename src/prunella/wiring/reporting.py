"""What ``prunella doctor`` says where programs report to a server instead of the store here."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from prunella.adapters.feed import switched_off
from prunella.model.clock import from_us
from prunella.model.errors import ConfigurationError
from prunella.model.project import data_folder
from prunella.model.settings import Settings
from prunella.pipeline.results import Finding, FindingLevel
from prunella.sdk.connection import Connection, NoAnswerError
from prunella.sdk.dsn import Dsn, parse
from prunella.sdk.feed import MAX_BYTES
from prunella.sdk.reporting_state import STATE_NAME, ReportState, read_state
from prunella.sdk.shipping import pending_bytes

AREA = "reporting"
#: A server that takes longer has failed.
_DEADLINE_S = 5.0
_SPOOL_NAME = "spool"


def examine_reporting(root: Path, settings: Settings) -> Iterator[Finding]:
    """Yield whether the server is reached, takes the key, and how far the records are reported."""
    folder = data_folder(root)
    state = read_state(folder)
    if settings.dsn:
        try:
            dsn = parse(settings.dsn, plain_http=settings.dsn_plain_http)
        except ConfigurationError as error:
            yield _found(FindingLevel.PROBLEM, str(error), "correct PRUNELLA_DSN")
            return
        if settings.offline:
            yield _found(
                FindingLevel.WARNING, "nothing is reported: offline is set", "unset `offline`"
            )
        else:
            yield _reached(dsn)
    elif state is not None:
        yield _found(
            FindingLevel.WARNING,
            f"programs here report to {state.place}, but PRUNELLA_DSN isn't set for this command",
            f"set it; or remove {folder / STATE_NAME} where they report there no more: records stay "
            "in the spool until one of both",
        )
    yield from _progress(folder, state)
    for fix_id in switched_off(folder):
        what, name = ("all fixes are", "") if fix_id is None else (f"{fix_id} is", f" {fix_id}")
        advice = f"prunella fixes on{name}, here or on the server, wherever it was done"
        yield _found(FindingLevel.WARNING, f"{what} switched off", advice)


def _reached(dsn: Dsn) -> Finding:
    connection = Connection(dsn)
    try:
        answer = connection.request("GET", "feed", deadline_s=_DEADLINE_S, max_bytes=MAX_BYTES)
    except NoAnswerError as error:
        return _found(
            FindingLevel.PROBLEM,
            f"{dsn.place} can't be reached: {error}",
            "nothing is lost: records stay in the spool; look at the address, the network and the "
            "server",
        )
    finally:
        connection.close()
    if answer.status == 200:
        return _found(FindingLevel.OK, f"{dsn.place} is reached and takes the key")
    if answer.status in (401, 403):
        return _found(
            FindingLevel.PROBLEM,
            f"{dsn.place} refuses the key (status {answer.status})",
            "make a key by `prunella keys add` on the server, and set PRUNELLA_DSN",
        )
    return _found(
        FindingLevel.PROBLEM,
        f"{dsn.place} answers with status {answer.status}",
        "look at the address and the project's name in PRUNELLA_DSN",
    )


def _progress(folder: Path, state: ReportState | None) -> Iterator[Finding]:
    if state is None:
        yield _found(FindingLevel.OK, "no program has reported from here yet")
        return
    waiting = f"{pending_bytes(folder / _SPOOL_NAME, state):,} bytes wait in the spool"
    last = f"last reported {_shown(state.shipped_at_us)}" if state.shipped_at_us else "never yet"
    if state.problem:
        yield _found(
            FindingLevel.WARNING,
            f"{last}; {waiting}; since {_shown(state.problem_since_us)}: {state.problem}",
            f"programs try again by themselves, next at {_shown(state.retry_at_us)}",
        )
    else:
        yield _found(FindingLevel.OK, f"{last}; {waiting}")
    if state.dropped:
        yield _found(
            FindingLevel.WARNING,
            f"{state.dropped:,} records left the spool unreported, for want of room or because the "
            "server takes none so large; failures stay counted",
            "raise `spool_mb` where servers may be away for long",
        )


def _shown(at_us: int) -> str:
    moment: datetime = from_us(at_us)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _found(level: FindingLevel, statement: str, advice: str = "") -> Finding:
    return Finding(area=AREA, level=level, statement=statement, advice=advice)
