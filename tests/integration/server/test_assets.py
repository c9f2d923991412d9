"""Sheets and scripts: kept for good under their version, compressed for whoever takes that."""

import gzip
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from prunella.server.dashboard.assets import FOLDER, static_address

SHEET = (FOLDER / "dashboard.css").read_bytes()
PLAIN = {"accept-encoding": "identity"}


def test_a_version_is_kept_for_good_and_anything_else_is_asked_for_again(client):
    """The version stands in the address, so that a new release is seen at once."""
    address = static_address("dashboard.css")
    versioned = client.get(address, headers=PLAIN)
    assert (versioned.status_code, versioned.content) == (200, SHEET)
    assert versioned.headers["content-type"].startswith("text/css")
    assert "immutable" in versioned.headers["cache-control"]
    plain = client.get(address.partition("?")[0])
    assert plain.headers["cache-control"] == "no-cache"
    again = client.get(address, headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("offered", ["gzip", "br, gzip;q=0.5", "gzip, deflate"])
def test_who_takes_gzip_gets_less(client, offered):
    """It holds the same, and says for what it was chosen."""
    answer = client.get(static_address("dashboard.css"), headers={"accept-encoding": offered})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == SHEET  # the client has unpacked it
    assert int(answer.headers["content-length"]) < len(gzip.compress(SHEET, 1)) < len(SHEET)


@pytest.mark.parametrize("offered", ["identity", "", "gzip;q=0"])
def test_who_does_not_take_gzip_gets_the_file(client, offered):
    """Nothing is sent that wasn't offered to be read."""
    answer = client.get(static_address("dashboard.css"), headers={"accept-encoding": offered})
    assert "content-encoding" not in answer.headers
    assert answer.content == SHEET


def test_only_files_of_the_folder_are_read(client):
    """What isn't there isn't found, wherever it would lead; nothing is written."""
    for name in ("none.css", "../assets.py", "%2e%2e/assets.py", "vendor", ""):
        assert client.get(f"/static/{name}").status_code == 404
    assert client.post("/static/dashboard.css").status_code in {403, 405}
    head = client.head(static_address("icon.svg"), headers=PLAIN)
    assert head.content == b""
    assert int(head.headers["content-length"]) == len((FOLDER / "icon.svg").read_bytes())


def test_what_a_page_is_made_live_by_is_one_file(client):
    """The library stands before what uses it; the parts can't be had by themselves."""
    script = client.get(static_address("pages.js")).text
    assert script.index("htmx") < script.index("hx-sse:connect") < script.index("prunella:changed")
    assert client.get("/static/dashboard.js").status_code == 404


def test_a_page_runs_and_draws_by_nothing_in_it_but_what_its_policy_names(client):
    """Each sheet and script within a page is named by its digest; none of the server's policy is lost."""
    page = client.get("/p/local/")
    policy = page.headers["content-security-policy"]
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{directive} 'self' 'sha256-{digest}';" in policy
    rest = re.sub(r" 'sha256-[^']*'", "", policy)
    assert rest == client.get("/static/icon.svg").headers["content-security-policy"]


def test_a_page_that_asks_for_itself_anew_gets_no_sheet(client):
    """A script takes the content alone, each second if need be."""
    whole = client.get("/p/local/").text
    part = client.get("/p/local/", headers={"hx-request": "true"}).text
    assert "<style>" in whole
    assert "<style>" not in part
    assert 'id="main"' in part


@pytest.mark.parametrize(
    ("chosen", "shown"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"')]
)
def test_a_chosen_theme_stands_in_the_page(client, chosen, shown):
    """So that no script has to run before it is drawn; what is no theme is none."""
    cookie = {"cookie": f"prunella_theme={chosen}"}
    assert f'<html lang="en"{shown}>' in client.get("/p/local/", headers=cookie).text
    forged = {"cookie": 'prunella_theme="><script>'}
    assert '<html lang="en">' in client.get("/p/local/", headers=forged).text
