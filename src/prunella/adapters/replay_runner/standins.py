"""Recorded answers of boundary sites, given in place of the sites themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from prunella.codec import decode, encode
from prunella.model.errors import RecordError
from prunella.model.tree import Tree
from prunella.sdk import standin


class NoAnswer(BaseException):
    """The call asked a boundary site something that no recorded answer fits."""


def install(answers: Sequence[tuple[str, Tree, Tree]]) -> None:
    """Let boundary sites answer from `answers`: ``(site, inputs, result)`` in recorded order."""
    left = list(answers)

    def answer(site: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        from prunella.adapters.replay_runner.call import import_by_path

        given = [encode(value).tree for value in (*arguments, *named.values())]
        same_site = [index for index, item in enumerate(left) if item[0] == site]
        fitting = [index for index in same_site if _has_values(left[index][1], given)]
        if not same_site:
            raise NoAnswer(f"{site} was called, and no (more) answers of it were recorded")
        index = (fitting or same_site)[0]
        _, _, result = left.pop(index)
        try:
            return decode(result, resolve=import_by_path)
        except RecordError as error:
            raise NoAnswer(f"the recorded answer of {site} can't be rebuilt: {error}") from None

    standin.set_answers(answer)


def _has_values(inputs: Tree, given: Sequence[Tree]) -> bool:
    if not isinstance(inputs, list) or not inputs or inputs[0] != "d":
        return False
    values = list(inputs[2::2])
    return all(value in values for value in given)
