"""Decides what replayed calls and tests show about a candidate patch. Pure logic over the ports."""

from prunella.validate.compare import compare
from prunella.validate.judge import judge
from prunella.validate.regression import proven_regression_test
from prunella.validate.reproduce import Answers, replay_request, reproduce

__all__ = ["Answers", "compare", "judge", "proven_regression_test", "replay_request", "reproduce"]
