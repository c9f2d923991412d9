"""Decides what replayed calls and tests show about a candidate patch. Pure logic over the ports."""

from prunella.validate.compare import compare
from prunella.validate.judge import judge
from prunella.validate.reproduce import Answers, replay_request, reproduce

__all__ = ["Answers", "compare", "judge", "replay_request", "reproduce"]
