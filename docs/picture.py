"""Takes the picture in the README: a real run of the demo, as SVG.

``python docs/picture.py``. The run is whole; shown are the beginning of its log, the method and the
coroutine it heals, and its end.
"""

import io
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from prunella.cli.attempts import Attempt
from prunella.cli.evening import Partner, Phase
from prunella.cli.journey import Journey, travel
from prunella.cli.session import Session
from prunella.cli.views.journey import Narrator
from prunella.cli.views.parts import failed_function
from prunella.model.incidents import Incident

PICTURE = Path(__file__).parent / "images" / "demo.svg"
_COLUMNS = 110
#: Fonts that a viewer would fetch from elsewhere; its own monospaced one serves.
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_LOG_LINES = 4
_SHOWN = ("stock_rows", "Courier.tracking_text")


class Photographer(Narrator):
    """Tells the demo, leaving out the middle of what would be told twice."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._lines = 0

    def logged(self, line: str) -> None:
        """Tell the first lines of the program's log."""
        self._lines += 1
        if self._lines <= _LOG_LINES:
            super().logged(line)

    def found(self, incidents: list[Incident]) -> None:
        """Tell how many incidents there are, without the table."""
        self._title(f"{len(incidents)} incidents. Diagnosis, patches, proof")

    def tried(self, attempt: Attempt) -> None:
        """Tell the generator's and the coroutine's."""
        if failed_function(attempt.incident).endswith(_SHOWN):
            super().tried(attempt)

    def second_passed(self, partners: Sequence[Partner], phase: Phase) -> None:
        """Tell nothing of each second: what moves can't be in a picture."""

    def decided(self, partners: Sequence[Partner], phase: Phase) -> None:
        """Tell it in the table at the end."""


def main() -> None:
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory(prefix="fern-and-fig-") as name:
        console.print(Text("$ prunella demo --dir shop", "bold"))
        journey: Journey = travel(Session(), Path(name), Photographer(console))
        svg = console.export_svg(title="prunella demo").replace(str(Path(name).resolve()), "shop")
    svg = _FONTS.sub("", svg)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")
    sys.stderr.write(f"{len(journey.healed)} healed, {PICTURE}\n")


if __name__ == "__main__":
    main()
