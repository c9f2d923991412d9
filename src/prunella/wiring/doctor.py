"""``prunella doctor``: what works, what doesn't, and what to do about it."""

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from prunella.adapters.feed import switched_off
from prunella.model.alerts import DeliveryState
from prunella.model.errors import ConfigurationError, PrunellaError
from prunella.model.incidents import HEALER_SITE, IncidentStatus
from prunella.model.project import data_folder
from prunella.model.records import FixCounts
from prunella.model.settings import Settings, shown, variable_name
from prunella.pipeline.results import Finding, FindingLevel
from prunella.wiring import SPOOL_NAME, retention
from prunella.wiring.healer import Healer
from prunella.wiring.reporting import AREA, examine_reporting

#: Golden calls that take a larger share of the store's limit leave too little to the others.
_GOLDEN_RATIO = 0.5
#: Longest wait for a code host's answer, in seconds.
_HOST_S = 5
#: Errors of the healer itself that are shown one by one.
_SHOWN_FAULTS = 10
#: What the SDK's counters say, by how their names begin: what it means, and what to do.
_COUNTERS = {
    "dropped": (
        "",
        "records were dropped within the bounds of memory, disk or time; errors stay counted",
    ),
    "spool": (
        ": records could not be written",
        "make room on the disk, or let the program's user write `.prunella/spool`; what was lost "
        "meanwhile is counted as dropped",
    ),
    "drain": (
        ": the store did not take records in",
        "nothing is lost: they are in the spool and were tried again; look at the disk's room and "
        "at who locks the store",
    ),
    "feed": (
        ": what `.prunella/fixes.json` says could not be used, and those fixes did not act",
        "upgrade prunella in the program, or write the file anew: prunella fixes pause and resume",
    ),
    "report": (
        ": reporting to the server failed",
        "nothing is lost: it is tried again; `prunella doctor` in the program's folder says more",
    ),
    "internal": (
        ": Prunella failed inside the program, which went on unharmed",
        "please report it",
    ),
}
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


def examine(healer: Healer, unusable: ConfigurationError | None = None) -> Sequence[Finding]:
    """Look at everything that healing depends on; one area that fails never hides the others.

    `unusable` is why the project's settings can't be read, where `healer` has the default ones.
    """
    findings: list[Finding] = []
    if unusable is not None:
        advice = "correct it: until then commands refuse, and programs record with the defaults"
        findings.append(_problem("configuration", str(unusable), advice))
    for area, look in (_REPORTING_AREAS if healer.reports_to else _AREAS).items():
        if area == "configuration" and unusable is not None:
            continue
        try:
            findings += look(healer)
        except PrunellaError as error:
            findings.append(_problem(area, str(error)))
        except Exception as error:  # noqa: BLE001 - the doctor must go on with the other areas
            findings.append(_problem(area, f"{type(error).__name__}: {error}"))
    return findings


def _settings(healer: Healer) -> Iterator[Finding]:
    origins = healer.loaded.origins
    for item in fields(Settings):
        value = shown(item.name, getattr(healer.settings, item.name))
        yield _ok("configuration", f"{item.name} = {value!r} ({origins[item.name]})")
    if healer.settings.disabled:
        yield _warning(
            "configuration",
            "recording is switched off",
            f"unset {variable_name('disabled')} or the setting `disabled`",
        )


def _store(healer: Healer) -> Iterator[Finding]:
    health = healer.store.health()
    rows = ", ".join(f"{number:,} {table}" for table, number in health.rows.items())
    size = f"{health.size_bytes / 2**20:.1f} MB"
    yield _ok("store", f"{health.place}: schema {health.schema_version}, {size}, {rows}")
    limit_bytes = retention(healer.settings).max_bytes
    if health.golden_bytes > limit_bytes * _GOLDEN_RATIO:
        yield _warning(
            "store",
            f"golden calls take {health.golden_bytes / 2**20:.1f} MB of the "
            f"{limit_bytes / 2**20:.0f} MB that the store is kept below",
            "they are never forgotten, so that everything else is forgotten early: raise `store_mb`, "
            "or take marks back by `prunella calls ungolden ID`",
        )
    for reason, number in health.refused.items():
        yield _warning(
            "store",
            f"{number:,} records were not kept: {reason}",
            "a record that is too large or malformed is counted and left out; all others were kept",
        )


