"""What was asked a moment ago, remembered."""

import pytest

from prunella.server import remembered
from prunella.server.remembered import Remembered


class Asked:
    """Answers with how often it was asked."""

    def __init__(self):
        self.times = 0

    def __call__(self, _key):
        self.times += 1
        return self.times


@pytest.fixture
def clock(monkeypatch):
    found = [100.0]
    monkeypatch.setattr(remembered, "monotonic", lambda: found[0])
    return found


def test_an_answer_is_believed_for_its_time_and_no_longer(clock):
    """Who asks later than that gets a new one."""
    found = Remembered(Asked(), believed_s=2.0, most=10)
    assert found.known("a") is None
    assert [found.get("a"), found.known("a")] == [1, 1]
    clock[0] += 2.1
    assert found.known("a") is None
    assert [found.get("a"), found.known("a")] == [2, 2]


def test_one_asks_early_and_the_others_go_on(clock):
    """Shortly before an answer is too old one is told to ask, and only one."""
    found = Remembered(Asked(), believed_s=2.0, most=10)
    found.get("a")
    clock[0] += 1.9
    assert [found.known("a") for _ in range(3)] == [None, 1, 1]
    assert found.get("a") == 2
    assert found.known("a") == 2


def test_what_was_forgotten_is_asked_for(clock):
    """Neither a forgotten answer is believed, nor more than so many kept."""
    found = Remembered(Asked(), believed_s=2.0, most=2)
    assert [found.get("a"), found.get("a")] == [1, 1]
    found.forget("a")
    assert [found.known("a"), found.get("a")] == [None, 2]
    assert [found.get(key) for key in "bcd"] == [3, 4, 5]
    assert len(found._known) <= 2


def test_asking_that_failed_is_tried_again(clock):
    """An answer that couldn't be had early leaves it to the next who asks."""
    asked = Asked()

    def ask(key):
        if asked(key) == 2:
            raise OSError
        return asked.times

    found = Remembered(ask, believed_s=2.0, most=10)
    found.get("a")
    clock[0] += 1.9
    assert found.known("a") is None
    with pytest.raises(OSError):
        found.get("a")
    assert found.known("a") is None
    assert found.get("a") == 3
