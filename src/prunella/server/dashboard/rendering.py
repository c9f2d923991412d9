"""Pages from templates. Everything that is shown is untrusted: escaped, bounded, never run."""

import json
import re
from datetime import datetime, timedelta
from functools import cache
from math import exp, isfinite
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from prunella.codec import render, type_name
from prunella.model.clock import now
from prunella.model.tree import Tree
from prunella.model.wording import (
    ago,
    block,
    class_name,
    failed_function,
    one_line,
    plural,
    span,
)
from prunella.server.dashboard.assets import digest_of, inside, static_address
from prunella.server.guard import HEADERS

#: Cookie that carries what an action has done to the next page.
SAID = "prunella_said"
#: Cookie that carries the chosen theme, written by the button that changes it.
_THEME = "prunella_theme"
_THEMES = frozenset({"light", "dark"})
_MAX_SAID_CHARS = 400
#: What stands in pages, so that a first view waits for nothing else.
_SHEET, _SCRIPT = "dashboard.css", "begin.js"
_POLICY = "content-security-policy"
_UNKNOWN = "–"
_CODE = re.compile(r"`([^`\n]{1,300})`")


def show(request: Request, template: str, *, status: int = 200, **data: Any) -> HTMLResponse:
    """Return the page that a template makes of `data`; what an action said is shown once."""
    said, theme = request.cookies.get(SAID, ""), request.cookies.get(_THEME, "")
    query = request.url.query
    text = (
        _environment()
        .get_template(template)
        .render(
            path=request.url.path,
            here=request.url.path + (f"?{query}" if query else ""),
            pager_address=lambda number: f"?{request.url.include_query_params(page=number).query}",
            said=read_said(said),
            # A script that asks for the page anew takes the content alone.
            is_whole="hx-request" not in request.headers,
            theme=theme if theme in _THEMES else "",
            **data,
        )
    )
    headers = {"Cache-Control": "no-store", _POLICY: _policy()}
    response = HTMLResponse(text, status_code=status, headers=headers)
    if said:
        response.delete_cookie(SAID, path="/")
    return response


def said_cookie(text: str) -> str:
    """Return `text` as a cookie's value."""
    return quote(text[:_MAX_SAID_CHARS], safe="")


def read_said(value: str) -> str:
    """Return the text of a cookie's value; people may have sent anything."""
    return one_line(unquote(value[: 6 * _MAX_SAID_CHARS], errors="replace"), _MAX_SAID_CHARS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("prunella.server.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        ago=lambda moment: ago(moment, now()),
        bars=bars,
        block=lambda text: block(str(text)),
        chart=lambda data: json.dumps(data, allow_nan=False, separators=(",", ":")),
        class_name=class_name,
        code_parts=code_parts,
        count=lambda number: f"{number:,}",
        e_value=e_value,
        evidence=lambda data: dict(data) | {"kind": "evidence"},
        failed_function=failed_function,
        json=lambda value: block(json.dumps(value, indent=2, ensure_ascii=False, default=str)),
        line=lambda text, max_chars=200: one_line(str(text), max_chars),
        ms=ms,
        path=lambda text: quote(str(text), safe=""),
        percent=percent,
        plural=plural,
        seconds=seconds,
        stamp=stamp,
        type_name=lambda tree: one_line(type_name(tree), 60),
        value=value,
        web=web_address,
        words=lambda text: one_line(str(text).replace("_", " ")),
    )
    # Our own files, and the only things that pages show without escaping them.
    frame = {name: inside(name) for name in (_SHEET, _SCRIPT)}
    environment.globals.update(static=static_address, mark=inside("icon.svg"), frame=frame)
    return environment


@cache
def _policy() -> str:
    """Return the server's policy, which also lets the sheet and the script be that stand in pages."""
    policy = HEADERS[_POLICY]
    for source, name in (("style-src 'self'", _SHEET), ("script-src 'self'", _SCRIPT)):
        policy = policy.replace(source, f"{source} {digest_of(name)}")
    return policy


def percent(share: float | None, digits: int = 1) -> str:
    """Return ``12.5 %``; a dash where nothing is known, which isn't 0."""
    if share is None or not isfinite(share):
        return _UNKNOWN
    return f"{100 * share:.{digits}f} %"


def seconds(value_s: float | None) -> str:
    """Return a duration in one unit."""
    return _UNKNOWN if value_s is None else span(timedelta(seconds=value_s))


def ms(value_ms: float | None) -> str:
    """Return milliseconds in a unit and with as many digits as they are worth."""
    if value_ms is None:
        return _UNKNOWN
    if value_ms >= 10_000:
        return f"{value_ms / 1000:,.1f} s"
    if value_ms < 1:
        return f"{1000 * value_ms:,.0f} µs"
    return f"{value_ms:,.0f} ms" if value_ms >= 10 else f"{value_ms:.1f} ms"


def stamp(moment: datetime | None) -> str:
    """Return date and time in UTC."""
    return _UNKNOWN if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def e_value(log_value: float) -> str:
    """Return an e-value; of a huge one the power of ten."""
    if log_value > 13:
        return f"10^{log_value / 2.302585:.0f}"
    found = exp(log_value)
    return f"{found:,.0f}" if found >= 100 else f"{found:.2g}" if found < 1 else f"{found:.1f}"


def value(tree: Tree, max_chars: int = 400) -> str:
    """Return a recorded value as text on one line."""
    return one_line(render(tree, max_chars=max_chars), max_chars)


def web_address(url: str) -> str:
    """Return an address that may be linked to: http or https, else nothing."""
    try:
        place = urlsplit(url)
    except ValueError:
        return ""
    return url if place.scheme in {"http", "https"} and place.netloc else ""


def code_parts(text: str) -> list[tuple[bool, str]]:
    """Return text in parts, each with whether it stood between backticks."""
    parts, end = [], 0
    shown = one_line(text, 2000)
    for match in _CODE.finditer(shown):
        parts += [(False, shown[end : match.start()]), (True, match[1])]
        end = match.end()
    return [part for part in [*parts, (False, shown[end:])] if part[1]]


def bars(numbers: list[int], width: float = 3.0, height: float = 24.0) -> str:
    """Return one bar a number as the data of an SVG path, the highest of full height.

    One path, because a list of incidents shows thousands of bars.
    """
    most = max(numbers, default=0)
    found = []
    for place, number in enumerate(numbers):
        if number:
            tall = max(2.0, height * number / most)
            across, up = f"{width - 0.8:g}", f"{tall:.4g}"
            found.append(f"M{place * width:g} {height:g}v-{up}h{across}v{up}z")
    return "".join(found)
