"""Addresses that stand in messages: by the setting alone."""

import pytest

from prunella.model.errors import ConfigurationError
from prunella.model.links import Links, links_of
from prunella.model.settings import Settings, load


def test_links_are_by_the_setting() -> None:
    """Pages of the project that the settings name, below the address that they name."""
    links = links_of(Settings(server_url="https://prunella.example/"))
    assert links.incident("inc_1") == "https://prunella.example/p/local/incidents/inc_1"
    assert links.fix("fix/a?b") == "https://prunella.example/p/local/fixes/fix%2Fa%3Fb"
    assert links.alerts() == "https://prunella.example/p/local/alerts"
    assert links.dsn("k1") == "https://k1@prunella.example/local"
    teams = Settings(server_url="http://h:1", database="postgresql://h/d", project="shop")
    assert links_of(teams).approval("a.b_c") == "http://h:1/approve/shop/a.b_c"


def test_without_an_address_there_is_no_link() -> None:
    """Nothing is guessed."""
    links = Links(server="", project="shop")
    assert not any(
        [
            links.incident("inc_1"),
            links.fix("f"),
            links.alerts(),
            links.approval("t"),
            links.invitation("s"),
            links.dsn("k"),
        ]
    )


@pytest.mark.parametrize(
    "address", ["prunella.example", "javascript:alert(1)", "https://u:p@h/", "https://h/?a", "//h"]
)
def test_an_address_that_is_none_is_refused(tmp_path, address) -> None:
    """It would stand in every message; it has to be http or https, without a password."""
    with pytest.raises(ConfigurationError, match="PRUNELLA_SERVER_URL"):
        load(tmp_path, environ={"PRUNELLA_SERVER_URL": address})
