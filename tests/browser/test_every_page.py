"""Every page of the console: no barrier that axe finds, nothing cut off on a small telephone, light, and quiet."""

from __future__ import annotations

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from content.editors import Role
from tests.browser import answers, pages
from tests.browser.conftest import Comes
from tests.browser.hall import Hall
from tests.browser.officer import DESK, PHONE, Officer
from tests.browser.pages import Look

pytestmark = pytest.mark.story

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HEAVIEST = 150_000
# axe takes most of the time: it looks at each page in one of the two views; with this, at every page in both.
THOROUGH = bool(os.environ.get("TESTS_THOROUGH"))
# What came over the wire for this page: the page itself, styles, scripts, pictures; not map tiles.
WEIGH = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
WIDER = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll('body *')]
        .filter(one => one.getBoundingClientRect().right > wide + 1 && !one.closest('.scroll'))
        .slice(-3).map(one => one.outerHTML.slice(0, 120));
}"""


def barriers(officer: Officer) -> list[str]:
    """What axe has to say against the page that is shown."""
    options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = Axe().run(officer.page, options=options).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found
    ]  # fmt: skip


@pytest.fixture(scope="module")
def every(hall: Hall) -> list[Look]:
    hall.furnish()
    return pages.every(hall)


@pytest.mark.parametrize(("language", "size"), [("ja", PHONE), ("en", DESK)], ids=["ja phone", "en desk"])
def test_no_page_bars_anybody(hall: Hall, every: list[Look], comes: Comes, language: str, size: dict[str, int]) -> None:
    readers: dict[Any, Officer] = {}
    wrong = []
    for number, look in enumerate(every):
        key = look.half or look.reader
        if key not in readers:
            who = hall.one(look.reader) if look.reader else None
            readers[key] = comes(who=who, size=size, language=language)
            if look.half:
                readers[key].context.add_cookies([hall.half_signed_in()])  # type: ignore[list-item]
            # Each page is weighed as if it were the first one.
            session = readers[key].context.new_cdp_session(readers[key].page)
            session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        officer = readers[key]
        officer.open(look.path)
        found = [f"lang={officer.page.locator('html').get_attribute('lang')}"]
        found = [] if found == [f"lang={language}"] else found
        weight = officer.page.evaluate(WEIGH)
        if weight >= HEAVIEST:
            found.append(f"weighs {weight:,} bytes")
        officer.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        found += [f"wider than a telephone: {one}" for one in officer.page.evaluate(WIDER)]
        if THOROUGH or number % 2 == (size == PHONE):
            officer.page.set_viewport_size(size)  # type: ignore[arg-type]
            found += barriers(officer)
        wrong += [f"{look.name} {look.path}: {one}" for one in found]
    assert wrong == []


def test_no_form_that_comes_back_bars_anybody(hall: Hall, comes: Comes) -> None:
    wrong = []
    officer = comes(who=hall.one(Role.DUTY_OFFICER), size=PHONE)
    for name in answers.EVERY if THOROUGH else answers.FEW:
        answers.EVERY[name](hall, officer)
        found = [f"wider than a telephone: {one}" for one in officer.page.evaluate(WIDER)]
        wrong += [f"{name} {officer.path}: {one}" for one in found + barriers(officer)]
    officer.open("/opendata")
    assert wrong + barriers(officer) + officer.page.evaluate(WIDER) == []
