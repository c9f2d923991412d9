"""What a dashboard's and an API's answers cost where very much is kept.

``python benchmarks/store.py --occurrences 1000000`` fills a store with failures of the last 30 days in a
hundredth as many incidents, a few of which fail much more often than most, and asks for every page.
With ``--keep FOLDER`` the store stays there (in PostgreSQL: its project, named after the folder), and is
measured again by the next run. Each figure is of the whole answer, made anew each time, as the fastest of
several; beside it stand how much of that the store took and in how many transactions.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from prunella.adapters.sql import intake
from prunella.adapters.sql.connection import Connection, Database
from prunella.adapters.sql.rows import dump
from prunella.adapters.sql_store import SqlStore
from prunella.model.audit import AuditEntry
from prunella.model.clock import now
from prunella.model.ids import AuditId, CallId, CaseId, OccurrenceId, ProcessId, SiteId, new_id
from prunella.model.incidents import Case, Incident, IncidentStatus
from prunella.model.records import Call, Counts, Occurrence, Process, Record, Site
from prunella.ports import IncidentOrder, IncidentQuery, Triaged
from prunella.server.app import create_app
from prunella.server.dashboard.views import recent
from prunella.server.workspaces import Workspace
from prunella.triage import Rules, triage
from prunella.wiring.healer import Healer

_PERIOD = timedelta(days=30)
_SITES, _PROCESSES, _RELEASES, _CALLS_EACH, _CASES, _DECISIONS = 500, 100, 20, 20, 500, 5000
_BATCH = 5000
_SPOOL = "s"
_TIMES = 5
_WORDS = [
    "order",
    "price",
    "invoice",
    "customer",
    "basket",
    "currency",
    "address",
    "payment",
    "refund",
    "shipment",
    "stock",
    "coupon",
    "session",
    "token",
    "header",
    "timeout",
    "parser",
    "schema",
    "field",
    "record",
]
_ERRORS = ("ValueError", "KeyError", "TypeError", "AttributeError", "IndexError", "TimeoutError")
_FIX = {"fix_type": "retry", "config": {"max_retries": 2}}


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the failures are of: one of each incident, with what triage says of it, and its weight."""

    examples: Sequence[Occurrence]
    triaged: Sequence[Triaged]
    bodies: Sequence[str]
    weights: Sequence[float]


class OneProject:
    """The one project that is asked for; implements `prunella.server.workspaces.Workspaces`."""

    def __init__(self, healer: Healer) -> None:
        self._workspace = Workspace(name="local", healer=healer)

    def names(self) -> Sequence[str]:
        return ("local",)

    def open(self, name: str) -> Workspace | None:
        return self._workspace if name == "local" else None

    def prepare(self, name: str) -> None:
        raise NotImplementedError(name)

    def close(self) -> None:
        self._workspace.healer.close()


