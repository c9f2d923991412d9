"""Everything Prunella raises on purpose.

::

    PrunellaError
    ├── ConfigurationError     a setting, an argument or a configuration file is unusable
    ├── UnknownName            no site, incident or function has that name
    ├── AmbiguousName          several have it; `.choices` lists them
    ├── NothingToHeal          the function is known, but no error of it is in the window
    ├── CoolingDown            it was attempted lately, or is being healed now; `.claim` says by whom
    ├── StoreError             the store is missing, corrupt, locked or of a newer release
    ├── RecordError            a record or an encoded value is malformed
    │   └── ImpossibleCounts   numbers of a rollout that no traffic gives
    ├── SourceUnavailable      the function's source can't be found or edited
    ├── FixError               a fix document is unusable; `.path` says where
    ├── GuardRejected          a guard refused a call's input or result, as its fix demands
    ├── PatchRefused           an edit that Prunella does not make; `.reason` says which rule
    ├── StepRefused            a rollout can't take that step from where it stands
    ├── SandboxUnavailable     nothing on this machine can isolate a replay
    ├── RepositoryError        git is missing, or the repository can't serve as a base
    ├── NotDelivered           an alert did not arrive; `.is_final` says that trying again is no use
    ├── TokenRefused           an approval link is forged, expired or used
    ├── InternalFault          a fault in Prunella itself, while it worked on one incident
    ├── CodeHostError          the code host didn't do what was asked; `.reason` says why
    ├── ModelError             the language model gave no usable answer; `.reason` says why
    └── MissingExtra           an optional dependency isn't installed

An expected outcome (a rejected patch, an abstention) is a value, never one of these: an exception
means "cannot answer". Every message says what happened, with which value, and what to do.
"""

from collections.abc import Sequence
from typing import Any


class PrunellaError(Exception):
    """Root of the tree; catching it catches everything Prunella raises on purpose."""


class ConfigurationError(PrunellaError):
    """A setting, an argument or a configuration file is unusable."""


class UnknownName(PrunellaError):
    """No site, incident or function has the given name."""


class AmbiguousName(PrunellaError):
    """Several sites or functions match the given name."""

    def __init__(self, name: str, choices: Sequence[str]) -> None:
        listed = ", ".join(choices)
        super().__init__(f"{name!r} is ambiguous; it could be {listed}. Give one of these in full.")
        self.name = name
        self.choices = tuple(choices)


class NothingToHeal(PrunellaError):
    """The function is known, but no error of it lies in the window."""


class CoolingDown(PrunellaError):
    """The incident or its function is being healed, or was attempted within the cooldown."""

    def __init__(self, message: str, *, claim: Any) -> None:
        super().__init__(message)
        #: The `prunella.model.claims.Claim` in the way.
        self.claim = claim


class StoreError(PrunellaError):
    """The store is missing, corrupt, locked, or written by a newer release."""


class RecordError(PrunellaError):
    """A record or an encoded value is malformed."""


class ImpossibleCounts(RecordError, ValueError):
    """Counts, ratios or rates of a rollout that no traffic gives: more failures than units, …"""


class SourceUnavailable(PrunellaError):
    """The function's source can't be found or edited (lambda, exec, REPL, C, moved away)."""


class FixError(PrunellaError):
    """A fix document is refused: an unknown type or key, a wrong type, a value out of range."""

    def __init__(self, path: str, what: str, advice: str) -> None:
        super().__init__(f"{path}: {what}; {advice}")
        #: Where in the document: ``config.chain[1].site``.
        self.path = path


class GuardRejected(PrunellaError):
    """A guard refused what a function was given or has returned, as its fix demands."""

    def __init__(self, fix_id: str, site_id: str, reason: str) -> None:
        super().__init__(
            f"{site_id}: {reason}; the guard {fix_id} rejects such calls. Correct the value, or "
            f"remove the fix with prunella.remove_fix({fix_id!r})."
        )
        self.fix_id = fix_id


class PatchRefused(PrunellaError):
    """An edit that is not made, because it would change more than a patch may."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StepRefused(PrunellaError):
    """A rollout can't take that step from where it stands."""


class SandboxUnavailable(PrunellaError):
    """Nothing on this machine can isolate a replay as the settings demand."""


class RepositoryError(PrunellaError):
    """Git is missing, or the repository can't serve as a base."""


class NotDelivered(PrunellaError):
    """An alert did not arrive where it was sent to. The message never has the place's secrets."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        #: The place will refuse it each time.
        self.is_final = is_final


class TokenRefused(PrunellaError):
    """An approval link is forged, expired, used, or overtaken by what was decided since."""


class InternalFault(PrunellaError):
    """A fault in Prunella itself, while it worked on one incident."""


class CodeHostError(PrunellaError):
    """The code host (GitHub, GitLab, Gitea) didn't do what was asked.

    `reason` is one of ``refused_token``, ``forbidden``, ``rate_limit``, ``not_found``, ``conflict``,
    ``redirect``, ``unavailable``, ``timeout``, ``unusable``. The message never holds a token.
    """

    def __init__(self, reason: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        #: How long the host asks to be left alone, in seconds; ``None`` where it doesn't say.
        self.retry_after_s = retry_after_s


class ModelError(PrunellaError):
    """The language model gave no usable answer.

    `reason` is one of ``offline``, ``no_key``, ``refused_key``, ``rate_limit``, ``timeout``,
    ``truncated``, ``connection``, ``refused``, ``unusable``, ``budget``.
    """

    def __init__(
        self, reason: str, message: str, *, input_tokens: int = 0, output_tokens: int = 0
    ) -> None:
        super().__init__(message)
        self.reason = reason
        #: What the answer that can't be used took, as far as the endpoint said.
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens


class MissingExtra(PrunellaError):
    """An optional dependency isn't installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs packages that are not installed. "
            f'Install them with: pip install "prunella[{extra}]"'
        )
        self.extra = extra
