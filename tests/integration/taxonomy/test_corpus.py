import json
import warnings
from typing import NamedTuple

import pytest

from prunella.codec.plain import from_plain
from prunella.codec.redact import Redactor
from prunella.model.records import ExceptionInfo
from prunella.sdk.failure import Sight, describe
from prunella.taxonomy import CODES, Classified, classify, classify_recorded
from taxonomy_corpus import Case, Unavailable, every_case


class Places:
    """Every file belongs to somebody else."""

    def place(self, filename: str) -> tuple[str, bool]:
        return filename, False


class Seen(NamedTuple):
    case: Case
    living: Classified
    recorded: Classified


@pytest.fixture(scope="module")
def seen() -> list[Seen]:
    """Every case, raised once, as it is classified when it is raised and when it was recorded."""
    sight = Sight(redactor=Redactor(), code_places=Places())
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries think of how the cases use them
        for case in every_case():
            try:
                case.run()
            except Unavailable:
                continue
            except BaseException as error:  # noqa: BLE001 - the very point
                info = from_plain(ExceptionInfo, json.loads(describe(error, sight)))
                classify(error)  # the second time it may be remembered
                found.append(Seen(case, classify(error), classify_recorded(info)))
            else:
                pytest.fail(f"{case.name} raised nothing")
    return found


def test_cases_have_names_and_codes_of_their_own():
    """A case is named once, and labelled with a code of the table."""
    names = [case.name for case in every_case()]
    assert sorted(set(names)) == sorted(names)
    assert {case.code for case in every_case()} <= set(CODES)


def test_real_exceptions_are_classified_as_labelled(seen):
    """Of at least 250 real exceptions of real libraries, at least 95 % get their label."""
    misses = [one for one in seen if one.living.code.code != one.case.code]
    for case, living, _recorded in misses:
        print(f"{case.name}: {case.code}, but {living.code.code} ({living.because})")  # noqa: T201
    print(f"{len(seen) - len(misses)} of {len(seen)} as labelled")  # noqa: T201
    assert len(seen) >= 250
    assert len(misses) <= 0.05 * len(seen)


def test_a_recorded_exception_is_what_it_was(seen):
    """What was recorded of an exception suffices to give it the code that it had alive."""
    assert [one for one in seen if one.recorded.code != one.living.code] == []