def _spool(healer: Healer) -> Iterator[Finding]:
    folder = data_folder(healer.root) / SPOOL_NAME
    if not folder.is_dir():
        yield _warning(
            "spool",
            f"{folder} does not exist: nothing has been recorded",
            "decorate functions with @heal and run the program",
        )
        return
    report = healer.refresh()
    waiting = list(folder.iterdir())
    yield _ok("spool", f"{folder}: {len(waiting)} files, {report.records} records taken in now")
    if report.unreadable:
        yield _warning(
            "spool",
            f"{report.unreadable} lines could not be read and were skipped",
            "a line is torn when a machine stops in the middle of a write; all others were kept",
        )
    for name, reason in report.left_alone:
        yield _warning(
            "spool",
            f"{folder / name} was left alone: {reason}",
            "spool files are regular files of the user who runs the program; correct or remove it",
        )
    if not os.access(folder, os.W_OK):
        yield _problem("spool", f"{folder} is not writable", "correct its owner or mode")


def _capture(healer: Healer) -> Iterator[Finding]:
    totals: dict[str, int] = {}
    for counts in healer.store.counts():
        for name, value in counts.sdk.items():
            totals[name] = totals.get(name, 0) + value
    noted = {name: value for name, value in totals.items() if value}
    if not noted:
        yield _ok("capture", f"nothing dropped; {len(healer.store.sites())} functions recorded")
    for name, value in sorted(noted.items()):
        kind = name.partition("_")[0]
        said, advice = _COUNTERS.get(kind, ("", "a newer release counts this: upgrade the healer"))
        yield _warning("capture", f"{name} = {value:,}{said}", advice)


def _fixes(healer: Healer) -> Iterator[Finding]:
    off = switched_off(data_folder(healer.root))
    if not healer.settings.fixes:
        yield _warning("fixes", "all are switched off by the setting `fixes`", "set `fixes = true`")
    for fix_id in off:
        what, name = ("all are", "") if fix_id is None else (f"{fix_id} is", f" {fix_id}")
        yield _warning("fixes", f"{what} switched off by a file", f"prunella fixes on{name}")
    totals: dict[str, list[FixCounts]] = {}
    for counts in healer.store.counts():
        for fix_id, item in counts.fixes.items():
            totals.setdefault(fix_id, []).append(item)
    for fix_id, found in sorted(totals.items()):
        yield from _fix(fix_id, found)
    if not (off or totals or not healer.settings.fixes):
        yield _ok("fixes", "none has met a call")


def _fix(fix_id: str, found: Sequence[FixCounts]) -> Iterator[Finding]:
    triggers, acted, healed, shadow, skipped, faults = (
        sum(getattr(item, name) for item in found)
        for name in ("triggers", "acted", "healed", "shadow", "skipped", "fault")
    )
    said = (
        f"{fix_id}: met {triggers:,} calls, acted {acted:,} times, healed {healed:,}, "
        f"in shadow {shadow:,}, skipped {skipped:,}"
    )
    off = [item.latest.get("disabled", "") for item in found if item.disabled]
    if off:
        why = f"switched itself off in {len(off)} of {len(found)} processes: {off[-1]}"
        yield _warning("fixes", f"{said}; {why}", f"prunella fixes show {fix_id}")
    elif faults:
        why = next(item.latest.get("fault", "") for item in reversed(found) if item.fault)
        yield _warning("fixes", f"{said}; {faults} faults: {why}", f"prunella fixes show {fix_id}")
    else:
        yield _ok("fixes", said)


def _sandbox(healer: Healer) -> Iterator[Finding]:
    from prunella.adapters.sandbox import detect

    level = detect(healer.settings.sandbox)
    if level == "none":
        yield _warning(
            "sandbox",
            "replays and tests run without isolation",
            "install bubblewrap and set sandbox = auto",
        )
    else:
        yield _ok("sandbox", f"replays and tests run isolated by {level}")


def _git(healer: Healer) -> Iterator[Finding]:
    repository = healer.repository
    if repository.commit is None:
        yield _warning(
            "git",
            f"{healer.root} is no git repository: patches become files instead of branches",
            "run `git init` and commit the code",
        )
    else:
        yield _ok("git", f"patches are made on commit {repository.commit[:12]}")


