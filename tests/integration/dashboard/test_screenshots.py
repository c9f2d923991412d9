"""The pictures in README and docs are of pages that are there."""

import importlib.util
from pathlib import Path

from playwright.sync_api import Browser

from browsing import Served

ROOT = Path(__file__).parents[3]


def _screenshots():
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_picture_is_taken(browser: Browser, served: Served, tmp_path: Path) -> None:
    """The command that takes them takes a picture of a live page."""
    screenshots = _screenshots()
    picture = screenshots.Picture("incidents", "/incidents", scheme="dark")
    path = screenshots.take(browser, served.home, picture, tmp_path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 1280


def test_every_picture_of_the_guide_is_taken_by_the_command() -> None:
    """Pictures that the guide shows are among those that the command takes."""
    guide = (ROOT / "docs" / "how-to" / "use-the-dashboard.md").read_text()
    source = (ROOT / "docs" / "screenshots.py").read_text()
    shown = {part.partition(".png")[0] for part in guide.split("../images/")[1:]}
    assert shown
    assert all(f'Picture("{name}"' in source for name in shown)
    assert all((ROOT / "docs" / "images" / f"{name}.png").is_file() for name in shown)
