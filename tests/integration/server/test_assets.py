"""Sheets and scripts: kept for good under their version, compressed for whoever takes that."""

import gzip

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
