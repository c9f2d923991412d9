"""Every setting: one table with name, type, default and meaning.

Precedence: arguments, then ``PRUNELLA_*`` environment variables, then ``[tool.prunella]`` in
``pyproject.toml``, then the default. `load` resolves them and remembers where each came from.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prunella.model.errors import ConfigurationError


def _setting(
    default: Any,
    doc: str,
    *,
    choices: tuple[str, ...] = (),
    pattern: str = "",
    is_secret: bool = False,
    has_password: bool = False,
) -> Any:
    metadata = {
        "doc": doc,
        "choices": choices,
        "pattern": pattern,
        "is_secret": is_secret,
        "has_password": has_password,
    }
    return field(default=default, metadata=metadata, repr=not (is_secret or has_password))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their defaults; build it with `load`."""

    disabled: bool = _setting(False, "Record nothing and apply nothing: the kill switch.")
    fixes: bool = _setting(True, "Let fixes act at run time; false is the kill switch for all.")
    fixes_left_out: str = _setting(
        "", "Ids of fixes that stay off, separated by commas: fix-weather, fix-prices."
    )
    llm_prices: str = _setting(
        "",
        "Prices of the models that the program asks, in dollars per million tokens, sent/received: "
        "large=2.00/8.00, *=0.10/0.40; empty: what rollouts compare is tokens.",
    )
    capture: str = _setting(
        "full",
        "What sites record: failures and sampled successes, failures only, or nothing.",
        choices=("full", "errors", "none"),
    )
    record_tests: bool = _setting(
        False, "Record while pytest runs, too: what tests make fail on purpose becomes incidents."
    )
    sample_first: int = _setting(5, "Successful calls recorded at the start of each site version.")
    sample_interval_ms: int = _setting(
        50, "Least time between two recorded successes of one site, in milliseconds."
    )
    redact_names: str = _setting(
        "", "More names whose values are secrets, separated by commas: iban, birthday."
    )
    redact_patterns: str = _setting(
        "", "More secrets in text: regular expressions, one a line or separated by spaces."
    )
    redact_emails: bool = _setting(False, "Redact e-mail addresses too.")
    environment: str = _setting("", "Name of the deployment: production, staging, …")
    release: str = _setting("", "Release of the program, recorded with each process.")
    dsn: str = _setting(
        "",
        "Server that programs report to: https://KEY@host/project; empty means the store in this "
        "folder. It holds a secret: taken from the environment alone.",
        is_secret=True,
    )
    dsn_plain_http: bool = _setting(
        False, "Report to another machine without encryption, where the DSN says http."
    )
    spool_mb: int = _setting(
        128,
        "Size that records on their way are kept below, in megabytes; where a server is away for "
        "long, the oldest successes go first and failures last.",
    )
    database: str = _setting(
        "",
        "Address of the PostgreSQL database that keeps the records, postgresql://USER@HOST/NAME; empty "
        "means the embedded file. With a password in it, taken from the environment alone.",
        has_password=True,
    )
    project: str = _setting(
        "default",
        "Name of the project in that database: a letter, then letters, digits, - and _.",
        pattern="[a-z][a-z0-9_-]{0,62}",
    )
    retention_days: int = _setting(
        30, "How long records are kept, in days; what open incidents stand on stays longer."
    )
    store_mb: int = _setting(
        500, "Size that the store is kept below, in megabytes: the least useful goes first."
    )
    lookback_minutes: int = _setting(60, "How old an error may be to be healed, in minutes.")
    cooldown_minutes: int = _setting(
        60, "How long an incident and its function are left alone after an attempt, in minutes."
    )
    pull_requests_per_day: int = _setting(
        20, "Pull requests or branches that 24 hours may bring; 0 sets no limit."
    )
    alert_urls: str = _setting(
        "",
        "Where alerts go: URLs of the library Apprise (slack://…, mailto://…), separated by spaces. "
        "They hold secrets: taken from the environment alone.",
        is_secret=True,
    )
    alert_webhook: str = _setting(
        "",
        "An http or https address that alerts are posted to as JSON. It may hold a secret: taken "
        "from the environment alone.",
        is_secret=True,
    )
    alert_secret: str = _setting(
        "",
        "Key that posts to alert_webhook are signed with; taken from the environment alone.",
        is_secret=True,
    )
    alerts_per_hour: int = _setting(
        20, "Alerts sent within an hour, at most; one more says that there are others. 0: no limit."
    )
    code_host: str = _setting(
        "auto",
        "Where pull requests are opened; auto is the host of the git remote if there is a token "
        "for it, else a local branch.",
        choices=("auto", "local", "github", "gitlab", "gitea"),
    )
    code_host_url: str = _setting(
        "",
        "Address of the code host's API, for GitHub Enterprise or a host of your own; empty means "
        "that of the git remote.",
    )
    base_branch: str = _setting(
        "", "Branch that pull requests go to; empty means the code host's default branch."
    )
    model: str = _setting(
        "", "Language model as provider:model; empty means the built-in rules alone."
    )
    model_base_url: str = _setting("", "Base URL of an OpenAI-compatible endpoint.")
    model_timeout_s: float = _setting(60.0, "Longest wait for one answer of the model, in seconds.")
    model_rounds: int = _setting(
        2, "Rounds in which the model may propose patches and answer the validator's findings."
    )
    model_price: str = _setting(
        "",
        "Price of the model in dollars per million tokens, sent/received: 2.00/8.00; "
        "empty means the known list price.",
    )
    model_tokens_per_incident: int = _setting(
        200_000, "Tokens, sent and received, that one incident may take; 0 sets no limit."
    )
    model_tokens_per_day: int = _setting(
        2_000_000, "Tokens, sent and received, that 24 hours may take; 0 sets no limit."
    )
    model_dollars_per_incident: float = _setting(
        1.0, "Dollars that one incident may cost, where the price is known; 0 sets no limit."
    )
    model_dollars_per_day: float = _setting(
        10.0, "Dollars that 24 hours may cost, where the price is known; 0 sets no limit."
    )
    offline: bool = _setting(False, "Send nothing to any model or host, whatever else is set.")
    auto_fix_enabled: bool = _setting(
        False,
        "Let a fix of a confidence above 0.8 start a canary by itself; otherwise it waits for "
        "approval.",
    )
    alpha: float = _setting(
        0.05, "Chance that a fix without any effect graduates; a harmless one is rolled back."
    )
    max_error_increase: float = _setting(
        0.10, "Largest tolerated relative increase of failures by a fix: 0.10 is 10 % more."
    )
    max_latency_ratio: float = _setting(2.0, "Largest tolerated factor of a fix on latencies.")
    min_exposures: int = _setting(
        0, "Units with the fix that each stage has to see at least, where it asks for fewer itself."
    )
    max_rollout_hours: float = _setting(
        336.0, "How long a rollout may take until it is inconclusive and the fix is taken back."
    )
    quiet_hours: str = _setting(
        "", "Hours in which no fix starts or gets more traffic by itself: 22:00-06:00, local time."
    )
    approvers: str = _setting(
        "",
        "Who may approve, promote and resume fixes: user names, separated by commas; empty: all.",
    )
    server_url: str = _setting(
        "",
        "Address that people reach the server by, https://prunella.example: what alerts, pull "
        "requests, approval links, DSNs and OIDC lead to. Set it for servers, workers and bots.",
        pattern=r"(https?://[^\s/?#@]+(/[^\s?#]*)?)?",
    )
    oidc_issuer: str = _setting(
        "",
        "OpenID Connect provider whose users may log in to the server: https://id.example/realm.",
    )
    oidc_client_id: str = _setting("", "The server's client id at that provider.")
    oidc_client_secret: str = _setting(
        "",
        "The server's client secret at that provider; taken from the environment alone.",
        is_secret=True,
    )
    oidc_roles: str = _setting(
        "",
        "What claims of the provider give: CLAIM=VALUE->PROJECT=ROLE, separated by commas, as in "
        "groups=admins->*=admin, groups=shop->shop=operator. Nobody else gets in.",
    )
    max_candidates: int = _setting(3, "How many accepted patches are offered, best first.")
    replay_calls: int = _setting(50, "Recorded calls replayed for each verdict, at most.")
    replay_timeout_s: float = _setting(5.0, "Time for one replayed call, in seconds.")
    replay_memory_mb: int = _setting(1024, "Memory for one replay process, in megabytes.")
    sandbox: str = _setting(
        "auto",
        "How replays are isolated; auto takes the strongest that works. none is unsafe.",
        choices=("auto", "bubblewrap", "namespaces", "none"),
    )
    test_command: str = _setting(
        "", "Command that runs the project's tests; empty means found by itself."
    )
    test_timeout_s: float = _setting(600.0, "Time for one run of the project's tests, in seconds.")
    python: str = _setting(
        "", "Interpreter that replays run in; empty means the one that recorded the failure."
    )


