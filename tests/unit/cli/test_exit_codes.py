import inspect

import pytest

from prunella.cli.exit_codes import MEANINGS, ExitCode, code_of
from prunella.model import errors


def test_every_code_has_a_meaning():
    """The table for people covers exactly the codes."""
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UnknownName("x"), ExitCode.USAGE),
        (errors.AmbiguousName("x", ["a:x", "b:x"]), ExitCode.USAGE),
        (errors.ConfigurationError("x"), ExitCode.USAGE),
        (errors.PatchRefused("signature", "x"), ExitCode.USAGE),
        (errors.FixError("config", "x", "y"), ExitCode.USAGE),
        (errors.GuardRejected("fix-1", "a:x", "y"), ExitCode.UNABLE),
        (errors.ImpossibleCounts("x"), ExitCode.UNABLE),
        (errors.NothingToHeal("x"), ExitCode.NEGATIVE),
        (errors.CoolingDown("x", claim=None), ExitCode.NEGATIVE),
        (errors.SourceUnavailable("x"), ExitCode.NEGATIVE),
        (errors.StoreError("x"), ExitCode.UNABLE),
        (errors.RecordError("x"), ExitCode.UNABLE),
        (errors.SandboxUnavailable("x"), ExitCode.UNABLE),
        (errors.RepositoryError("x"), ExitCode.UNABLE),
        (errors.ModelError("timeout", "x"), ExitCode.UNABLE),
        (errors.MissingExtra("llm", "x"), ExitCode.UNABLE),
        (errors.NotDelivered("x"), ExitCode.UNABLE),
        (errors.CodeHostError("timeout", "x"), ExitCode.UNABLE),
        (errors.StepRefused("x"), ExitCode.NEGATIVE),
        (errors.TokenRefused("x"), ExitCode.NEGATIVE),
        (errors.InternalFault("x"), ExitCode.INTERNAL),
        (errors.PrunellaError("x"), ExitCode.UNABLE),
    ],
)
def test_every_error_has_its_code(error, code):
    """Who has to act decides: 2 the one who typed, 3 the one who runs the machine."""
    assert code_of(error) == code


def test_no_error_is_forgotten():
    """The table above names every error that Prunella raises on purpose."""
    known = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.PrunellaError)
    }
    assert len(known) == 22
