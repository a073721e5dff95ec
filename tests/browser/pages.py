"""Every page of the console, found as people find them: by following the links from the first one, in every role."""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from backend.app import create_app
from backend.config import Settings
from content.editors import Role
from tests.browser.hall import Hall

# Whoever may do most first; the others find what is left.
READERS = (Role.DUTY_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
# Pages that no link leads to: a form does, or they are for those who are not (or half) signed in.
STRANGERS = {"sign_in": "/console/sign-in", "lost": "/console/nothing-there"}
BY_FORM = {"shelters_all": "/console/shelters/all?to=open"}
HALF = {"second_factor_page": "/console/second-factor"}
NO_PAGES = {"root", "choose_language", "static", "asset"}
# What scripts fetch from addresses that they put together themselves.
DATA = {"map_towns", "map_areas"}
# How many addresses of one kind are followed: the same page of another shelter shows nothing new …
MOST = 1
# … but an alert looks different in each of its states, and the first page to each of its readers.
MORE = {"alerts_one": 6, "drills_one": 3, "dashboard": 3, "notices_one": 3}
# Whichever of these other tests have left, the links of all are followed.
ALL = {"alerts_one", "drills_one", "notices_one"}


@dataclass(frozen=True, slots=True)
class Look:
    """A page as somebody sees it; `reader` None: a stranger."""

    name: str
    path: str
    reader: Role | None = None
    half: bool = False


class Missing(AssertionError):
    """Pages that nobody finds."""


def every(hall: Hall) -> list[Look]:
    """All pages; raises Missing when there is one that no link leads to from the first."""
    app = create_app(Settings(database_url=hall.city.database_url))
    looks = [Look(name, path) for name, path in STRANGERS.items()]
    looks += [Look(name, path, half=True) for name, path in HALF.items()]
    looks += [Look(name, path, READERS[0]) for name, path in BY_FORM.items()]
    looks.append(Look("welcome", hall.invite(Role.READER, "新しい 人", "atarashii").removeprefix(hall.city.url)))
    plain: set[str] = set()  # addresses that answer with data
    count: Counter[str] = Counter()
    for reader in READERS:
        for name, path, is_page in _crawl(app, hall, reader, count):
            if not is_page:
                plain.add(name)
            elif all((look.name, look.path) != (name, path) for look in looks):
                looks.append(Look(name, path, reader))
    missing = _names(app) - {look.name for look in looks} - plain - NO_PAGES - DATA
    if missing:
        raise Missing(f"no link leads to: {', '.join(sorted(missing))}. A page that is reached otherwise: pages.py")
    return looks


def _names(app: Flask) -> set[str]:
    found = (rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console."))
    return {rule.endpoint.removeprefix("console.") for rule in found if "GET" in (rule.methods or ())}


def _crawl(app: Flask, hall: Hall, reader: Role, count: Counter[str]) -> Iterator[tuple[str, str, bool]]:
    """Name, address and whether it is a page, of everything that is linked, the nearest first."""
    browser = hall.browser(hall.one(reader))
    adapter = app.url_map.bind("")
    seen, waiting = {"/console/"}, deque(["/console/"])
    own: dict[str, int] = defaultdict(int)
    while waiting:
        path = waiting.popleft()
        try:
            name = adapter.match(path.partition("?")[0])[0].removeprefix("console.")
        except (HTTPException, RequestRedirect):
            raise Missing(f"a link leads nowhere: {path}") from None
        most = MORE.get(name, MOST)
        if name in NO_PAGES | DATA or (own[name] >= most and name not in ALL):
            continue
        answer = browser.get(hall.city.url + path, timeout=300, allow_redirects=False)
        if answer.status_code == 403 or answer.is_redirect:
            continue  # another reader's; or leads to a page that is found by itself
        if answer.status_code != 200:
            raise Missing(f"a link of {reader} leads to an error: {path} {answer.status_code}")
        own[name] += 1
        is_page = answer.headers["Content-Type"].startswith("text/html")
        if count[name] < most:
            count[name] += 1
            yield name, path, is_page
        if is_page:
            for attribute, found in re.findall(r'(href|src|data-[\w-]+)="(/console/[^"#]*)', answer.text):
                link = html.unescape(found)
                # An address in data that ends so is completed by a script.
                if link not in seen and not (attribute.startswith("data-") and link.endswith("/")):
                    seen.add(link)
                    waiting.append(link)