#: Where a setting's value came from: ``default``, ``pyproject.toml``, an environment variable's
#: name, or ``argument``.
Origins = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """Settings with the origin of each."""

    settings: Settings
    origins: Origins


#: Settings whose values are secrets: not accepted from a file that is committed, and never shown.
SECRET = frozenset(item.name for item in fields(Settings) if item.metadata["is_secret"])


#: Settings whose values are addresses that may hold a password: shown without it.
WITH_PASSWORD = frozenset(item.name for item in fields(Settings) if item.metadata["has_password"])


def shown(name: str, value: Any) -> Any:
    """Return a setting's value as it may be printed: of a secret, only whether it is set."""
    if name in WITH_PASSWORD and value:
        from prunella.model.places import without_password

        return without_password(str(value))
    return "(set)" if name in SECRET and value else value


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def variable_name(name: str) -> str:
    """Return the environment variable of a setting: ``lookback_minutes`` → ``PRUNELLA_LOOKBACK…``."""
    return f"PRUNELLA_{name.upper()}"


def load(
    root: Path,
    *,
    arguments: Mapping[str, Any] = MappingProxyType({}),
    environ: Mapping[str, str] | None = None,
) -> LoadedSettings:
    """Resolve every setting for the project at `root`.

    `arguments` that are ``None`` count as not given. Raises `ConfigurationError` that names the
    place of a value of the wrong type, out of its choices, or of an unknown name.
    """
    environ = os.environ if environ is None else environ
    known = {item.name: item for item in fields(Settings)}
    table = _read_pyproject(root / "pyproject.toml")
    for key, found in table.items():
        if key not in known:
            raise ConfigurationError(
                f"pyproject.toml, [tool.prunella]: unknown setting {key!r}; "
                f"known are {', '.join(sorted(known))}"
            )
        if key in SECRET or (key in WITH_PASSWORD and _has_password(found)):
            raise ConfigurationError(
                f"pyproject.toml, [tool.prunella]: {key} holds a secret and isn't taken from a file "
                f"that is committed; set the environment variable {variable_name(key)}"
            )
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, item in known.items():
        variable = variable_name(name)
        if arguments.get(name) is not None:
            raw, origin = arguments[name], "argument"
        elif variable in environ:
            raw, origin = environ[variable], variable
        elif name in table:
            raw, origin = table[name], "pyproject.toml"
        else:
            origins[name] = "default"
            continue
        values[name] = _convert(raw, type(item.default), item.metadata, origin, name)
        origins[name] = origin
    return LoadedSettings(settings=Settings(**values), origins=MappingProxyType(origins))


