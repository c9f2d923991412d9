"""Takes the dashboard's pictures for the README and the guide: a real browser on a run of the demo.

``python docs/screenshots.py [CHROMIUM]``. The example program runs; one incident is healed and
published, fixes for its partners are proposed and approved, and what pages then show is taken.
"""

import getpass
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from prunella.model.rollouts import RolloutState
from prunella.wiring.healer import Healer

FOLDER = Path(__file__).parent / "images"
_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_WIDE, _NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
#: The incident that is healed and shown.
_SHOWN = "redeem"
#: How long calls fail before fixes are approved, and how long those are watched, in seconds.
_FAILING_S, _WATCHED_S = 20, 150
#: Puts neutral names in the place of this machine's.
_ANONYMOUS = """([user, host, folder]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const place = new RegExp(folder + "/[^/\\s]+/", "g");
  while (texts.nextNode()) {
    const text = texts.currentNode;
    text.data = text.data.replace(place, "/home/ana/").replaceAll(`${user}@${host}`, "ana@desk")
      .replaceAll(`@${host}`, "@desk").replaceAll(`on ${host}`, "on desk");
  }
}"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One page, as somebody sees it."""

    name: str
    #: Address within the project.
    path: str
    scheme: str = "light"
    narrow: bool = False


def main() -> None:
    chromium = sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium")
    if chromium is None:
        sys.exit("needs Chromium: apt-get install chromium, or give its path")
    with tempfile.TemporaryDirectory(prefix="fern-and-fig-", ignore_cleanup_errors=True) as name:
        root = Path(name) / "shop"
        with _demo(root) as url:
            pictures = _prepare(root)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
                for picture in pictures:
                    take(browser, f"{url}p/local", picture, FOLDER)
                browser.close()


@contextmanager
def _demo(root: Path) -> Iterator[str]:
    """Run `prunella demo --serve`; give the dashboard's address."""
    command = [sys.executable, "-m", "prunella.cli", "demo", "--serve", "--port", "8799"]
    process = subprocess.Popen(  # noqa: S603 - fixed arguments
        [*command, "--dir", str(root)], stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            if line.startswith("Serving at "):
                yield line.split()[2].rstrip(";")
                break
    finally:
        process.terminate()
        process.wait(20)


def _prepare(root: Path) -> list[Picture]:
    """Heal what is to be shown; return the pictures to take."""
    time.sleep(_FAILING_S)
    with Healer(root=root, model="") as healer:
        healer.refresh()
        incidents = {item.site_id.rpartition(":")[2]: item for item in healer.incidents()}
        healer.heal(incidents[_SHOWN], create_pr=True)
        for item in healer.incidents():
            if item.site_id.startswith("shop.partners:"):
                healer.fixes.suggest(item.incident_id)
        for rollout in healer.fixes.list(states=[RolloutState.CANDIDATE]):
            if rollout.fix_id.endswith("-0"):
                healer.fixes.approve(rollout.rollout_id)
        time.sleep(_WATCHED_S)
        partners = [
            each for each in healer.fixes.list() if each.started_at and each.incident_id is not None
        ]
        retry = next(each for each in partners if each.document["fix_type"] == "retry")
    incident = f"/incidents/{incidents[_SHOWN].incident_id}"
    return [
        Picture("dashboard", "/"),
        Picture("dashboard-dark", "/incidents", scheme="dark"),
        Picture("dashboard-incident", incident),
        Picture("dashboard-fix", f"/fixes/{retry.rollout_id}"),
        Picture("dashboard-phone", incident, narrow=True),
    ]


def take(browser: Browser, home: str, picture: Picture, folder: Path) -> Path:
    """Take one picture into `folder`; return its file."""
    size = _NARROW if picture.narrow else _WIDE
    page: Page = browser.new_page(viewport=size, color_scheme=picture.scheme)  # type: ignore[arg-type]
    page.goto(f"{home}{picture.path}")
    page.get_by_text("live", exact=True).wait_for()
    page.wait_for_timeout(300)  # charts are drawn
    page.evaluate(_ANONYMOUS, [str(getpass.getuser()), platform.node(), tempfile.gettempdir()])
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path)
    page.close()
    return path


if __name__ == "__main__":
    main()
