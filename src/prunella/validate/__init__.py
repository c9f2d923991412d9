"""Decides what replayed calls and tests show about a candidate patch. Pure logic over the ports."""

from prunella.validate.compare import compare
from prunella.validate.fixes import Target, try_fix
from prunella.validate.gates import confidence, gate
from prunella.validate.judge import Trial, judge, reconsider
from prunella.validate.regression import proven_regression_test
from prunella.validate.reproduce import Answers, replay_request, reproduce
from prunella.validate.unrecorded import again_ratio, fit_durations

__all__ = [
    "Answers",
    "Target",
    "Trial",
    "again_ratio",
    "compare",
    "confidence",
    "fit_durations",
    "gate",
    "judge",
    "proven_regression_test",
    "reconsider",
    "replay_request",
    "reproduce",
    "try_fix",
]
