"""What people do on the pages of the login."""

import re


def field(answer, name):
    """Return the value of a form's field on a page."""
    return re.search(rf'name="{name}"[^>]* value="([^"]*)"', answer.text)[1]


def log_in(client, name, password, to=""):
    """Fill in the form of the login page and send it."""
    page = client.get("/login", params={"next": to} if to else {})
    form = {
        "name": name,
        "password": password,
        "csrf_token": field(page, "csrf_token"),
        "next": field(page, "next"),
    }
    return client.post("/login", data=form, headers={"sec-fetch-site": "same-origin"})