def _code_host(healer: Healer) -> Iterator[Finding]:
    from prunella.adapters.code_hosts.opening import open_host
    from prunella.adapters.code_hosts.remote import RemoteHost

    host = open_host(healer.settings, healer.repository, timeout_s=_HOST_S)
    if not isinstance(host, RemoteHost):
        why = "offline is set" if healer.settings.offline else "no code host and token are known"
        yield _ok("code_host", f"patches go onto branches of the local repository: {why}")
        return
    standing = host.standing()
    said = f"{host.name} answers; pull requests go to {standing.branch} at {standing.commit[:12]}"
    if standing.may_write is False:
        yield _problem(
            "code_host",
            f"{said}, but the token's owner may not push there",
            "give the token's owner the right to write contents and pull requests",
        )
    else:
        yield _ok("code_host", said)


def _tests(healer: Healer) -> Iterator[Finding]:
    from prunella.adapters.test_runner import find_tests

    found = find_tests(healer.settings, healer.repository)
    if found is None:
        yield _warning(
            "tests",
            "no tests found: verdicts rest on replayed calls alone",
            "set `test_command`, or add a pytest configuration",
        )
        return
    program = shlex.split(found)[0]
    folders = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    here = healer.root / program if "/" in program else program
    if program != "python" and shutil.which(here, path=folders) is None:
        yield _problem(
            "tests",
            f"the tests can't run by: {found}; {program} is not in {folders}",
            "correct `test_command`, or install it beside the program's interpreter",
        )
    else:
        yield _ok("tests", f"the project's tests run by: {found}")


def _model(healer: Healer) -> Iterator[Finding]:
    model = healer.settings.model
    if not model:
        yield _ok("model", "none configured: the built-in rules work alone")
        return
    if healer.settings.offline:
        yield _warning("model", f"{model} is not asked: offline is set", "unset `offline`")
    if importlib.util.find_spec("pydantic_ai") is None:
        yield _problem("model", f"{model} needs an extra", 'pip install "prunella[llm]"')
    provider = model.partition(":")[0] if ":" in model else "openai"
    key = _KEYS.get(provider)
    if key and not os.environ.get(key) and not healer.settings.model_base_url:
        yield _problem("model", f"{model} needs a key", f"set {key}")
    else:
        yield _ok("model", f"{model} is configured; it is asked when something is healed")


def _healer(healer: Healer) -> Iterator[Finding]:
    faults = [
        item
        for item in healer.store.incidents(status=IncidentStatus.OPEN)
        if item.site_id == HEALER_SITE
    ]
    if not faults:
        yield _ok("healer", "no error of the healer itself is open")
    for item in faults[:_SHOWN_FAULTS]:
        kind = item.error_type.rpartition(":")[2]
        yield _problem(
            "healer",
            f"{kind}, {item.count:,} times, the last at {item.last_seen_at:%Y-%m-%d %H:%M} UTC: "
            f"{item.message}",
            "correct it; it is closed when the same succeeds, or the bot's next round",
        )


def _alerts(healer: Healer) -> Iterator[Finding]:
    places = healer.alerts.notifiers
    if not places:
        yield _ok(
            "alerts", "sent nowhere: PRUNELLA_ALERT_URLS and PRUNELLA_ALERT_WEBHOOK are not set"
        )
        return
    yield _ok("alerts", f"sent to {', '.join(place.name for place in places)}")
    late = {
        delivery.target: delivery
        for told in healer.alerts.list()
        for delivery in told.deliveries
        if delivery.state is not DeliveryState.SENT and delivery.reason
    }
    for target, delivery in late.items():
        yield _warning(
            "alerts",
            f"{target} did not take an alert ({delivery.state.value}): {delivery.reason}",
            "`prunella alerts test` tries it",
        )


_AREAS: dict[str, Callable[[Healer], Iterator[Finding]]] = {
    "configuration": _settings,
    "spool": _spool,
    "store": _store,
    "capture": _capture,
    "fixes": _fixes,
    "sandbox": _sandbox,
    "git": _git,
    "code_host": _code_host,
    "tests": _tests,
    "model": _model,
    "alerts": _alerts,
    "healer": _healer,
}


#: Where programs report to a server, all else is its doctor's.
_REPORTING_AREAS: dict[str, Callable[[Healer], Iterator[Finding]]] = {
    "configuration": _settings,
    AREA: lambda healer: examine_reporting(healer.root, healer.settings),
}


def _ok(area: str, statement: str) -> Finding:
    return Finding(area=area, level=FindingLevel.OK, statement=statement)


def _warning(area: str, statement: str, advice: str) -> Finding:
    return Finding(area=area, level=FindingLevel.WARNING, statement=statement, advice=advice)


def _problem(area: str, statement: str, advice: str = "") -> Finding:
    return Finding(area=area, level=FindingLevel.PROBLEM, statement=statement, advice=advice)
