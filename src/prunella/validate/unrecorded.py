"""What records tell of calls that were never made: once more, with other arguments, or with more time."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import Any

from prunella.codec import entries
from prunella.model.records import Call, Occurrence

#: Calls below which a rate or a distribution says nothing.
_ENOUGH = 5
#: Share of its limit that a call has to have used up to have been cut off by it.
_CUT_OFF = 0.8
_ROUNDS = 200
#: Spread below which all durations are as good as one.
_LEAST_SPREAD = 0.05
_NORMAL = NormalDist()
#: Characters of a text that is read as JSON.
_LONGEST_JSON = 100_000
_NUMBERS = (int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long calls take, as a log-normal distribution, those included that a limit cut off."""

    #: Mean and standard deviation of the logarithm of the seconds.
    mean: float
    spread: float
    #: Calls that it stands on: those that ended, and those that were cut off.
    ended: int
    cut_off: int

    def ends_within(self, limit_s: float, *, beyond_s: float) -> float:
        """Return the chance that a call which takes longer than `beyond_s` ends within `limit_s`."""
        still = 1 - self._ended_by(beyond_s)
        if still <= 0:
            return 0.0
        return max(0.0, 1 - (1 - self._ended_by(limit_s)) / still)

    def _ended_by(self, seconds: float) -> float:
        return _NORMAL.cdf((log(seconds) - self.mean) / self.spread)


def fit_durations(
    passing: Sequence[Call], failing: Sequence[Occurrence], limit: str, failed_ratio: float | None
) -> Durations | None:
    """Return how long calls take, by maximum likelihood, or ``None`` where records are too few.

    `limit` is the parameter that ends a call after so many seconds: failures that took about as
    long as it are censored there (the EM algorithm for a normal distribution censored on the right,
    as in Dempster, Laird and Rubin 1977, section 4.3). `failed_ratio` is the share of all calls that
    failed, where it is known: failures are recorded more often than successes.
    """
    ended = [log(call.duration_us / 1e6) for call in passing if call.duration_us > 0]
    cut = [log(seconds) for item in failing if (seconds := cut_off_s(item, limit))]
    if len(ended) < _ENOUGH or not cut:
        return None
    weight = 1.0
    if failed_ratio is not None and 0 < failed_ratio < 1:
        weight = failed_ratio / (1 - failed_ratio) * len(ended) / len(cut)
    total = len(ended) + weight * len(cut)
    mean = sum(ended) / len(ended)
    spread = max(_LEAST_SPREAD, sqrt(sum((each - mean) ** 2 for each in ended) / len(ended)))
    for _ in range(_ROUNDS):
        first = sum(ended)
        second = sum(each * each for each in ended)
        for each in cut:
            hazard = _hazard((each - mean) / spread)
            first += weight * (mean + spread * hazard)
            second += weight * (mean * mean + spread * spread + spread * (each + mean) * hazard)
        mean, before = first / total, mean
        spread = max(_LEAST_SPREAD, sqrt(max(0.0, second / total - mean * mean)))
        if abs(mean - before) < 1e-6:
            break
    return Durations(mean=mean, spread=spread, ended=len(ended), cut_off=len(cut))


def _hazard(score: float) -> float:
    if score > 8:  # the tail's ratio tends to the score itself
        return score
    return exp(-score * score / 2) / sqrt(2 * pi) / (1 - _NORMAL.cdf(score))


def cut_off_s(failure: Occurrence, limit: str) -> float:
    """Return a failure's limit in seconds where the failure took about as long as that, else 0."""
    seconds = dict(entries(failure.inputs)).get(limit)
    if not isinstance(seconds, _NUMBERS) or isinstance(seconds, bool) or seconds <= 0:
        return 0.0
    return float(seconds) if failure.duration_us / 1e6 >= _CUT_OFF * seconds else 0.0


def again_ratio(
    passing: Sequence[Call], failing: Sequence[Occurrence], *, calls: int, errors: int
) -> float | None:
    """Return how often a call succeeds whose inputs have failed, ``None`` where none ever did.

    `calls` and `errors` are the site's own counts, both 0 where they aren't known: recorded calls
    are a sample, so that they alone give a rate that is too low rather than too high.
    """
    flaky = flaky_inputs(passing, failing)
    same = sum(repr(call.inputs) in flaky for call in passing)
    if not same:
        return None
    succeeded, failed = same, max(errors, len(failing))
    if calls > errors:
        succeeded = max(same, round((calls - errors) * same / len(passing)))
    return succeeded / (succeeded + failed)


def flaky_inputs(passing: Sequence[Call], failing: Sequence[Occurrence]) -> Collection[str]:
    """Return the inputs that both failed and succeeded, in the same version of the function."""
    passed = {(call.source_hash, repr(call.inputs)) for call in passing}
    failed = {(item.source_hash, repr(item.inputs)) for item in failing}
    return {inputs for _, inputs in passed & failed}


class Neighbours:
    """Recorded passing calls, asked whether arguments are like theirs."""

    def __init__(self, passing: Sequence[Mapping[str, Any]], written: Collection[str] = ()) -> None:
        self._count = len(passing)
        #: Arguments that are written anew for each call, as prompts are.
        self._written = written
        self._values: dict[str, list[Any]] = {}
        for arguments in passing:
            for name, value in arguments.items():
                known = self._values.setdefault(name, [])
                if not any(_equal(value, each) for each in known):
                    known.append(value)

    def like(self, arguments: Mapping[str, Any]) -> bool:
        """Tell whether each argument is as in passing calls.

        It had that value in one, or is a number between those of two. A text that is written anew
        for each call is as long as those were, and one that is JSON has keys that all of them had.
        """
        if self._count < _ENOUGH:
            return False
        return all(self._is_usual(name, value) for name, value in arguments.items())

    def _is_usual(self, name: str, value: Any) -> bool:
        known = self._values.get(name, [])
        if any(_equal(value, each) for each in known):
            return True
        if not known:
            return False
        if type(value) in _NUMBERS and all(type(each) in _NUMBERS for each in known):
            return bool(min(known) <= value <= max(known))
        kinds = {type(each) for each in known}
        if kinds == {type(value)} and type(value) in (str, list) and name in self._written:
            lengths = [len(each) for each in known]
            return min(lengths) <= len(value) <= max(lengths)
        return kinds == {str} and type(value) is str and _is_json_like(value, known)


def _is_json_like(text: str, known: Sequence[str]) -> bool:
    """Tell whether a text is a JSON object with keys that those of `known` have, all of them."""
    keys = _keys(text)
    others = [_keys(each) for each in known]
    if not keys or not all(others):
        return False
    return frozenset.intersection(*others) <= keys <= frozenset.union(*others)


def _keys(text: str) -> frozenset[str]:
    """Return the keys of a JSON object; empty for what is none."""
    try:
        found = json.loads(text) if len(text) <= _LONGEST_JSON else None
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(found) if isinstance(found, dict) else frozenset()


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def raised_limit(
    arguments: Mapping[str, Any], recorded: Mapping[str, Any], limit: str
) -> tuple[float, float] | None:
    """Return the recorded limit and the new one, where that is longer and all else is the same."""
    if arguments.keys() != recorded.keys() or limit not in recorded:
        return None
    before, after = recorded[limit], arguments[limit]
    if type(before) not in _NUMBERS or type(after) not in _NUMBERS or not 0 < before < after:
        return None
    same = all(value == recorded[name] for name, value in arguments.items() if name != limit)
    return (float(before), float(after)) if same else None
