"""Regular expressions that can't run away: matched in time linear in the text.

The language is the one people know, without what needs backtracking: literals, ``.``, classes
``[a-z]``, ``\\d \\w \\s`` and their opposites, groups, ``|``, ``* + ?`` and ``{m,n}``, and ``^``
and ``$`` at the ends of the whole pattern. No references, no looking around, no lazy variants.

A pattern becomes a nondeterministic automaton (Thompson 1968), and that one is made deterministic
while a text is read, one set of states for each character seen (Aho, Sethi, Ullman 1986, ch. 3.7).
"""

import string
from collections.abc import Callable, Iterator
from functools import lru_cache

#: Characters of a pattern, and states of its automaton (counted repetitions multiply).
MAX_LENGTH = 500
MAX_STATES = 2_000
#: Steps of states that one search may take where nothing is remembered: some 20 ms.
MAX_WORK = 200_000
#: Sets of states that are kept; more are made anew, which takes time but never memory.
MAX_KEPT = 500

Test = Callable[[str], bool]

_CLASSES: dict[str, Test] = {
    "d": str.isdecimal,
    "w": lambda character: character.isalnum() or character == "_",
    "s": str.isspace,
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_SPECIAL = set("()[]{}*+?|^$\\.")


class TooMuch(Exception):
    """A check would take longer than it may; whoever asked for it does without."""


class _Automaton:
    """States in order: each either passes on freely or by a character that its test takes."""

    def __init__(self) -> None:
        self.tests: list[Test | None] = []
        self.next: list[list[int]] = []

    def state(self, test: Test | None = None) -> int:
        if len(self.tests) >= MAX_STATES:
            raise ValueError(f"the pattern needs more than {MAX_STATES} states")
        self.tests.append(test)
        self.next.append([])
        return len(self.tests) - 1


class _Reader:
    """Reads a pattern by recursive descent; makes pieces that can be made again for ``{m,n}``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        #: There are alternatives outside of all groups.
        self.has_choice = False

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise ValueError("the pattern ends too early")
        self.at += 1
        return character

    def choice(self) -> "_Piece":
        branches = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence())
            self.has_choice = self.has_choice or not self.depth
        return branches[0] if len(branches) == 1 else _choice_of(branches)

    def sequence(self) -> "_Piece":
        items: list[_Piece] = []
        while self.peek() not in ("", "|", ")"):
            items.append(self.repeated())
        return _sequence_of(items)

    def repeated(self) -> "_Piece":
        piece = self.single()
        counts = self.counts()
        if counts is None:
            return piece
        if self.peek() and self.peek() in "?+*{":
            raise ValueError("a repetition of a repetition, or a lazy or possessive one")
        return _repetition_of(piece, *counts)

    def counts(self) -> tuple[int, int | None] | None:
        known = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if self.peek() in known and self.peek():
            return known[self.take()]
        if self.peek() != "{":
            return None
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if end < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            raise ValueError("a { that isn't {m}, {m,} or {m,n}; write \\{ for the character")
        self.at = end + 1
        least, most = int(low[:6]), int(high[:6]) if high else None
        if not comma:
            most = least
        if least > MAX_STATES or (most is not None and not least <= most <= MAX_STATES):
            raise ValueError(f"{{{low},{high}}} is out of range")
        return least, most

    def single(self) -> "_Piece":
        character = self.take()
        if character == "(":
            return self.group()
        if character == "[":
            return _single_of(self.set_of_characters())
        if character == ".":
            return _single_of(lambda found: found != "\n")
        if character == "\\":
            return _single_of(self.escaped())
        if character in _SPECIAL:
            raise ValueError(f"{character!r} at {self.at - 1}; write \\{character} for it")
        return _single_of(character.__eq__)

    def group(self) -> "_Piece":
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif self.peek() == "?":
            raise ValueError("groups that look around, name or refer")
        self.depth += 1
        if self.depth > 20:
            raise ValueError("more than 20 groups inside each other")
        inner = self.choice()
        self.depth -= 1
        if self.take() != ")":
            raise ValueError("a ( without its )")
        return inner

    def escaped(self) -> Test:
        character = self.take()
        if character.lower() in _CLASSES:
            test = _CLASSES[character.lower()]
            return test if character.islower() else _opposite(test)
        return self.literal(character).__eq__

    def literal(self, escaped: str) -> str:
        if escaped in _ESCAPES:
            return _ESCAPES[escaped]
        if escaped in string.ascii_letters + string.digits:
            raise ValueError(f"\\{escaped} isn't known here")
        return escaped

    def set_of_characters(self) -> Test:
        negated = self.peek() == "^"
        self.at += negated
        singles: set[str] = set()
        ranges: list[tuple[str, str]] = []
        tests: list[Test] = []
        first = True
        while first or self.peek() != "]":
            first = False
            self._member(singles, ranges, tests)
        self.at += 1

        def test(found: str) -> bool:
            return (
                found in singles
                or any(low <= found <= high for low, high in ranges)
                or any(each(found) for each in tests)
            )

        return _opposite(test) if negated else test

    def _member(self, singles: set[str], ranges: list[tuple[str, str]], tests: list[Test]) -> None:
        low = self.take()
        if low == "\\":
            if self.peek().lower() in _CLASSES:
                tests.append(self.escaped())
                return
            low = self.literal(self.take())
        if self.peek() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            singles.add(low)
            return
        self.at += 1
        high = self.take()
        if high == "\\":
            high = self.literal(self.take())
        if high < low:
            raise ValueError(f"the range {low}-{high} is the wrong way round")
        ranges.append((low, high))


#: Adds a piece to an automaton after a state; returns the state that it ends in.
_Piece = Callable[[_Automaton, int], int]


def _opposite(test: Test) -> Test:
    return lambda found: not test(found)


def _single_of(test: Test) -> _Piece:
    def add(automaton: _Automaton, start: int) -> int:
        reading = automaton.state(test)
        automaton.next[start].append(reading)
        end = automaton.state()
        automaton.next[reading].append(end)
        return end

    return add


def _sequence_of(items: list[_Piece]) -> _Piece:
    def add(automaton: _Automaton, start: int) -> int:
        for item in items:
            start = item(automaton, start)
        return start

    return add


def _choice_of(branches: list[_Piece]) -> _Piece:
    def add(automaton: _Automaton, start: int) -> int:
        end = automaton.state()
        for branch in branches:
            first = automaton.state()
            automaton.next[start].append(first)
            automaton.next[branch(automaton, first)].append(end)
        return end

    return add


def _repetition_of(piece: _Piece, least: int, most: int | None) -> _Piece:
    def add(automaton: _Automaton, start: int) -> int:
        for _ in range(least):
            start = piece(automaton, start)
        end = automaton.state()
        if most is None:
            first = automaton.state()
            automaton.next[start] += [first, end]
            automaton.next[piece(automaton, first)] += [first, end]
            return end
        automaton.next[start].append(end)
        for _ in range(most - least):
            start = piece(automaton, start)
            automaton.next[start].append(end)
        return end

    return add


class Pattern:
    """A compiled pattern; searched anywhere in a text unless it is anchored."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise ValueError(f"a pattern of {len(text)} characters; {MAX_LENGTH} are the most")
        self.text = text
        self._starts = text.startswith("^")
        backslashes = len(text[:-1]) - len(text[:-1].rstrip("\\"))
        self._ends = text.endswith("$") and backslashes % 2 == 0
        reader = _Reader(text[self._starts : len(text) - self._ends])
        piece = reader.choice()
        if reader.has_choice and (self._starts or self._ends):
            raise ValueError("^ or $ beside |: put parentheses around the alternatives")
        if reader.at < len(reader.text):
            raise ValueError("a ) without its (")
        self._automaton = _Automaton()
        start = self._automaton.state()
        self._accepting = piece(self._automaton, start)
        self._start = self._closure([start])
        self._moves: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        """Tell whether the pattern is found in `text`, in linear time; raises `TooMuch`."""
        states = self._start
        work = 0
        for character in text:
            if self._accepting in states and not self._ends:
                return True
            move = (states, character)
            found = self._moves.get(move)
            if found is None:
                work += 1 + len(states)
                if work > MAX_WORK:
                    raise TooMuch(f"the pattern takes too long on {len(text)} characters")
                found = self._step(states, character)
                if len(self._moves) >= MAX_KEPT:
                    self._moves = {}
                self._moves[move] = found
            states = found
            if not states:
                return False
        return self._accepting in states

    def _step(self, states: frozenset[int], character: str) -> frozenset[int]:
        reached: list[int] = [] if self._starts else list(self._start)
        for state in states:
            test = self._automaton.tests[state]
            if test is not None and test(character):
                reached += self._automaton.next[state]
        return self._closure(reached)

    def _closure(self, states: list[int]) -> frozenset[int]:
        return frozenset(self._reachable(states))

    def _reachable(self, states: list[int]) -> Iterator[int]:
        seen = set(states)
        while states:
            state = states.pop()
            yield state
            if self._automaton.tests[state] is None:
                new = [other for other in self._automaton.next[state] if other not in seen]
                seen.update(new)
                states += new


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """Return the pattern of `text`; raises `ValueError` with what the language doesn't have."""
    return Pattern(text)