def _read_pyproject(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from error
    try:
        table = tomllib.loads(text).get("tool", {}).get("prunella", {})
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: [tool.prunella] must be a table, not {table!r}")
    return table


def _has_password(value: Any) -> bool:
    from prunella.model.places import has_password

    return isinstance(value, str) and has_password(value)


def _convert(raw: Any, kind: type, metadata: Mapping[str, Any], origin: str, name: str) -> Any:
    choices, pattern = metadata["choices"], metadata["pattern"]
    place = origin if origin.startswith("PRUNELLA_") else f"{origin}, {name}"
    try:
        value = _to_bool(raw) if kind is bool else _to_number_or_text(raw, kind)
    except (ValueError, TypeError):
        raise ConfigurationError(f"{place}: {raw!r} is not a valid {kind.__name__}") from None
    if choices and value not in choices:
        raise ConfigurationError(f"{place}: {value!r} is none of {', '.join(choices)}")
    if pattern and not re.fullmatch(pattern, str(value)):
        raise ConfigurationError(f"{place}: {value!r} does not look like {pattern}")
    if kind in (int, float) and not 0 <= value < float("inf"):
        raise ConfigurationError(f"{place}: {value!r} must be a finite number of at least 0")
    return value


def _to_bool(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = raw.strip().lower() if isinstance(raw, str) else None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(raw)


def _to_number_or_text(raw: Any, kind: type) -> Any:
    if isinstance(raw, bool) or (kind is str and not isinstance(raw, str)):
        raise TypeError(raw)
    if kind is int and isinstance(raw, float):
        raise TypeError(raw)
    return kind(raw)
