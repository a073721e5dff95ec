"""One city hall and one Chromium for all tests of this folder; a window of their own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium
from tests.browser.hall import Hall
from tests.browser.officer import Officer
from tests.conftest import Store

# No name is looked up: what a page wants from elsewhere fails at once, and is told.
ALONE = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-first-run", "--disable-quic"]

Comes = Callable[..., Officer]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The machine's Chromium. Closed with this folder: its event loop would be in the way of others' tests."""
    try:
        program = chromium.find()
    except chromium.NoBrowser as reason:
        pytest.skip(f"the console is not tried in a browser: {reason}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=ALONE)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def hall(browser: Browser, sqlite_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """Web server, worker and stand-in on SQLite: what a browser sees is the same on both stores."""
    built = Hall(tmp_path_factory.mktemp("hall"), sqlite_store.fresh_url())
    try:
        yield built.open()
    finally:
        built.close()


@pytest.fixture
def comes(hall: Hall, browser: Browser) -> Iterator[Comes]:
    """Somebody sits down at a browser; when the test is over nothing may have gone wrong in any of them."""
    there: list[Officer] = []

    def sit_down(**wishes: Any) -> Officer:
        there.append(Officer(hall, browser, **wishes))
        return there[-1]

    yield sit_down
    troubles = [trouble for officer in there for trouble in officer.troubles]
    for officer in there:
        officer.close()
    assert troubles == []
