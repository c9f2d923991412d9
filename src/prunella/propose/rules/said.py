"""What a docstring says of the case where there is nothing to work on."""

import ast
import re

from prunella.propose.rules.scene import Scene

_LITERAL = r"(?P<literal>None|0\.0|0|-1|False|\"\"|''|\[\]|\{\}|\(\))"
_WHEN = r"(?:if|when|for|before|while|without|below|behind|until|unless|where|on|after)"
_CASE = r"(?:if|when|where|without|before|below|behind|beyond|no|empty|blank|missing|unknown)"
#: "``None`` before the first one", "0 if there are none"
_LITERAL_FIRST = re.compile(rf"(?<![\w.]){_LITERAL}[`'\"]*,?\s+{_WHEN}\b")
#: "an empty cell is 0", "without rows it gives None"
_LITERAL_LAST = re.compile(
    rf"\b{_CASE}\b[^.;]*?\b(?:is|are|gives?|returns?|yields?|means?|counts? as)\s+[`'\"]*{_LITERAL}(?![\w.]*\d)"
)
#: "empty while there is nothing to tell"
_EMPTY_FIRST = re.compile(rf"\bempty(?:\s+(?:list|dict|string|text|tuple|set))?,?\s+{_WHEN}\b")
#: "a page behind the last one is empty"
_EMPTY_LAST = re.compile(rf"^(?!.*\b(?:if|when|where|while)\b).*\b{_CASE}\b.*\b(?:is|are) empty\b")


def said(scene: Scene) -> list[str]:
    """Return the answers that the docstring names, as literals; ``empty`` for an empty container.

    Only sentences that tie an answer to a condition count.
    """
    text = ast.get_docstring(scene.node) or ""
    found: list[str] = []
    for sentence in re.split(r"(?<=[.;:!?])\s+|\n\s*\n", text[:4000]):
        line = " ".join(sentence.split())
        for pattern in (_LITERAL_FIRST, _LITERAL_LAST):
            found += [match["literal"] for match in pattern.finditer(line)]
        if _EMPTY_FIRST.search(line) or _EMPTY_LAST.search(line):
            found.append("empty")
    return list(dict.fromkeys(found))
