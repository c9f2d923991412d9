"""Addresses are shown without what opens them."""

import pytest

from prunella.model.places import has_password, scrubbed, without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ana:s3cret@db.example:5432/prod", "postgresql://ana@db.example:5432/prod"),
        ("postgresql://ana:a%40b:c@db/prod", "postgresql://ana@db/prod"),
        ("postgresql://ana:a@b@db/prod", "postgresql://ana@db/prod"),
        ("postgresql:///prod?password=s3cret&host=/run/pg", "postgresql:///prod?host=/run/pg"),
        (
            "postgresql://db/prod?sslmode=require&sslpassword=s3cret#x",
            "postgresql://db/prod?sslmode=require",
        ),
        ("postgresql://db/prod", "postgresql://db/prod"),
        ("postgresql://[bad:s3cret@db/prod", "postgresql://…"),
        ("host=db password=s3cret", "…"),
        ("", ""),
    ],
)
def test_no_password_is_shown(url, shown):
    """Whatever holds a secret in an address isn't in what is shown of it."""
    assert without_password(url) == shown
    assert "s3cret" not in without_password(url)


def test_messages_lose_the_passwords_of_their_address():
    """An error that repeats the address, or a part of it, tells no secret."""
    url = "postgresql://ana:a%40b@db/prod?sslpassword=t0p"
    assert scrubbed("no a%40b, no a@b, no t0p for ana", url) == "no ***, no ***, no *** for ana"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", False),
        ("postgresql://db/prod", False),
        ("postgresql://ana@db/prod", False),
        ("postgresql://ana:x@db/prod", True),
        ("postgresql://db/prod?password=x", True),
        ("postgresql://[bad", True),
    ],
)
def test_passwords_are_noticed(url, expected):
    """An address that can't be read is taken to hold one."""
    assert has_password(url) is expected