class Watched:
    """A database that adds up how long its readers took."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.took_s, self.times = 0.0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        started = time.perf_counter()
        try:
            with self._database.reading() as db:
                yield db
        finally:
            self.took_s += time.perf_counter() - started
            self.times += 1


def crowd(example: Occurrence, incidents: int) -> Crowd:
    """Return so many kinds of failure that differ in function, error and message."""
    dice = random.Random(1)
    examples, rules = [], Rules()
    for number in range(incidents):
        error = dice.choice(_ERRORS)
        first, second = dice.sample(_WORDS, 2)
        frames = tuple(
            replace(frame, qualname=f"step_{number}_{depth}", module=f"shop.part_{number % 50}")
            for depth, frame in enumerate(example.exception.frames)
        )
        info = replace(
            example.exception,
            type=f"builtins:{error}",
            mro=(f"builtins:{error}", "builtins:Exception"),
            message=f"{first} {number} has no {second!r}",
            frames=frames,
        )
        site = SiteId(f"shop.part_{number % 50}:function_{number % _SITES}")
        examples.append(replace(example, exception=info, site_id=site, group=f"g{number}"))
    return Crowd(
        examples=examples,
        triaged=[triage(item, rules) for item in examples],
        bodies=[dump(replace(item, occurrence_id=OccurrenceId("occ_"))) for item in examples],
        weights=[1 / (rank + 20) for rank in range(incidents)],
    )


def fill(store: SqlStore, example: Occurrence, number: int) -> None:
    """Keep `number` failures, and something of everything else that pages show.

    Goes on where it was cut off.
    """
    at = now()
    store.ingest(list(_around(example, at)), spool_name="around", end_offset=1)
    kinds = crowd(example, max(number // 100, 1))
    for begin in range(store.spool_offset(_SPOOL), number, _BATCH):
        end = min(begin + _BATCH, number)
        batch = intake.Batch(findings={})
        batch.triaged += failures(
            kinds, begin, end, lambda each: at - _PERIOD * (1 - each / number)
        )
        with store._database.writing() as db:  # noqa: SLF001 - bodies that are made already
            intake.keep(db, batch, spool_name=_SPOOL, start_offset=begin, end_offset=end)
    _work(store, at)
    store.prune(max_age=timedelta(days=9999), max_bytes=10**12)


def failures(
    kinds: Crowd, begin: int, end: int, moment: Callable[[int], datetime]
) -> Iterator[tuple[Occurrence, Triaged, str]]:
    """Yield the failures of these numbers as the store takes them in."""
    dice, chosen = random.Random(begin), range(len(kinds.examples))
    picked = dice.choices(chosen, kinds.weights, k=end - begin)
    for number, drawn in enumerate(picked, start=begin):
        kind = number if number < len(chosen) else drawn  # each fails once at the least
        name = OccurrenceId(f"occ_{number}")
        failed = replace(
            kinds.examples[kind],
            occurrence_id=name,
            process_id=ProcessId(f"proc_{dice.randrange(_PROCESSES)}"),
            started_at=moment(number),
        )
        yield failed, kinds.triaged[kind], kinds.bodies[kind].replace('"occ_"', f'"{name}"', 1)


def _around(example: Occurrence, at: datetime) -> Iterator[Record]:
    """Yield what programs report beside failures."""
    for number in range(_PROCESSES):
        yield Process(
            process_id=ProcessId(f"proc_{number}"),
            pid=number,
            started_at=at - _PERIOD + _PERIOD * number / _PROCESSES,
            python_version="3.11.7",
            executable="/usr/bin/python3",
            sys_path=(),
            root="/srv/shop",
            cwd="/srv/shop",
            argv=("app.py",),
            hostname=f"host_{number % 8}",
            prunella_version="0",
            release=f"1.{number * _RELEASES // _PROCESSES}",
            environment="production",
        )
    names = [SiteId(f"shop.part_{number % 50}:function_{number}") for number in range(_SITES)]
    for number, name in enumerate(names):
        yield Site(
            site_id=name,
            module=name.partition(":")[0],
            qualname=f"function_{number}",
            file="shop/orders.py",
            first_line=3,
            source_hash="00",
            parameters=("values",),
        )
        for index in range(_CALLS_EACH):
            yield Call(
                call_id=CallId(f"call_{number}_{index}"),
                site_id=name,
                source_hash="00",
                process_id=ProcessId("proc_1"),
                trace_id="t",
                started_at=at - timedelta(seconds=index),
                duration_us=100 + index,
                inputs=example.inputs,
                result=index,
                complete=True,
            )
    for number in range(_PROCESSES):
        yield Counts(
            process_id=ProcessId(f"proc_{number}"),
            sequence=1,
            sites={name: {"calls": 1000, "errors": 5} for name in names[number::5]},
            sdk={},
        )


def _work(store: SqlStore, at: datetime) -> None:
    """Keep what a healer and people did: cured and ignored incidents, decisions, cases."""
    found = store.find_incidents(IncidentQuery(order=IncidentOrder.COUNT, limit=3000)).items
    for number, incident in enumerate(found[1::2]):
        status = (IncidentStatus.CURED, IncidentStatus.MITIGATED, IncidentStatus.IGNORED)[
            number % 3
        ]
        store.set_status(incident.incident_id, status)
    for number in range(_DECISIONS):
        store.save_audit(
            AuditEntry(
                audit_id=AuditId(new_id("aud")),
                at=at - timedelta(minutes=_DECISIONS - number),
                actor=f"person_{number % 9}@host",
                action="incident.ignored",
                subject=found[number % len(found)].incident_id,
                reason=f"known since {_WORDS[number % len(_WORDS)]} {number}",
            )
        )
    for number, incident in enumerate(found[:_CASES]):
        store.save_case(_case(number, incident, at))


def _case(number: int, incident: Incident, at: datetime) -> Case:
    diff = (
        "--- a/shop/orders.py\n+++ b/shop/orders.py\n@@ -1,2 +1,2 @@\n def f():\n-    a\n+    b\n"
    )
    return Case(
        case_id=CaseId(f"case_{number}"),
        incident_id=incident.incident_id,
        error_type=incident.error_type,
        error_code=incident.error_code,
        function=incident.site_id,
        message=incident.message,
        root_cause=f"the {_WORDS[number % len(_WORDS)]} may be missing",
        resolution="ask for it first",
        origin="rule:guard",
        diff=diff,
        learned_at=at - timedelta(minutes=number),
    )


def add_fixes(healer: Healer) -> None:
    """Let some fixes wait for approval."""
    for number in range(10):
        target = {"sites": [f"shop.part_{number}:function_{number}"]}
        healer.fixes.add(_FIX | {"fix_id": f"fix-{number}", "target": target}, reason="it may help")


def addresses(store: SqlStore) -> Mapping[str, str]:
    """Return what is asked for: its name to its address."""
    often = store.find_incidents(IncidentQuery(order=IncidentOrder.COUNT, limit=2)).items[0]
    page, api = "/p/local", "/api/v1/projects/local"
    return {
        "overview, a day": f"{page}/?period=24h",
        "overview, 30 days": f"{page}/?period=30d",
        "incidents": f"{page}/incidents",
        "incidents, page 100": f"{page}/incidents?page=100",
        "incidents, cured": f"{page}/incidents?status=cured",
        "incidents by two words": f"{page}/incidents?q=invoice+77",
        "incidents by a common word": f"{page}/incidents?q=ERROR",
        "incidents by meaning": f"{page}/incidents?q=currencies+of+shipments",
        "incidents by code": f"{page}/incidents?code={often.error_code.partition('.')[0]}",
        "incidents by module": f"{page}/incidents?site=shop.part_7",
        "incidents by release": f"{page}/incidents?release=1.7",
        "the busiest incident": f"{page}/incidents/{often.incident_id}",
        "fixes": f"{page}/fixes",
        "fixes, candidates": f"{page}/fixes?tab=candidates",
        "sites": f"{page}/sites",
        "a site": f"{page}/sites/{often.site_id}",
        "cases": f"{page}/cases",
        "cases by words": f"{page}/cases?q=coupon+missing",
        "alerts": f"{page}/alerts",
        "audit": f"{page}/audit",
        "audit by words": f"{page}/audit?q=coupon+person_3",
        "API: incidents": f"{api}/incidents",
        "API: the most frequent": f"{api}/incidents?order=count",
        "API: the newest": f"{api}/incidents?order=first_seen",
        "API: by words, frequent first": f"{api}/incidents?order=count&text=invoice",
        "API: in an environment": f"{api}/incidents?environment=production",
        "API: an incident": f"{api}/incidents/{often.incident_id}",
        "API: 100 occurrences": f"{api}/incidents/{often.incident_id}/occurrences?limit=100",
        "API: sites": f"{api}/sites",
        "API: fixes": f"{api}/fixes",
        "API: cases": f"{api}/cases",
        "API: audit": f"{api}/audit",
        "API: metrics, 30 days": f"{api}/metrics?days=30",
        "API: metrics, of everything": f"{api}/metrics",
    }


def measure(healer: Healer) -> None:
    """Ask for each address, and print what its answer took, the fastest of several."""
    store: Any = healer.store
    watched = store._database = Watched(store._database)  # noqa: SLF001 - looked at from inside
    recent.MAX_AGE_S = 0.0  # nothing is remembered from the answer before
    client = TestClient(create_app(OneProject(healer), actor="bench"), base_url="http://127.0.0.1")
    print(f"{'':<40}{'answer':>10}{'of which store':>16}{'transactions':>14}")
    for what, address in addresses(store).items():
        found = []
        for _ in range(_TIMES):
            watched.took_s, watched.times = 0.0, 0
            started = time.perf_counter()
            answer = client.get(address)
            took_s = time.perf_counter() - started
            if answer.status_code != 200:
                raise SystemExit(f"{address} answers {answer.status_code}: {answer.text[:500]}")
            found.append((took_s, watched.took_s, watched.times))
        took_s, in_store_s, times = min(found)
        print(
            f"{what:<40}{1e3 * took_s:>7.1f} ms{1e3 * in_store_s:>13.1f} ms{times:>14}", flush=True
        )
    _looks(store)


def _looks(store: SqlStore) -> None:
    """Print what a live page's looks and what the healer's rounds ask for take."""
    started = time.perf_counter()
    for _ in range(_TIMES):
        store.changes()
    print(f"{'what a live page looks at each second':<40}{_ms(started):>7.1f} ms")
    started = time.perf_counter()
    for _ in range(_TIMES):
        store.untriaged(limit=500)
    print(f"{'what waits for triage':<40}{_ms(started):>7.1f} ms")


def _ms(started: float) -> float:
    return 1e3 * (time.perf_counter() - started) / _TIMES


@contextmanager
def healer_at(folder: Path, database: str | None) -> Iterator[Healer]:
    """Open the project at `folder`, with its store in `folder` or in `database`; made where it is new."""
    (folder / "pyproject.toml").touch()
    settings: dict[str, Any] = {}
    if database is not None:
        from prunella.adapters import postgres_schema, postgres_store

        project = "benchmark-" + "".join(c for c in folder.name.lower() if c.isalnum())
        postgres_schema.migrate(postgres_store.database_of(database, project))
        settings = {"database": database, "project": project}
    with Healer(root=folder, model="", **settings) as healer:
        healer.make_store()
        yield healer


def dropping(database: str | None, healer: Healer) -> AbstractContextManager[None]:
    """Return what removes a project of `database` at its end."""
    return _dropping(database, healer.settings.project)


@contextmanager
def _dropping(database: str | None, project: str) -> Iterator[None]:
    try:
        yield
    finally:
        if database is not None:
            from prunella.adapters import postgres_schema, postgres_store

            postgres_schema.drop(postgres_store.database_of(database, project))


def run(
    example: Occurrence, number: int, database: str | None, folder: Path, *, keep: bool
) -> None:
    """Fill a store at `folder` or in `database`, unless it is full, and measure it."""
    with healer_at(folder, database) as healer:
        store: Any = healer.store
        if store.spool_offset(_SPOOL) < number or not store.cases():
            started = time.perf_counter()
            fill(store, example, number)
            add_fixes(healer)
            took_s = time.perf_counter() - started
            print(f"filled with {number:,} occurrences in {took_s:.0f} s")
        if keep:
            measure(healer)
            return
        with dropping(database, healer):
            measure(healer)
